import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import type { DataConverter } from '@temporalio/common';
import type { Config } from '../config';

export interface TemporalClient {
  client: Client;
  /** When the server last answered any call, milliseconds since the epoch; 0: never. */
  lastAnswerAt(): number;
  /** @throws when the server does not answer for the namespace */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}

/** A server that is down must be known well before the caller's patience ends: about 1 s instead of the SDK's 20. */
const retry = defaultGrpcRetryOptions({ maxAttempts: 4, initialIntervalMs: () => 100 });

/** Connects on the first call, and again whenever the server comes back; never fails because it is down at boot. */
export function createTemporalClient(
  { address, namespace, security }: Config['temporal'],
  dataConverter: DataConverter,
): TemporalClient {
  let answeredAt = 0;
  const connection = Connection.lazy({
    address,
    ...security,
    interceptors: [makeGrpcRetryInterceptor(retry), onAnswer(() => (answeredAt = Date.now()))],
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 1_000 },
  });
  return {
    client: new Client({ connection, namespace, dataConverter }),
    lastAnswerAt: () => answeredAt,
    checkHealth: async () => void (await connection.workflowService.describeNamespace({ namespace })),
    close: () => connection.close(),
  };
}

function onAnswer(note: () => void): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        next(metadata, {
          onReceiveMessage(message, pass) {
            if (message != null) note(); // null stands for the answer that a failed call did not get
            pass(message);
          },
        });
      },
    });
}
