import { randomBytes } from 'node:crypto';
import type { Output } from '../output';
import { startServers, type Servers } from '.';
import { runOnce, startApi, startWorker, type AppOptions } from './app-processes';
import type { ManagedProcess } from './managed-process';
import { freePorts } from './ports';

const HOST = '127.0.0.1';
const STOP_MS = 20_000;
/** Variables that the processes inherit: a developer's other settings would change a run. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'LD_LIBRARY_PATH', 'NO_COLOR'];
const SETTINGS = {
  NODE_ENV: 'development',
  LOG_LEVEL: 'warn',
  PAYMENT_PROVIDER: 'sandbox',
  ACCESS_TOKEN_TTL_SECONDS: '86400',
  MAX_ORDERS_IN_FLIGHT: '0',
  RATE_LIMIT_MAX: '1000000000',
  // All requests come from one address.
  SIGN_IN_RATE_LIMIT_MAX: '1000000000',
  MAX_LOGIN_FAILURES_PER_ADDRESS: '0',
  MAX_REGISTRATIONS_PER_ADDRESS: '0',
  // The same few users have many payments declined.
  MAX_DECLINES_PER_USER: '0',
  MAX_DECLINES_PER_ADDRESS: '0',
  MAX_DECLINES_PER_STAFF: '0',
  PLACE_ORDER_TIMEOUT_MS: '1000', // an order that waits for its payment gets its 202 sooner
};

export interface RunningStack {
  baseUrl: string;
  mongodbUri: string;
  /** Processes that died, and how. */
  deaths: string[];
  stop(): Promise<void>;
}

/** Starts servers on free ports, the API and a worker, with the demo data, for programs that try the API. */
export async function startDemoStack(
  logFolder: string,
  output: Output,
  signal: AbortSignal,
): Promise<RunningStack> {
  const own = Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
  const apps: ManagedProcess[] = [];
  const deaths: string[] = [];
  let servers: Servers | undefined;
  const stop = async (): Promise<void> => {
    for (const app of apps) await app.stop(STOP_MS);
    await servers?.stop();
  };
  const onDeath = (name: string, how: string): void => void deaths.push(`${name} ${how}`);
  try {
    servers = await startServers({ env: own, output, signal, onDeath });
    const [port] = await freePorts(1);
    const app: AppOptions = {
      logFolder,
      onDeath,
      register: (one) => void apps.push(one),
      print: () => undefined, // clients that try everything provoke many warnings, which are in the log
      env: {
        ...own,
        ...SETTINGS,
        HOST,
        DATA_DIR: logFolder,
        PORT: String(port),
        MONGODB_URI: servers.mongodbUri,
        TEMPORAL_ADDRESS: servers.temporalAddress,
        WEB_CONCURRENCY: '1',
        JWT_SECRET: randomBytes(48).toString('base64'),
      },
    };
    const baseUrl = `http://${HOST}:${port}/orders-management-system`;
    await runOnce('setup', app, signal);
    await runOnce('seed', app, signal);
    await Promise.all([startApi(baseUrl, app), startWorker(app)]);
    return { baseUrl, mongodbUri: servers.mongodbUri, deaths, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
