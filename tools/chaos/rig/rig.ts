import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mongo } from 'mongoose';
import { entry, runOnce } from '../../devstack/app-processes';
import { findExecutable } from '../../devstack/binaries/find';
import { MONGODB, TEMPORAL } from '../../devstack/binaries/tools';
import { freePorts } from '../../devstack/ports';
import { temporalArgs, waitForNamespace } from '../../devstack/temporal';
import { HANG_MS, until } from '../../devstack/until';
import type { Output } from '../../output';
import { createOwnedFolder, removeFolder } from '../../owned-folder';
import { SetupError } from '../../project';
import { createNetwork, type Network } from '../network';
import { startReplicaSet, type ReplicaSet } from './replica-set';
import { createDeaths } from './deaths';
import { mountDisk, type Disk } from './disk';
import { createUnit, type OwnedUnit, type Unit, type UnitOptions } from './unit';

export const APIS = ['api-1', 'api-2'] as const;
/** The workers, with the queues that they serve. */
export const WORKERS: Readonly<Record<string, string>> = {
  'worker-1': 'orders,events',
  'worker-2': 'orders,events',
  'worker-3': 'payments',
};
/** Two for each queue, so that one works while the other does not. */
export const WORKERS_IN_PAIRS: typeof WORKERS = { ...WORKERS, 'worker-4': 'payments' };
const HOST = '127.0.0.1';
const PREFIX = '/orders-management-system';
const NAMESPACE = 'default';
const PROBE_MS = 5_000;
const SETUP_MS = 120_000;
/** Variables that the processes inherit: a developer's other settings would change a run. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH'];
const SETTINGS = {
  NODE_ENV: 'test', // production takes payments of Stripe, mail and https, which nothing here is
  LOG_LEVEL: 'info',
  PAYMENT_PROVIDER: 'sandbox',
  WEB_CONCURRENCY: '1',
  ACCESS_TOKEN_TTL_SECONDS: '86400',
  // All requests come from one address, and from few users.
  RATE_LIMIT_MAX: '1000000000',
  SIGN_IN_RATE_LIMIT_MAX: '1000000000',
  MAX_DECLINES_PER_USER: '0',
  MAX_DECLINES_PER_ADDRESS: '0',
  MAX_DECLINES_PER_STAFF: '0',
  // An order whose card was declined is rejected at once.
  PAYMENT_RETRY_WINDOW: '0',
};

/** A whole system of real processes, whose every connection can be disturbed. */
export interface Rig {
  network: Network;
  replicaSet: ReplicaSet;
  /** All processes, by name: `api-1`, `worker-1`, `mongodb-1`, `temporal` and so on. */
  units: ReadonlyMap<string, Unit>;
  /** The base URLs of the APIs, behind their proxies, by the names of the processes. */
  apis: ReadonlyMap<string, string>;
  /** Addresses for those who judge: no fault reaches them. */
  mongodbUri: string;
  temporalAddress: string;
  namespace: string;
  folder: string;
  logFolder: string;
  /** The disks of MongoDB's nodes and of Temporal, by their names, if they have disks of their own. */
  disks: ReadonlyMap<string, Disk>;
  /** Processes that died though nobody ended them, and may not. */
  readonly deaths: readonly string[];
  /** How many workers have died of having been frozen in the middle of workflow code. */
  readonly deathsOfFreezes: number;
  /** Ends all faults: every link is open, and every process runs. */
  heal(): Promise<void>;
  /** Waits until every process does its work, of one kind only if it is named. */
  ready(kind?: 'api' | 'worker'): Promise<void>;
  /** What a person's commands need to reach the servers, which no fault keeps them from. */
  env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

export interface RigOptions {
  output: Output;
  /** Settings of all processes. */
  env?: NodeJS.ProcessEnv;
  /** Settings of one process, by its name. */
  envOf?: Readonly<Record<string, NodeJS.ProcessEnv>>;
  /** Dynamic configuration of Temporal, such as `limit.historyCount.suggestContinueAsNew=20`. */
  temporalConfig?: readonly string[];
  workers?: typeof WORKERS;
  /** MongoDB's own default is 10 s. */
  electionTimeoutMs?: number;
  /** Gives each node of MongoDB and Temporal a disk of its own of this size, in megabytes. */
  diskMb?: number;
  /** Is told where the logs are if it cannot be started, before they are removed. */
  onFailure?(logFolder: string): Promise<void>;
  /** Whether a process may die of what is done to it; it is started again as any other. */
  mayDie?(name: string): boolean;
  signal: AbortSignal;
}

export async function startRig(options: RigOptions): Promise<Rig> {
  const { output, env = {}, envOf = {}, temporalConfig = [] } = options;
  const { workers = WORKERS, electionTimeoutMs = 10_000, diskMb, mayDie = () => false, signal } = options;
  const folder = await createOwnedFolder(tmpdir(), 'orders-chaos-');
  const logFolder = join(folder, 'logs');
  await mkdir(logFolder);
  const network = createNetwork();
  const units = new Map<string, OwnedUnit>();
  const deaths = createDeaths();
  const onDeath: UnitOptions['onDeath'] = (death) => {
    if (!mayDie(death.name)) deaths.note(death);
  };
  const disks = new Map<string, Disk>();
  const onFolder = async (name: string, place: string): Promise<void> => {
    if (diskMb !== undefined) disks.set(name, await mountDisk(place, diskMb));
  };
  const register = (unit: OwnedUnit): void => void units.set(unit.name, unit);
  const stop = async (): Promise<void> => {
    network.heal();
    // What depends on others ends first, so that it can finish what it does.
    for (const kind of ['api', 'worker', 'temporal', 'mongodb'])
      await Promise.all(
        [...units.values()].filter(({ name }) => name.startsWith(kind)).map((one) => one.stop()),
      );
    await network.close();
    for (const disk of disks.values()) await disk.unmount();
    await removeFolder(folder);
  };
  try {
    const find = { env: process.env, output };
    const mongod = await findExecutable(MONGODB, find);
    const temporal = await findExecutable(TEMPORAL, find);
    const own = { folder, logFolder, network, onDeath, register, onFolder };
    const [replicaSet, temporalPort] = await Promise.all([
      startReplicaSet({ executable: mongod, electionTimeoutMs, signal, ...own }),
      startTemporal(temporal, { config: temporalConfig, ...own }),
    ]);
    const temporalAddress = `${HOST}:${temporalPort}`;
    output.line('MongoDB and Temporal are up');
    const base: NodeJS.ProcessEnv = {
      ...Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]])),
      ...SETTINGS,
      HOST,
      API_PREFIX: PREFIX,
      DATA_DIR: folder,
      JWT_SECRET: randomBytes(48).toString('base64'),
      PAYLOAD_KEYS: `chaos:${randomBytes(32).toString('base64')}`,
      ...env,
    };
    const envFor = async (name: string): Promise<NodeJS.ProcessEnv> => ({
      ...base,
      ...envOf[name],
      MONGODB_URI: replicaSet.uriFor(name),
      TEMPORAL_ADDRESS: `${HOST}:${await network.open({ from: name, to: 'temporal', port: temporalPort, wire: 'grpc' })}`,
    });
    for (const name of ['setup', 'seed']) {
      const env = await envFor(name);
      // On a machine that is busy it may time out, and is then repeated, as an operator would.
      await until(
        SETUP_MS,
        () => runOnce(name, { logFolder, print: () => undefined, env }, signal).then(() => true),
        (error) => (error instanceof Error ? error : new SetupError(String(error))),
        () => signal.throwIfAborted(),
      );
    }
    await withoutCatalogue(replicaSet.uriFor('rig'));
    const apis = new Map<string, string>();
    const ownUrls: string[] = [];
    const apiPorts = await freePorts(APIS.length);
    for (const [index, name] of APIS.entries()) {
      const port = apiPorts[index]!;
      const proxied = await network.open({ from: 'clients', to: name, port, wire: 'bytes' });
      apis.set(name, `http://${HOST}:${proxied}${PREFIX}`);
      ownUrls.push(`http://${HOST}:${port}${PREFIX}`);
      register(appUnit(name, 'server', { ...(await envFor(name)), PORT: String(port) }));
    }
    const started = new Set<string>();
    for (const [name, queues] of Object.entries(workers)) {
      register(
        appUnit(
          name,
          'worker',
          { ...(await envFor(name)), WORKER_QUEUES: queues },
          {
            onStart: () => void started.delete(name),
            onLine(line) {
              deaths.read(name, line);
              if (line.includes('"worker started"')) started.add(name);
            },
          },
        ),
      );
    }
    function appUnit(
      name: string,
      file: string,
      env: NodeJS.ProcessEnv,
      listeners: Pick<UnitOptions, 'onStart' | 'onLine'> = {},
    ): OwnedUnit {
      const logFile = join(logFolder, `${name}.log`);
      return createUnit({
        name,
        command: process.execPath,
        args: [entry(file)],
        env,
        logFile,
        ...listeners,
        onDeath,
      });
    }
    const rig: Rig = {
      network,
      replicaSet,
      units,
      apis,
      mongodbUri: replicaSet.uriFor('rig'),
      temporalAddress,
      namespace: NAMESPACE,
      folder,
      logFolder,
      disks,
      get deaths() {
        return deaths.faults();
      },
      get deathsOfFreezes() {
        return deaths.ofFreezes();
      },
      async heal() {
        network.heal();
        for (const disk of disks.values()) await disk.empty();
        for (const unit of units.values()) {
          unit.thaw();
          await unit.start();
        }
      },
      env: { ...base, MONGODB_URI: replicaSet.uriFor('rig'), TEMPORAL_ADDRESS: temporalAddress },
      async ready(kind) {
        for (const url of kind === 'worker' ? [] : ownUrls)
          await until(
            HANG_MS,
            () => probe(`${url}/health/ready`),
            (error) => new SetupError(`${url} is not ready: ${String(error)}; see ${logFolder}`),
            () => signal.throwIfAborted(),
          );
        await until(
          HANG_MS,
          async () => kind === 'api' || started.size === Object.keys(workers).length || undefined,
          () => new SetupError(`Not all workers poll, only ${[...started].join()}; see ${logFolder}`),
          () => signal.throwIfAborted(),
        );
        await replicaSet.inSync();
      },
      stop,
    };
    for (const unit of units.values()) await unit.start();
    await rig.ready();
    output.line(`${APIS.length} APIs and ${Object.keys(workers).length} workers are ready`);
    return rig;
  } catch (error) {
    if (!signal.aborted) await options.onFailure?.(logFolder).catch(() => undefined);
    await stop();
    throw error;
  }
}

