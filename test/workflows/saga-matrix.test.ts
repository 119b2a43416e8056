import { drawCharts, placesOf, titleOf, type Chart, type Place } from './saga/chart';
import { beginSaga, openSpoiledShop, wordOf, type SpoiledShop } from './saga/saga';
import { terminate, terminationsAt, type Termination } from './saga/termination';
import { expectAll, expectEnd, run, type Trial } from './saga/trial';
import { asCharted, businessTrials, cancelTrials, passingTrials, temporalTrials } from './saga/trials';

const AT_A_TIME = 40;

/** Payment methods of the sandbox that fail as real services do. */
const METHODS = ['pm_sandbox_flaky', 'pm_sandbox_slow', 'pm_sandbox_lost_reply'];

let spoiled: SpoiledShop;
let charts: Chart[];
let places: Place[];
beforeAll(async () => {
  spoiled = await openSpoiledShop();
  await spoiled.startWorker();
  charts = await drawCharts(spoiled);
  places = placesOf(charts);
});
afterAll(() => spoiled.shop.close());

it('every step is part of a life', () => {
  const lived = places.map(({ step }) => step);
  expect(lived).toEqual(expect.arrayContaining(Object.keys(spoiled.shop.activities)));
});

it.each([
  ['a step fails, stalls or loses its reply, the order goes its way', passingTrials],
  ['a step says no for good, it undoes what was done', businessTrials],
  ['a customer cancels, the order is cancelled or goes its way', cancelTrials],
  [
    'its workflow is cancelled in Temporal, so is the order, if it may be',
    (place: Place) => temporalTrials(place, spoiled.shop.temporal),
  ],
])(
  'whenever %s, and ledger, stock and order agree',
  async (_, trialsAt) => {
    const trials = places.flatMap(trialsAt);
    expect(trials.length).toBeGreaterThan(0);
    const title = ({ place, what }: Trial) => `${titleOf(place)} ${what}`;
    await expectAll(AT_A_TIME, trials, { title, hold: (trial) => run(spoiled, trial) });
  },
  240_000,
);

it('whenever its workflow is terminated, the next command takes the order up, and nothing stays owed', async () => {
  const title = ({ place, next }: Termination) => `${titleOf(place)} is terminated, and the client ${next}`;
  const hold = (termination: Termination) => terminate(spoiled, termination);
  await expectAll(AT_A_TIME, places.flatMap(terminationsAt), { title, hold });
}, 240_000);

it.each(METHODS)(
  'whatever is paid with %s goes its way, and ledger, stock and order agree',
  async (paymentMethod) => {
    const paid = charts.filter(({ life }) => !life.request);
    const title = ({ life }: Chart) => `an order that is ${life.name}`;
    const hold = async (chart: Chart) => {
      const saga = await beginSaga(spoiled, { ...chart.life, request: { paymentMethod } });
      const answers: string[] = [];
      for (const move of chart.stages.keys()) {
        answers.push(wordOf(await saga.make(move)));
        await saga.settled();
      }
      await expectEnd(saga, answers, asCharted(chart));
    };
    await expectAll(AT_A_TIME, paid, { title, hold });
  },
  240_000,
);
