import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import mongoose from 'mongoose';
import { startServers } from '../../tools/devstack';
import type { ManagedProcess } from '../../tools/devstack/managed-process';
import type { Output } from '../../tools/output';
import { freePorts } from '../../tools/devstack/ports';
import { PROJECT_ROOT } from '../../tools/project';
import { startServer } from '../../tools/devstack/server-process';
import { startTemporalOnPostgresql } from '../../tools/temporal-server';
import { until } from '../../tools/devstack/until';
import { runOnce, startApi, startWorker } from '../../tools/devstack/app-processes';
import { newId } from '../../src/common/ids';
import { loadConfig } from '../../src/config';
import { createJwt } from '../../src/jwt/jwt';
import { createProductServiceRepository } from '../../src/product-service/product-service.repository';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract';
import { environmentOf, PREFIX, UNLIMITED } from './environment';
import { createHttpClient, type Call } from './load';

const STOP_MS = 20_000;
const SETUP_MS = 120_000;
const READY_MS = 120_000;
/** Units of each product, more than can be ordered. */
export const STOCK = 1_000_000_000;

/** Where Temporal keeps its data: the development server in a file or in memory, a server of its own in PostgreSQL. */
export type Storage = 'file' | 'memory' | 'postgresql';

/** Real servers, and the processes of ours and of the variants that a scenario starts. */
export type System = Awaited<ReturnType<typeof openSystem>>;

export interface RunningApp {
  process: ManagedProcess;
  url: string;
}

