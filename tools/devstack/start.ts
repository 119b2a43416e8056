import type { Connection } from 'mongoose';
import { join } from 'node:path';
import pino from 'pino';
import { startServers, type Servers } from '.';
import { createOutput, secondsSince, type Output } from '../output';
import { messageOf, SetupError } from '../project';
import { requireFreePorts } from './ports';
import { runOnce, startApi, startWorker, type AppOptions } from './app-processes';
import { prepareDataFolder } from './start/data-folder';
import { placeDemoOrder, type Demo, type Running } from './start/demo-order';
import { requireDevelopment } from './start/development-only';
import { nextSteps } from './start/next-steps';
import { portsToOpen, readOptions, type StartOptions } from './start/options';
import { RunFile } from './start/run-file';
import { jwtSecret } from './start/secret';
import { onStopSignal } from './start/signals';
import { Stack } from './start/stack';
import { watchSources } from './start/watch';
import type { TemporalAccess } from './start/workflow-steps';
import { parsePayloadKeys } from '../../src/config/payload-keys';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { createDataKeys } from '../../src/temporal/data-keys/data-keys';
import { createDataKeyRepository } from '../../src/temporal/data-keys/repository';
import { createPayloadCodec } from '../../src/temporal/payload-codec';

const DEFAULT_SHUTDOWN_TIMEOUT_MS = 10_000;

/**
 * `npm start`: runs real servers, the API and a worker in the foreground until Ctrl-C. `npm run dev` adds
 * `--watch`.
 */
async function main(output: Output): Promise<void> {
  const options = readOptions(process.env, process.argv.slice(2));
  requireDevelopment(process.env, options.allowRemoteServers);
  await prepareDataFolder(options.dataFolder);
  const runFile = await RunFile.acquire(options.dataFolder, output);
  const shutdownTimeoutMs = Number(process.env.SHUTDOWN_TIMEOUT_MS) || DEFAULT_SHUTDOWN_TIMEOUT_MS;
  const stack = new Stack(output, runFile, shutdownTimeoutMs);
  const signal: AbortSignal = onStopSignal(output, stack, () => startup);
  const startup = startAll(options, stack, output, signal);
  try {
    await startup;
  } catch (error) {
    if (signal.aborted) return; // it fails because it is being stopped
    await stack.stop();
    throw error;
  }
}

async function startAll(
  options: StartOptions,
  stack: Stack,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const start = Date.now();
  const logFolder = join(options.dataFolder, 'logs');
  await requireFreePorts(portsToOpen(options, process.env));
  const servers = await startServers({
    ...stack.hooks,
    output,
    signal,
    dataFolder: options.dataFolder,
    ports: {
      temporal: options.temporalPort,
      temporalUi: options.temporalUiPort,
      mongodb: options.mongodbPort,
    },
  });
  const app: AppOptions = {
    ...stack.hooks,
    logFolder,
    print: (line) => output.line(line),
    env: {
      ...process.env,
      NODE_ENV: 'development',
      PORT: String(options.port),
      PAYMENT_SANDBOX_URL: options.baseUrl,
      MONGODB_URI: servers.mongodbUri,
      TEMPORAL_ADDRESS: servers.temporalAddress,
      ...(servers.temporalUiUrl ? { TEMPORAL_UI_URL: servers.temporalUiUrl } : {}),
      WORKER_ROLLOUT: process.env.WORKER_ROLLOUT || 'replace', // there is one worker, and its code changes
      WEB_CONCURRENCY: process.env.WEB_CONCURRENCY || '1', // one process is easier to follow, and starts sooner
      WEBHOOK_ALLOWED_NETWORKS: process.env.WEBHOOK_ALLOWED_NETWORKS || '127.0.0.0/8,::1/128', // receivers on this machine
      DATA_DIR: options.dataFolder, // mails are in it
      JWT_SECRET: process.env.JWT_SECRET || (await jwtSecret(options.dataFolder)),
    },
  };
  await runOnce('setup', app, signal);
  await runOnce('seed', app, signal);
  const { metricsPorts } = options;
  const withMetrics = (port: number | undefined): AppOptions =>
    port === undefined ? app : { ...app, env: { ...app.env, METRICS_PORT: String(port) } };
  await Promise.all([
    startApi(options.baseUrl, withMetrics(metricsPorts?.api)),
    startWorker(withMetrics(metricsPorts?.worker)),
  ]);
  output.line(`api and worker: up, ${secondsSince(start)} in total\n`);
  for (const [name, port] of Object.entries(metricsPorts ?? {}))
    output.line(`metrics of ${name}: http://localhost:${port}/metrics`);
  stack.announcePids();
  output.line(`ready ${options.baseUrl}`);
  const mongodb = openMongoDb({ uri: servers.mongodbUri }, pino({ level: 'silent' }));
  await mongodb.connected;
  const temporal = temporalOf(servers, mongodb.connection);
  const running: Running = { baseUrl: options.baseUrl, logFolder, temporal };
  output.line(nextSteps(await demo(running, output), running));
  await mongodb.close();
  if (options.watch) watchSources(stack, output, signal);
}

function temporalOf(
  { temporalAddress, temporalExecutable }: Servers,
  connection: Connection,
): TemporalAccess {
  const namespace = process.env.TEMPORAL_NAMESPACE || 'default';
  const { PAYLOAD_KEYS } = process.env; // the API, which is up by now, has checked them
  const payloadKeys = PAYLOAD_KEYS ? parsePayloadKeys(PAYLOAD_KEYS) : [];
  const dataKeys = createDataKeys({ repository: createDataKeyRepository(connection), payloadKeys });
  const codec = createPayloadCodec(payloadKeys, dataKeys);
  return { address: temporalAddress, namespace, codec, executable: temporalExecutable };
}

/** Places the demo order. Everything is up by now, so a failure is reported and ends nothing. */
async function demo(running: Running, output: Output): Promise<Demo> {
  try {
    return await placeDemoOrder(running, output);
  } catch (error) {
    output.line(`The demo order could not be placed: ${messageOf(error)}`);
    return {};
  }
}

main(createOutput()).catch((error: unknown) => {
  console.error(error instanceof SetupError ? `npm start: ${error.message}` : error);
  process.exit(1);
});
