import { Connection } from '@temporalio/client';
import { InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection';
import { msToTs } from '@temporalio/common/lib/time';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeSearchAttributeIndexedValueType } from '../../src/temporal/internals';
import { ManagedProcess } from '../../tools/devstack/managed-process';
import { freePorts } from '../../tools/devstack/ports';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract';
import { eventually, HANG_MS, repeat } from './eventually';
import { openShop, type Shop } from './shop';
import { installRuntime } from './worker';

/**
 * A shop with a worker, on a Temporal server whose clock only the test advances. MongoDB and the activities
 * are real.
 */
export interface TimeSkippingShop extends Shop {
  /** Advances the clock and fires the timers that are due. */
  skip(durationMs: number): Promise<void>;
}

/** @param executable the test server that `findTimeSkippingServer` returns */
export async function openTimeSkippingShop(executable: string): Promise<TimeSkippingShop> {
  installRuntime();
  const server = await startServer(executable);
  const { connection, address } = server;
  await addSearchAttributes(connection);
  const usual = process.env.TEMPORAL_ADDRESS;
  process.env.TEMPORAL_ADDRESS = address; // the configuration of shop and worker reads it
  const shop = await openShop({ own: true });
  const worker = await shop.startWorker();
  return {
    ...shop,
    // When this server is slow, it fails an Update-with-Start, so the order is started plainly.
    async place(request) {
      await shop.workflows.start(request);
      return repeat(
        async () => {
          const order = await shop.orders.findById(request.orderId);
          return order?.status === 'pending' ? undefined : (order ?? undefined);
        },
        () => `The order ${request.orderId} is not placed.`,
      );
    },
    async skip(durationMs) {
      await connection.testService!.unlockTimeSkippingWithSleep({ duration: msToTs(durationMs) });
    },
    // The shop's own `close` lists workflows, which this server cannot do.
    async close() {
      process.env.TEMPORAL_ADDRESS = usual;
      await worker.stop();
      await shop.temporal.close();
      await shop.db.drop();
      await server.stop();
    },
  };
}

/** Starts the server here, because the SDK gives it five seconds, in which Java does not start on every machine. */
async function startServer(executable: string) {
  const [port] = (await freePorts(1)) as [number];
  const folder = await mkdtemp(join(tmpdir(), 'orders-time-skipping-'));
  const logFile = join(folder, 'server.log');
  const server = new ManagedProcess({
    name: 'Temporal test server',
    command: executable,
    args: [String(port)],
    env: process.env,
    logFile,
  });
  await server.start();
  const address = `127.0.0.1:${port}`;
  const withTestService = { [InternalConnectionOptionsSymbol]: { supportsTestService: true } };
  const connection = Connection.lazy({ address, ...withTestService });
  await eventually(() => connection.workflowService.getSystemInfo({}));
  return {
    address,
    connection,
    async stop() {
      await connection.close();
      await server.stop(HANG_MS);
      await rm(folder, { recursive: true });
    },
  };
}

/** Adds the search attributes without listing the existing ones, which this server does not support. */
async function addSearchAttributes(connection: Connection): Promise<void> {
  const types = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => [
    name,
    encodeSearchAttributeIndexedValueType(type)!,
  ]);
  await connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(types) as Record<string, number>,
  });
}
