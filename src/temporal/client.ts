import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type WorkflowService,
} from '@temporalio/client';
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import type { DataConverter } from '@temporalio/common';
import type { Config } from '../config';
import { isTracing } from '../tracing/spans';
import { clientSpans } from './client-spans';
import { createNamespaceCheck } from './set-up';

export interface TemporalClient {
  client: Client;
  /** When the server last responded to any call, in milliseconds since the epoch; 0 if it never has. */
  lastAnswerAt(): number;
  /** @throws if the server does not respond for the namespace, or this was not set up */
  checkHealth(): Promise<void>;
  /**
   * Asks the server something of which nobody else waits for the answer before the client is closed.
   * @param limitMs how long it may take, with all its attempts, in milliseconds
   */
  ask<T>(limitMs: number, call: (service: WorkflowService) => Promise<T>): Promise<T>;
  /** Waits for what is being asked. */
  close(): Promise<void>;
}

/** Notices a server that is down after about 1 s, before clients give up; the SDK's defaults take 20 s. */
const retry = defaultGrpcRetryOptions({ maxAttempts: 4, initialIntervalMs: () => 100 });

/** How long a health check may take, with all its attempts, in milliseconds. */
const HEALTH_TIMEOUT_MS = 2_000;

/** Connects on the first call, which may be long after the start, and again whenever the server comes back. */
export function createTemporalClient(
  { address, namespace, security }: Config['temporal'],
  dataConverter: DataConverter,
): TemporalClient {
  let answeredAt = 0;
  const asked = new Set<Promise<unknown>>();
  const checkNamespace = createNamespaceCheck(namespace);
  const connection = Connection.lazy({
    address,
    ...security,
    interceptors: [makeGrpcRetryInterceptor(retry), onAnswer(() => (answeredAt = Date.now()))],
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 1_000 },
  });

  async function ask<T>(limitMs: number, call: (service: WorkflowService) => Promise<T>): Promise<T> {
    const answer = connection.withDeadline(Date.now() + limitMs, () => call(connection.workflowService));
    asked.add(answer);
    return answer.finally(() => asked.delete(answer));
  }

  return {
    client: new Client({
      connection,
      namespace,
      dataConverter,
      ...(isTracing() && { interceptors: clientSpans }),
    }),
    lastAnswerAt: () => answeredAt,
    async checkHealth() {
      await ask(HEALTH_TIMEOUT_MS, checkNamespace);
    },
    ask,
    async close() {
      // The next attempt of one that is under way would throw where nobody catches it.
      while (asked.size > 0) await Promise.allSettled(asked);
      await connection.close();
    },
  };
}

function onAnswer(note: () => void): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        next(metadata, {
          onReceiveMessage(message, pass) {
            if (message != null) note(); // null stands for the response that a failed call did not get
            pass(message);
          },
        });
      },
    });
}
