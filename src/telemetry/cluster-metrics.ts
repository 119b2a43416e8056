import type { Logger } from 'pino';
import type { HttpServer } from '../http/server';
import { VERSION } from '../config/version';
import { mergeTexts, type ProcessText } from './merge';
import { createMetrics, metricsAnswer } from './metrics';
import { measureProcess } from './process-metrics';
import { startTelemetryServer } from './server';
import { collectFrom } from '../cluster/collect';
import type { Supervisor } from '../cluster/supervisor';

/** How long an API process may take to tell its metrics, in milliseconds; without an answer, those of the others are told. */
const COLLECT_MS = 2_500;

export interface ClusterMetricsDeps {
  /** The number of API processes. */
  count: number;
  supervisor: Pick<Supervisor, 'processes'>;
  logger: Logger;
}

/** Serves the metrics of the API processes and of this one, which supervises them, each with the label `process`. */
export async function serveClusterMetrics(
  { host, port }: { host: string; port: number },
  { count, supervisor, logger }: ClusterMetricsDeps,
): Promise<HttpServer> {
  const own = await createMetrics();
  measureProcess(own.meter, { version: VERSION });
  const numbers = Array.from({ length: count }, (_, n) => n + 1);

  async function collect(number: number): Promise<ProcessText[]> {
    const worker = supervisor.processes().get(number);
    const text = worker && (await collectFrom(worker, COLLECT_MS));
    const process = String(number);
    return [
      ...(text === undefined ? [] : [{ process, text }]),
      { process, text: upText(text !== undefined) },
    ];
  }

  async function all(): Promise<string> {
    const [primary, ...others] = await Promise.all([
      own.text().then((text) => [{ process: 'primary', text }]),
      ...numbers.map(collect),
    ]);
    return mergeTexts([...primary, ...others.flat()]);
  }

  let running: Promise<string> | undefined;

  /** However many ask, each process is asked by one of them at a time. */
  function shared(): Promise<string> {
    running ??= all().finally(() => (running = undefined));
    return running;
  }

  const endpoints = { '/metrics': async () => metricsAnswer(await shared()) };
  const server = await startTelemetryServer({ host, port, logger, endpoints });
  logger.info({ url: `${server.url}/metrics` }, 'metrics served');
  return server;
}

function upText(isUp: boolean): string {
  return (
    '# HELP api_process_up Whether an API process of the cluster has told its metrics\n' +
    `# TYPE api_process_up gauge\napi_process_up ${Number(isUp)}\n`
  );
}
