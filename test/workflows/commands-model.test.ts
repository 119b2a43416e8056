import fc from 'fast-check';
import { openShop, type Shop } from '../support/shop';
import { answers, commands, placement } from './commands-model/commands';
import { Counter } from './commands-model/counter';
import { OrderModel } from './commands-model/model';

/** Orders that are worked on at the same time, and how many sequences of commands each lane has. */
const LANES = 20;
const RUNS = 12;
/** Answers that dozens get in so many sequences: the commands reach what they are to test. */
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
/** Time to tell of a failure what it shrank to. */
const SHRINK_UNTIL_MS = 240_000;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeoutMs: 60_000 });
  await shop.startWorker();
});
afterAll(() => shop?.close());

/** A failure says its seed and path: `fc.assert(…, { seed, path })` repeats it. */
async function lane(): Promise<void> {
  const sequences = fc.asyncProperty(placement, commands, async (place, sequence) => {
    const counter = await Counter.open(shop);
    const model = new OrderModel();
    await place.run(model, counter);
    await fc.asyncModelRun(() => ({ model, real: counter }), sequence);
  });
  await fc.assert(sequences, { numRuns: RUNS, interruptAfterTimeLimit: SHRINK_UNTIL_MS });
}

it(`an order does what the contract says, whatever is asked of it: ${LANES * RUNS} sequences of commands`, async () => {
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
  expect([...answers.keys()]).toEqual(expect.arrayContaining(OFTEN));
}, 300_000);