/** The demo users are wanted, and the demo products are not: nothing tells where their stock has come from. */
async function withoutCatalogue(mongodbUri: string): Promise<void> {
  const client = new mongo.MongoClient(mongodbUri);
  try {
    await client.db().collection('product_services').deleteMany({});
  } finally {
    await client.close();
  }
}

async function startTemporal(
  executable: string,
  {
    folder,
    logFolder,
    config,
    onDeath,
    register,
    onFolder,
  }: {
    folder: string;
    logFolder: string;
    config: readonly string[];
    onDeath: UnitOptions['onDeath'];
    register: (unit: OwnedUnit) => void;
    onFolder: (name: string, folder: string) => Promise<void>;
  },
): Promise<number> {
  const [port] = (await freePorts(1)) as [number];
  const place = join(folder, 'temporal');
  await mkdir(place);
  await onFolder('temporal', place);
  const unit = createUnit({
    name: 'temporal',
    command: executable,
    args: [
      ...temporalArgs({ port, dbFilename: join(place, 'temporal.db') }, NAMESPACE),
      ...config.flatMap((value) => ['--dynamic-config-value', value]),
    ],
    logFile: join(logFolder, 'temporal.log'),
    onDeath,
  });
  register(unit);
  await unit.start();
  await waitForNamespace(`${HOST}:${port}`, NAMESPACE, () => undefined);
  return port;
}

async function probe(url: string): Promise<true> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS) });
  if (response.ok) return true;
  throw new Error(`${response.status} ${(await response.text()).slice(0, 500)}`);
}
