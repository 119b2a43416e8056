import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServers } from '../../tools/devstack';
import type { ManagedProcess } from '../../tools/devstack/managed-process';
import { freePorts } from '../../tools/devstack/ports';
import { runOnce, startApi, startWorker } from '../../tools/devstack/app-processes';
import { JWT_SECRET } from './config';

/** All processes as they are run for real, with a folder of their own that keeps what they write. */
export interface WholeSystem {
  baseUrl: string;
  mongodbUri: string;
  temporalAddress: string;
  /** Of Temporal's web UI, when it was asked for. */
  temporalUiUrl?: string;
  /** A log file of each process. */
  logFolder: string;
  /** Temporal's database is here, `temporal.db`. */
  folder: string;
  /** Ends all processes, so that everything is written. */
  stop(): Promise<void>;
  remove(): Promise<void>;
}

const STOP_MS = 30_000;

/** @param options with Temporal's web UI, or without */
export async function startWholeSystem(
  extra: NodeJS.ProcessEnv,
  { withUi = false } = {},
): Promise<WholeSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'orders-whole-'));
  const logFolder = join(folder, 'logs');
  // The servers of the test run are other tests' too, and keep nothing.
  const { MONGODB_URI: _mongodb, TEMPORAL_ADDRESS: _temporal, ...inherited } = process.env;
  const [temporal, mongodb, temporalUi] = (await freePorts(3)) as [number, number, number];
  const ports = { temporal, mongodb, ...(withUi && { temporalUi }) };
  const servers = await startServers({ env: inherited, dataFolder: folder, ports });
  const started: ManagedProcess[] = [];
  const stop = async () => {
    for (const app of started.splice(0).reverse()) await app.stop(STOP_MS);
    await servers.stop();
  };
  const [port] = await freePorts(1);
  const baseUrl = `http://127.0.0.1:${port}/orders-management-system`;
  const env = {
    ...inherited,
    NODE_ENV: 'test',
    WEB_CONCURRENCY: '1',
    PORT: String(port),
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
    await Promise.all([startApi(baseUrl, options), startWorker(options)]);
  } catch (error) {
    await stop();
    throw error;
  }
  const { mongodbUri, temporalAddress, temporalUiUrl } = servers;
  const remove = () => rm(folder, { recursive: true, force: true });
  return { baseUrl, mongodbUri, temporalAddress, temporalUiUrl, logFolder, folder, stop, remove };
}
