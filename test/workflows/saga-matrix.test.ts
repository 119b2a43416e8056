import pLimit from 'p-limit';
import { activitiesOn } from '../support/activities';
import { sample } from '../support/sample';
import { EXCEPTIONAL, recordBaselines, placesOf, titleOf, type Baseline, type Place } from './saga/baseline';
import { beginSaga, openFaultyShop, outcomeOf, type FaultyShop } from './saga/saga';
import { expectAll, expectEnd, run, type Trial } from './saga/trial';
import { asBaseline, businessTrials, cancelTrials, passingTrials, temporalTrials } from './saga/trials';

/** How many orders are tried at a time, in all tests together. */
const limit = pLimit(24);

/** The payment methods of the sandbox that fail as real services do. */
const METHODS = ['pm_sandbox_flaky', 'pm_sandbox_slow', 'pm_sandbox_lost_reply'];

let faulty: FaultyShop;
let baselines: Baseline[];
let places: Place[];
beforeAll(async () => {
  faulty = await openFaultyShop();
  await faulty.startWorker();
  baselines = await recordBaselines(faulty);
  places = placesOf(baselines);
});
afterAll(() => faulty.shop.close());

/** The steps of an erasure, which no order takes. */
const ERASURE = ['closeAccount', 'eraseData', 'eraseHistories'];

it('covers every step', () => {
  const lived = new Set([...places.map(({ step }) => step), ...EXCEPTIONAL, ...ERASURE]);
  const all = Object.keys(activitiesOn(faulty.shop.db));
  expect(all.filter((step) => !lived.has(step))).toEqual([]);
});

it.concurrent.each([
  ['a step fails, stalls or loses its reply, the order ends as without the fault', passingTrials],
  ['a step fails with a business error, the earlier steps are undone', businessTrials],
  ['a customer cancels, the order is cancelled or continues', cancelTrials],
  [
    'its workflow is cancelled in Temporal, the order is cancelled if its state allows it',
    (place: Place) => temporalTrials(place, faulty.shop.temporal),
  ],
])('whenever %s, and ledger, stock and order agree', async (_, trialsAt) => {
  const trials = sample('workflows/saga-matrix: trials of each kind', places.flatMap(trialsAt), {
    groupOf: ({ place }) => place.step,
  });
  expect(trials.length).toBeGreaterThan(0);
  const title = ({ place, what }: Trial) => `${titleOf(place)} ${what}`;
  await expectAll(limit, trials, { title, hold: (trial) => run(faulty, trial) });
});

it.concurrent.each(sample('workflows/saga-matrix: failing payment methods', METHODS))(
  'with the payment method %s every scenario ends as usual, and ledger, stock and order agree',
  async (paymentMethod) => {
    const payable = baselines.filter(({ scenario }) => !scenario.request);
    const paid = sample('workflows/saga-matrix: scenarios with each failing payment method', payable, {
      salt: paymentMethod,
    });
    const title = ({ scenario }: Baseline) => `an order that is ${scenario.name}`;
    const hold = async (baseline: Baseline) => {
      const saga = await beginSaga(faulty, { ...baseline.scenario, request: { paymentMethod } });
      const outcomes: string[] = [];
      for (const move of baseline.stages.keys()) {
        outcomes.push(outcomeOf(await saga.make(move)));
        await saga.settled();
      }
      await expectEnd(saga, outcomes, asBaseline(baseline));
    };
    await expectAll(limit, paid, { title, hold });
  },
);
