import { encodeSearchAttributeIndexedValueType } from '../../src/temporal/internals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract';
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
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: executable } },
  });
  await addSearchAttributes(environment);
  const usual = process.env.TEMPORAL_ADDRESS;
  process.env.TEMPORAL_ADDRESS = environment.address; // the configuration of shop and worker reads it
  const shop = await openShop();
  const worker = await shop.startWorker();
  return {
    ...shop,
    skip: (durationMs) => environment.sleep(durationMs),
    // The shop's own `close` lists workflows, which this server cannot do.
    async close() {
      process.env.TEMPORAL_ADDRESS = usual;
      await worker.stop();
      await shop.temporal.close();
      await shop.db.drop();
      await environment.teardown();
    },
  };
}

/** Adds the search attributes without listing the existing ones, which this server does not support. */
async function addSearchAttributes({ connection, namespace }: TestWorkflowEnvironment): Promise<void> {
  const types = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => [
    name,
    encodeSearchAttributeIndexedValueType(type)!,
  ]);
  await connection.operatorService.addSearchAttributes({
    namespace: namespace ?? 'default',
    searchAttributes: Object.fromEntries(types) as Record<string, number>,
  });
}
