import { encodeSearchAttributeIndexedValueType } from '../../src/temporal/internals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract';
import { openShop, type Shop } from './shop';
import { installRuntime } from './worker';

/** A shop, open for business, on a Temporal whose clock only a test moves on; MongoDB and the activities are real. */
export interface TimeSkippingShop extends Shop {
  /** Moves the clock on; timers that are due go off. */
  skip(durationMs: number): Promise<void>;
}

/** @param executable of the test server, see `findTimeSkippingServer` */
export async function openTimeSkippingShop(executable: string): Promise<TimeSkippingShop> {
  installRuntime();
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: executable } },
  });
  await addSearchAttributes(environment);
  const usual = process.env.TEMPORAL_ADDRESS;
  process.env.TEMPORAL_ADDRESS = environment.address; // what the configuration of shop and worker is made of
  const shop = await openShop();
  const worker = await shop.startWorker();
  return {
    ...shop,
    skip: (durationMs) => environment.sleep(durationMs),
    // Not the shop's own way: this server cannot list workflows.
    async close() {
      process.env.TEMPORAL_ADDRESS = usual;
      await worker.stop();
      await shop.temporal.close();
      await shop.db.drop();
      await environment.teardown();
    },
  };
}

/** Without asking which there are, which this server does not know: it is a new one. */
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