/** @throws {SetupError} where the storage cannot be had */
export async function openSystem(output: Output, storage: Storage = 'file') {
  const folder = await mkdtemp(join(tmpdir(), 'orders-management-system-bench-'));
  const own =
    storage === 'postgresql'
      ? await startTemporalOnPostgresql({ folder, env: process.env, output })
      : undefined;
  const servers = await startServers({
    output,
    dataFolder: storage === 'memory' ? undefined : folder,
    env: { ...process.env, ...(own && { TEMPORAL_ADDRESS: own.address }) },
  });
  const env: NodeJS.ProcessEnv = {
    ...environmentOf(servers),
    ...UNLIMITED,
    MAX_ORDERS_IN_FLIGHT: '0',
    PLACE_ORDER_TIMEOUT_MS: '60000',
    ORDER_COMMAND_TIMEOUT_MS: '60000',
  };
  const options = { logFolder: folder, print: output.line, env };
  await runOnce('setup', options, AbortSignal.timeout(SETUP_MS));
  const temporal = await Connection.connect({ address: servers.temporalAddress });
  /** Counts the workflows that a query of Temporal finds. */
  async function countWorkflows(query: string): Promise<number> {
    const { count } = await temporal.workflowService.countWorkflowExecutions({ namespace: 'default', query });
    return Number(count);
  }
  await until(
    SETUP_MS,
    () => countWorkflows(`${SEARCH_ATTRIBUTES.orderStatus.name} = 'pending'`),
    (error) => new Error(`Temporal does not know the search attributes: ${String(error)}`),
  );
  const database = await mongoose.createConnection(servers.mongodbUri, { dbName: 'orders' }).asPromise();
  const products = createProductServiceRepository(database);
  const jwt = createJwt(loadConfig('api', env).jwt);
  const http = createHttpClient();
  const started = new Set<ManagedProcess>();
  const customerId = newId('usr');
  const claims = { id: customerId, tokenVersion: 0, sessionId: 'bench' };
  const headers = (role: 'CUSTOMER' | 'ADMIN') => ({
    Authorization: `Bearer ${jwt.issue({ ...claims, role, authenticatedAt: Date.now() / 1_000 }).accessToken}`,
    'Content-Type': 'application/json',
  });

  /** Starts a process that is measured on its own. */
  async function startScript(file: string, ready: string, extra: NodeJS.ProcessEnv): Promise<ManagedProcess> {
    let isReady = false;
    const name = file.replace(/\W+/g, '-');
    const onLine = (line: string) => void (isReady ||= line.includes(ready));
    const starting = startServer(
      {
        name,
        onLine,
        env: { ...env, ...extra },
        args: ['--import', 'tsx', join(PROJECT_ROOT, 'bench', file)],
        explain: (log) => log,
      },
      { executable: process.execPath, logFolder: folder },
      join(folder, `${name}.log`),
      async (check) => {
        const late = () => new Error(`${file} is not ready: its log is in ${folder}`);
        await until(READY_MS, async () => isReady || undefined, late, check);
      },
    );
    return tracked(starting);
  }

  async function tracked(starting: Promise<ManagedProcess>): Promise<ManagedProcess> {
    const one = await starting;
    started.add(one);
    return one;
  }

  async function portOf(): Promise<number> {
    return (await freePorts(1))[0]!;
  }

  const { serverVersion } = await temporal.workflowService.getSystemInfo({});
  const { version } = (await database.db!.admin().serverInfo()) as { version: string };

  return {
    output,
    database,
    http,
    customerId,
    headers,
    serverVersions: { Temporal: serverVersion, MongoDB: version },
    /** Process ids of the servers that all variants share. */
    serverPids: () =>
      Object.fromEntries(
        [...servers.processes, ...(own?.processes ?? [])].map(({ name, pid }) => [name, pid!]),
      ) as { temporal: number; mongodb: number; postgresql?: number },

    countWorkflows,

    /** Runs a command to its end. @throws {SetupError} if it fails */
    runCommand: (name: string): Promise<void> => runOnce(name, options, new AbortController().signal),

    async startApi(extra: NodeJS.ProcessEnv = {}): Promise<RunningApp> {
      const port = await portOf();
      const url = `http://127.0.0.1:${port}${PREFIX}`;
      const process = await tracked(
        startApi(url, { ...options, env: { ...env, ...extra, PORT: String(port) } }),
      );
      return { process, url };
    },

    /** @param supervision `restart` replaces the worker when it dies */
    startWorker: (
      extra: NodeJS.ProcessEnv = {},
      supervision: { restart?: boolean } = {},
    ): Promise<ManagedProcess> =>
      tracked(startWorker({ ...options, ...supervision, env: { ...env, ...extra } })),

    startScript,

    startVariantsWorker: () => startScript('variants/worker.ts', 'worker started', {}),

    async startVariantsServer(): Promise<RunningApp> {
      const port = await portOf();
      const process = await startScript('variants/server.ts', 'listening', { PORT: String(port) });
      return { process, url: `http://127.0.0.1:${port}` };
    },

    /**
     * Adds N products, and returns their ids.
     * @param unitPrice in cents
     */
    async sell(count: number, unitPrice = 1_999): Promise<string[]> {
      const ids = Array.from({ length: count }, () => newId('ps'));
      for (const id of ids) {
        const text = { sku: `SKU-${id}`, name: 'T-shirt, medium', description: '' };
        const price = {
          kind: 'product' as const,
          unitPrice,
          currency: 'EUR',
          priceIncludesTax: false,
          taxRateBps: 1_900,
        };
        const stock = { available: STOCK, reserved: 0 };
        const entry = { id, ...text, ...price, stock, isActive: true, version: 1 };
        await products.insert(entry, { by: 'bench', requestId: null, address: null });
      }
      return ids;
    },

    /** @throws {Error} for another status */
    async expect(call: Call, status: number): Promise<string> {
      const response = await http.send(call);
      if (response.status !== status)
        throw new Error(
          `${call.method} ${call.url} returns ${response.status}: ${response.body.slice(0, 500)}`,
        );
      return response.body;
    },

    async close(): Promise<void> {
      http.close();
      for (const one of started) await one.stop(STOP_MS);
      await temporal.close();
      await database.close();
      await servers.stop();
      await own?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
