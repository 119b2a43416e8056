import fc from 'fast-check';
import { isWhole, repetitions } from '../support/sample';
import { openShop, type Shop } from '../support/shop';
import { commands, placement, results, type OrderCommand } from './commands-model/commands';
import { Counter } from './commands-model/counter';
import { OrderModel } from './commands-model/model';

/** How many orders are tested at the same time, and how many sequences of commands each lane has. */
const LANES = 20;
const RUNS = repetitions('commands-model: sequences of each lane');
/**
 * Results that are reached, which proves that the commands reach what they test. Counted in 20,000 sequences of the model:
 * each is in more than a quarter of them, and a sample of 40 lacks any of them less than once in 100,000 runs.
 */
const IN_EACH_SAMPLE = [
  'place: done',
  'placeAgain: again',
  'placeOther: idempotency_key_reused',
  'amend: invalid_transition',
  'amend: precondition_failed',
  'fulfill: done',
  'fulfill: invalid_transition',
  'deliver: not_found',
  'refund: invalid_transition',
];
/** Each is in more than one of 15 sequences, and 240 sequences lack any of them less than once in a million runs. */
const IN_THE_WHOLE = [
  ...IN_EACH_SAMPLE,
  'place: out_of_stock',
  'place: payment_declined',
  'place: unknown_product',
  'amend: done',
  'fulfill: idempotency_key_reused',
  'deliver: done',
  'refund: done',
  'refund: idempotency_key_reused',
  'cancel: done',
  'cancel: invalid_transition',
  'cancelUnits: done',
  'cancelUnits: invalid_transition',
  'undo: done',
  'undo: not_found',
  'refundLines: done',
  'refundLines: invalid_transition',
  'archive: done',
  'archive: invalid_transition',
];
/** How long a failure is shrunk at most, so that it is reported before the test times out. */
const SHRINK_MS = 300_000;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.close());

/**
 * Runs sequences of commands. A failure names its seed and path; `fc.assert(…, { seed, path })` repeats it.
 */
async function lane(_: unknown, n: number): Promise<void> {
  let shrinkUntil = Infinity; // a limit of fast-check would also end a lane in which nothing has failed
  const sequences = fc.asyncProperty(placement, commands, async (place, sequence) => {
    if (Date.now() > shrinkUntil) return;
    try {
      await expectToFollowTheContract(place, sequence);
    } catch (error) {
      shrinkUntil = Math.min(shrinkUntil, Date.now() + SHRINK_MS);
      throw error;
    }
  });
  await fc.assert(sequences, { numRuns: RUNS, seed: Number(process.env.TEST_SEED) + n });
}

async function expectToFollowTheContract(
  place: OrderCommand,
  sequence: Iterable<OrderCommand>,
): Promise<void> {
  const counter = await Counter.open(shop);
  const model = new OrderModel();
  await place.run(model, counter);
  await fc.asyncModelRun(() => ({ model, real: counter }), sequence);
}

it(`an order follows the contract in ${LANES * RUNS} random sequences of commands`, async () => {
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
  const reached = isWhole ? IN_THE_WHOLE : IN_EACH_SAMPLE;
  expect([...results.keys()]).toEqual(expect.arrayContaining(reached));
});
