import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createClient, type Client, type Session } from '../../clients/typescript/src';
import { DEMO_ADMIN, DEMO_CUSTOMER, DEMO_PASSWORD } from '../../src/users/demo-users';
import { startServers, type Servers } from '../devstack';
import { runOnce, startApi, startWorker, type AppOptions } from '../devstack/app-processes';
import type { ManagedProcess } from '../devstack/managed-process';
import { freePorts } from '../devstack/ports';
import type { Output } from '../output';

const HOST = '127.0.0.1';
const STOP_MS = 20_000;
/** Variables that the processes inherit: a developer's other settings would change a run. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'LD_LIBRARY_PATH', 'NO_COLOR'];
/** After how long an order that waits gets 202, and how long a client may wait beyond it. */
const PLACE_MS = 2_000;
const CLIENT_MS = 60_000;

/** A process of ours that can be stopped and started again, also otherwise than before. */
export interface Restartable {
  start(env?: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

/** Real servers, an API and a worker that tell Prometheus of themselves, each of which can be made to fail. */
export interface ObservedStack {
  baseUrl: string;
  temporalAddress: string;
  /** The ports of metrics, by component. */
  metricsPorts: { api: number; worker: number; temporal: number };
  api: Restartable;
  worker: Restartable;
  /** Suspends a server until `thaw`: it keeps its connections and does not respond. */
  freeze(server: 'mongodb' | 'temporal'): void;
  thaw(server: 'mongodb' | 'temporal'): void;
  /** Returns clients of the demo users. */
  signIn(): Promise<{ admin: Client; customer: Client }>;
  stop(): Promise<void>;
}

/** @param folder for logs and data */
export async function startObservedStack(
  folder: string,
  output: Output,
  settings: Record<string, string> = {},
): Promise<ObservedStack> {
  const own = Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
  const [temporal, temporalMetrics, mongodb, port, apiMetrics, workerMetrics] = (await freePorts(6)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const running = new Set<ManagedProcess>();
  let servers: Servers | undefined;
  const stop = async (): Promise<void> => {
    for (const one of servers?.processes ?? []) signal(one, 'SIGCONT');
    for (const one of running) await one.stop(STOP_MS);
    await servers?.stop();
  };
  try {
    const ports = { temporal, temporalMetrics, mongodb };
    servers = await startServers({ env: own, output, dataFolder: folder, ports });
    const { processes, mongodbUri, temporalAddress } = servers;
    const env = {
      ...own,
      NODE_ENV: 'development',
      LOG_LEVEL: 'warn',
      HOST,
      PORT: String(port),
      DATA_DIR: folder,
      WEB_CONCURRENCY: '1',
      MONGODB_URI: mongodbUri,
      TEMPORAL_ADDRESS: temporalAddress,
      JWT_SECRET: randomBytes(48).toString('base64'),
      PAYLOAD_KEYS: `alerts:${randomBytes(32).toString('base64')}`,
      PLACE_ORDER_TIMEOUT_MS: String(PLACE_MS),
      MAX_ORDERS_IN_FLIGHT: '0',
      RATE_LIMIT_MAX: '1000000',
      SIGN_IN_RATE_LIMIT_MAX: '1000000',
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      ...settings,
    };
    const baseUrl = `http://${HOST}:${port}/orders-management-system`;
    const options: AppOptions = { env, logFolder: join(folder, 'logs'), print: () => undefined };
    const restartable = (
      metricsPort: number,
      startOne: (some: AppOptions) => Promise<ManagedProcess>,
    ): Restartable => {
      let current: ManagedProcess | undefined;
      return {
        async start(extra) {
          const full = { ...env, METRICS_PORT: String(metricsPort), ...extra };
          const register = (one: ManagedProcess): void => void running.add((current = one));
          await startOne({ ...options, env: full, register });
        },
        async stop() {
          await current?.stop(STOP_MS);
          if (current) running.delete(current);
        },
      };
    };
    await runOnce('setup', options, new AbortController().signal);
    await runOnce('seed', options, new AbortController().signal);
    const api = restartable(apiMetrics, (some) => startApi(baseUrl, some));
    const worker = restartable(workerMetrics, startWorker);
    await Promise.all([api.start(), worker.start()]);
    const find = (name: string): ManagedProcess => processes.find((one) => one.name === name)!;
    return {
      baseUrl,
      temporalAddress,
      metricsPorts: { api: apiMetrics, worker: workerMetrics, temporal: temporalMetrics },
      api,
      worker,
      freeze: (server) => signal(find(server), 'SIGSTOP'),
      thaw: (server) => signal(find(server), 'SIGCONT'),
      signIn: () => signIn(baseUrl),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function signal({ pid }: ManagedProcess, name: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(pid, name);
}

async function signIn(baseUrl: string): Promise<{ admin: Client; customer: Client }> {
  const clientOf = async (email: string): Promise<Client> => {
    const { data } = await createClient({ baseUrl, timeoutMs: CLIENT_MS }).login({
      body: { email, password: DEMO_PASSWORD },
    });
    return createClient({ baseUrl, tokens: data as Session, timeoutMs: CLIENT_MS });
  };
  const [admin, customer] = await Promise.all([clientOf(DEMO_ADMIN), clientOf(DEMO_CUSTOMER)]);
  return { admin, customer };
}
