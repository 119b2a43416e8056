import type { RuntimeOptions } from '@temporalio/worker';
import { createServer, type AddressInfo } from 'node:net';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../config';
import { VERSION } from '../config/version';
import { createAuditFindingRepository } from '../orders-audit/findings.repository';
import { createFindingRepository } from '../payments/findings/findings.repository';
import { createMetrics, metricsAnswer } from '../telemetry/metrics';
import { measurePool } from '../telemetry/pool-metrics';
import { measureProcess } from '../telemetry/process-metrics';
import { startTelemetryServer, type Endpoint } from '../telemetry/server';
import { measureSystem } from '../telemetry/system-metrics';
import { createSystemStateRepository } from '../telemetry/system-state.repository';
import { createWorkerMetrics, type WorkerMetrics } from '../telemetry/worker-metrics';
import { buildIdOf } from '../versions/bundle';

export interface WorkerTelemetry {
  metrics: WorkerMetrics;
  /** What the SDK needs to measure itself. */
  runtime: NonNullable<RuntimeOptions['telemetryOptions']>['metrics'];
  /** Measures what the worker uses as well. */
  measure(uses: { connection: Connection }): void;
  close(): Promise<void>;
}

interface TelemetryDeps {
  /** The path of the workflow bundle. */
  bundle: string;
  logger: Logger;
  endpoints: Readonly<Record<string, Endpoint>>;
}

/** How long the SDK may take to tell its metrics, in milliseconds; without an answer, those of the worker are told alone. */
const SDK_MS = 1_000;

/**
 * Begins to measure a worker process, and serves the metrics; undefined if that is off.
 * @param deps.endpoints what else is served there
 */
export async function startWorkerTelemetry(
  config: WorkerConfig,
  { bundle, logger, endpoints: more }: TelemetryDeps,
): Promise<WorkerTelemetry | undefined> {
  const { metrics: address } = config.telemetry;
  if (!address) return undefined;
  const { meter, text } = await createMetrics();
  measureProcess(meter, { version: VERSION, buildId: config.versions.buildId ?? (await buildIdOf(bundle)) });
  const sdkAddress = `127.0.0.1:${await freePort()}`;
  const endpoints = {
    ...more,
    '/metrics': async () => metricsAnswer((await Promise.all([text(), textOfSdk(sdkAddress)])).join('')),
  };
  const server = await startTelemetryServer({ ...address, logger, endpoints });
  logger.info({ url: `${server.url}/metrics` }, 'metrics served');
  return {
    metrics: createWorkerMetrics(meter),
    runtime: {
      attachServiceName: false,
      prometheus: {
        bindAddress: sdkAddress,
        useSecondsForDurations: true,
      },
    },
    measure({ connection }) {
      measurePool(meter, connection);
      if (config.worker.queues.includes('events'))
        measureSystem(meter, {
          state: createSystemStateRepository(connection),
          findings: createFindingRepository(connection),
          damage: createAuditFindingRepository(connection),
        });
    },
    close: () => server.close(0),
  };
}

/** The SDK serves its own metrics, on a port that only this machine reaches. */
async function textOfSdk(address: string): Promise<string> {
  try {
    const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(SDK_MS) });
    return response.ok ? await response.text() : '';
  } catch {
    return ''; // it has not begun yet, or has ended
  }
}

/** The SDK does not tell which port it was given, so it has to be told one. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
