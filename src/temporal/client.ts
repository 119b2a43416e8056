import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { Config } from '../config/config';

export interface TemporalClient {
  client: Client;
  /** @throws when the server does not answer for the namespace */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}

/** A server that is down must be known well before the caller's patience ends: about 1 s instead of the SDK's 20. */
const retry = defaultGrpcRetryOptions({ maxAttempts: 4, initialIntervalMs: () => 100 });

/** Connects on the first call, and again whenever the server comes back; never fails because it is down at boot. */
export function createTemporalClient({ address, namespace }: Config['temporal']): TemporalClient {
  const connection = Connection.lazy({
    address,
    interceptors: [makeGrpcRetryInterceptor(retry)],
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 1_000 },
  });
  return {
    client: new Client({ connection, namespace }),
    checkHealth: async () => void (await connection.workflowService.describeNamespace({ namespace })),
    close: () => connection.close(),
  };
}
