import cluster from 'node:cluster';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { answerCollector } from './cluster/collect';
import type { Config } from './config';
import { VERSION } from './config/version';
import type { Admission } from './orders/admission';
import { createApiMetrics, measureAdmission, type ApiMetrics } from './telemetry/api-metrics';
import { measureBacklog } from './telemetry/backlog-metrics';
import { createMetrics, metricsAnswer, type Metrics } from './telemetry/metrics';
import { measurePool } from './telemetry/pool-metrics';
import { measureProcess } from './telemetry/process-metrics';
import { startTelemetryServer } from './telemetry/server';
import type { TemporalClient } from './temporal/client';
import { waitingPasswords } from './users/passwords/password';

export interface ApiUses {
  connection: Connection;
  temporal: Pick<TemporalClient, 'ask'>;
  admission: Pick<Admission, 'active' | 'limit'>;
}

export interface ApiTelemetry {
  metrics: ApiMetrics;
  /** Measures what the API uses as well. */
  measure(uses: ApiUses): void;
  close(): Promise<void>;
}

/** Begins to measure an API process, and serves the metrics, or has its primary do so; undefined if that is off. */
export async function startApiTelemetry(config: Config, logger: Logger): Promise<ApiTelemetry | undefined> {
  const { metrics: address } = config.telemetry;
  if (!address) return undefined;
  const metrics = await createMetrics();
  const { meter } = metrics;
  measureProcess(meter, { version: VERSION });
  meter
    .createObservableGauge('password_hash_queue', {
      description: 'Passwords that wait to be hashed or checked',
    })
    .addCallback((result) => result.observe(waitingPasswords()));
  const server = await serve(metrics, address, logger);
  return {
    metrics: createApiMetrics(meter),
    measure({ connection, temporal, admission }) {
      measureAdmission(meter, admission);
      measurePool(meter, connection);
      measureBacklog(meter, config.temporal, temporal);
    },
    close: async () => server?.close(0),
  };
}

async function serve({ text }: Metrics, address: { host: string; port: number }, logger: Logger) {
  if (cluster.isWorker) return answerCollector(process, text);
  const endpoints = { '/metrics': async () => metricsAnswer(await text()) };
  const server = await startTelemetryServer({ ...address, logger, endpoints });
  logger.info({ url: `${server.url}/metrics` }, 'metrics served');
  return server;
}
