import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ManagedProcess } from '../devstack/managed-process';
import { freePorts } from '../devstack/ports';
import { HANG_MS, until } from '../devstack/until';
import { SetupError } from '../project';
import { shortenedRules } from './shortened-rules';

const STOP_MS = 10_000;
/** An hour is three minutes; for objectives, whose windows have days, it is a minute. */
const SHORTER = { 'alerts.yml': 20, 'slos.yml': 60 };

export interface PrometheusServer {
  /** The names of the alerts that are firing. */
  firing(): Promise<Set<string>>;
  stop(): Promise<void>;
}

/** Starts Prometheus with the rules of the chart, with shorter windows. @param metricsPorts by component */
export async function startPrometheus(
  executable: string,
  folder: string,
  { temporal, ...ours }: Record<string, number>,
): Promise<PrometheusServer> {
  await mkdir(folder, { recursive: true });
  for (const [name, factor] of Object.entries(SHORTER))
    await writeFile(join(folder, name), shortenedRules(name, factor));
  const targets = Object.entries(ours).map(([component, port]) => ({
    targets: [`127.0.0.1:${port}`],
    labels: { component },
  }));
  const configuration = join(folder, 'prometheus.yml');
  const [port] = await freePorts(1);
  await writeFile(
    configuration,
    stringify({
      global: { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '1s' },
      rule_files: Object.keys(SHORTER),
      scrape_configs: [
        { job_name: 'orders-management-system', static_configs: targets },
        { job_name: 'temporal', static_configs: [{ targets: [`127.0.0.1:${temporal}`] }] },
      ],
    }),
  );
  const server = new ManagedProcess({
    name: 'prometheus',
    command: executable,
    args: [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    logFile: join(folder, 'prometheus.log'),
  });
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return ((await response.json()) as { data: T }).data;
  };
  const isReady = async (): Promise<true | undefined> =>
    (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok || undefined;
  await server.start();
  await until(HANG_MS, isReady, () => new SetupError(`Prometheus is not ready (log: ${server.logFile}).`));
  return {
    async firing() {
      const { alerts } = await ask<{ alerts: { state: string; labels: { alertname: string } }[] }>('alerts');
      return new Set(alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname));
    },
    stop: async () => void (await server.stop(STOP_MS)),
  };
}
