import fc from 'fast-check';
import { isWhole, sampleSize } from '../support/sample';
import { openShop, type Shop } from '../support/shop';
import { commands, placement, results } from './commands-model/commands';
import { Counter } from './commands-model/counter';
import { OrderModel } from './commands-model/model';

/** How many orders are tested at the same time, and how many sequences of commands each lane has. */
const LANES = 20;
const RUNS = sampleSize('commands-model: sequences of each lane', 12);
/**
 * Results that occur dozens of times in all sequences, which proves that the commands reach what they test.
 */
const OFTEN = [
  'place: done',
  'place: out_of_stock',
  'place: payment_declined',
  'place: unknown_product',
  'placeAgain: again',
  'placeOther: idempotency_key_reused',
  'amend: done',
  'amend: invalid_transition',
  'amend: precondition_failed',
  'fulfill: done',
  'fulfill: invalid_transition',
  'fulfill: idempotency_key_reused',
  'deliver: done',
  'deliver: not_found',
  'refund: done',
  'refund: invalid_transition',
  'cancel: done',
  'cancel: invalid_transition',
  'archive: done',
  'archive: invalid_transition',
];
/** When shrinking a failure stops, so that it is reported before the test times out. */
const SHRINK_UNTIL_MS = 300_000;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.close());

/**
 * Runs sequences of commands. A failure names its seed and path; `fc.assert(…, { seed, path })` repeats it.
 */
async function lane(_: unknown, n: number): Promise<void> {
  const sequences = fc.asyncProperty(placement, commands, async (place, sequence) => {
    const counter = await Counter.open(shop);
    const model = new OrderModel();
    await place.run(model, counter);
    await fc.asyncModelRun(() => ({ model, real: counter }), sequence);
  });
  await fc.assert(sequences, {
    numRuns: RUNS,
    seed: Number(process.env.TEST_SEED) + n,
    interruptAfterTimeLimit: SHRINK_UNTIL_MS,
  });
}

it(`an order follows the contract in ${LANES * RUNS} random sequences of commands`, async () => {
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
  const reached = isWhole ? OFTEN : ['place: done', 'amend: done', 'fulfill: done'];
  expect([...results.keys()]).toEqual(expect.arrayContaining(reached));
});
