import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServers } from '../../tools/devstack';
import type { ManagedProcess } from '../../tools/devstack/managed-process';
import { freePorts } from '../../tools/devstack/ports';
import { runOnce, startApi, startWorker } from '../../tools/devstack/app-processes';
import { JWT_SECRET } from './config';
import { HANG_MS } from './eventually';

/** All processes as in production, with a folder for everything they write. */
export interface WholeSystem {
  baseUrl: string;
  mongodbUri: string;
  temporalAddress: string;
  /** The URL of Temporal's web UI, if it was started. */
  temporalUiUrl?: string;
  /** The folder with a log file per process. */
  logFolder: string;
  /** The folder with Temporal's database, `temporal.db`. */
  folder: string;
  /** Stops all processes, so that they have written everything. */
  stop(): Promise<void>;
  remove(): Promise<void>;
}

export interface WholeSystemOptions {
  /** Whether to start Temporal's web UI. */
  withUi?: boolean;
  /** Variables of one process alone. */
  api?: NodeJS.ProcessEnv;
  worker?: NodeJS.ProcessEnv;
}

/** @param extra additional environment variables of all processes */
export async function startWholeSystem(
  extra: NodeJS.ProcessEnv,
  { withUi = false, api = {}, worker = {} }: WholeSystemOptions = {},
): Promise<WholeSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'orders-whole-'));
  const logFolder = join(folder, 'logs');
  // The servers of the test run are shared with other tests and keep no data.
  const { MONGODB_URI: _mongodb, TEMPORAL_ADDRESS: _temporal, ...inherited } = process.env;
  const [temporal, mongodb, temporalUi] = (await freePorts(3)) as [number, number, number];
  const ports = { temporal, mongodb, ...(withUi && { temporalUi }) };
  const servers = await startServers({ env: inherited, dataFolder: folder, ports });
  const started: ManagedProcess[] = [];
  const stop = async () => {
    for (const app of started.splice(0).reverse()) await app.stop(HANG_MS);
    await servers.stop();
  };
  const [port] = await freePorts(1);
  const baseUrl = `http://127.0.0.1:${port}/orders-management-system`;
  const env = {
    ...inherited,
    NODE_ENV: 'test',
    WEB_CONCURRENCY: '1',
    PORT: String(port),
    DATA_DIR: folder,
    JWT_SECRET,
    MONGODB_URI: servers.mongodbUri,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    ...(withUi && { TEMPORAL_UI_URL: servers.temporalUiUrl }),
    ...extra,
  };
  const register = (one: ManagedProcess) => void started.push(one);
  const options = { env, logFolder, register, print: () => undefined };
  try {
    await runOnce('setup', options, new AbortController().signal);
    await Promise.all([
      startApi(baseUrl, { ...options, env: { ...env, ...api } }),
      startWorker({ ...options, env: { ...env, ...worker } }),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  const { mongodbUri, temporalAddress, temporalUiUrl } = servers;
  const remove = () => rm(folder, { recursive: true, force: true });
  return { baseUrl, mongodbUri, temporalAddress, temporalUiUrl, logFolder, folder, stop, remove };
}
