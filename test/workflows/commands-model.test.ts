import fc from 'fast-check';
import { isWhole, repetitions } from '../support/sample';
import { openShop, type Shop } from '../support/shop';
import {
  anyPlacement,
  commands,
  paymentCommands,
  placement,
  results,
  type OrderCommand,
} from './commands-model/commands';
import { Counter } from './commands-model/counter';
import { OrderModel } from './commands-model/model';

/** How many orders are tested at the same time, and how many sequences of commands each lane has. */
const LANES = 20;
const RUNS = repetitions('commands-model: sequences of each lane');
const PAYMENT_RUNS = repetitions('commands-model: sequences of each lane with payments that wait');
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

/** What is reached of the payments that wait for their customers: in most sequences, and in many of them. */
const OF_PAYMENTS = ['place: done'];
const OF_PAYMENTS_IN_THE_WHOLE = [
  ...OF_PAYMENTS,
  'place: payment_declined',
  'pay: done',
  'pay: payment_declined',
  'answer: done',
];

interface Contract {
  shop: Shop;
  /** How many sequences each lane has. */
  runs: number;
  placement: fc.Arbitrary<OrderCommand>;
  commands: fc.Arbitrary<Iterable<OrderCommand>>;
  newModel: () => OrderModel;
}

/** Runs sequences of commands in all lanes at once. */
async function expectToFollow(contract: Contract): Promise<void> {
  results.clear();
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, (_, n) => lane(contract, n)));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
}

/**
 * Runs the sequences of one lane. A failure names its seed and path; `fc.assert(…, { seed, path })` repeats it.
 */
async function lane({ shop, runs, placement, commands, newModel }: Contract, n: number): Promise<void> {
  let shrinkUntil = Infinity; // a limit of fast-check would also end a lane in which nothing has failed
  const sequences = fc.asyncProperty(placement, commands, async (place, sequence) => {
    if (Date.now() > shrinkUntil) return;
    try {
      const counter = await Counter.open(shop);
      const model = newModel();
      await place.run(model, counter);
      await fc.asyncModelRun(() => ({ model, real: counter }), sequence);
    } catch (error) {
      shrinkUntil = Math.min(shrinkUntil, Date.now() + SHRINK_MS);
      throw error;
    }
  });
  await fc.assert(sequences, { numRuns: runs, seed: Number(process.env.TEST_SEED) + n });
}

describe('an order follows the contract', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  afterAll(() => shop?.close());

  it(`in ${LANES * RUNS} random sequences of commands`, async () => {
    await expectToFollow({ shop, runs: RUNS, placement, commands, newModel: () => new OrderModel() });
    const reached = isWhole ? IN_THE_WHOLE : IN_EACH_SAMPLE;
    expect([...results.keys()]).toEqual(expect.arrayContaining(reached));
  });
});

describe('an order whose payment waits for its customer follows the contract', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop({ own: true });
    await shop.startWorker({}, undefined, { PAYMENT_RETRY_WINDOW: '15m' });
  });
  afterAll(() => shop?.close());

  it(`in ${LANES * PAYMENT_RUNS} random sequences of commands and of what happens at the payment service`, async () => {
    await expectToFollow({
      shop,
      runs: PAYMENT_RUNS,
      placement: anyPlacement,
      commands: paymentCommands,
      newModel: () => new OrderModel(true),
    });
    const reached = isWhole ? OF_PAYMENTS_IN_THE_WHOLE : OF_PAYMENTS;
    expect([...results.keys()]).toEqual(expect.arrayContaining(reached));
  });
});
