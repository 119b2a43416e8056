import pLimit from 'p-limit';
import { sample } from '../support/sample';
import { recordBaselines, placesOf, titleOf, type Place } from './saga/baseline';
import { interrupt, interruptionsAt, type Interruption } from './saga/interruption';
import { openFaultyShop, type FaultyShop } from './saga/saga';
import { expectAll, run, type Trial } from './saga/trial';
import { operatorTrials, pauseTrials, strangeMessageTrials } from './saga/trials';

/** What people with access to Temporal do, operators or not, at each step of each scenario. */
const limit = pLimit(24);

let faulty: FaultyShop;
let places: Place[];
beforeAll(async () => {
  faulty = await openFaultyShop();
  await faulty.startWorker();
  places = placesOf(await recordBaselines(faulty));
});
afterAll(() => faulty.shop.close());

it.concurrent.each([
  [
    'an operator fails an activity or completes it by hand, the order ends as without that',
    (place: Place) => operatorTrials(place, faulty.shop.temporal),
  ],
  [
    'an operator pauses an activity, the order ends as without that',
    (place: Place) => pauseTrials(place, faulty.shop.temporal),
  ],
  [
    'messages come that no API sends, they are rejected and change nothing',
    (place: Place) => strangeMessageTrials(place, faulty.shop.temporal),
  ],
])('whenever %s, and ledger, stock and order agree', async (_, trialsAt) => {
  const trials = sample('workflows/operator-matrix: trials of each kind', places.flatMap(trialsAt), {
    groupOf: ({ place }) => place.step,
  });
  expect(trials.length).toBeGreaterThan(0);
  const title = ({ place, what }: Trial) => `${titleOf(place)} ${what}`;
  await expectAll(limit, trials, { title, hold: (trial) => run(faulty, trial) });
});

it.concurrent(
  'whenever its workflow is terminated, deleted or reset, the order continues, and no compensation stays outstanding',
  async () => {
    const title = ({ place, what, when, next }: Interruption) =>
      `${titleOf(place)}: the workflow ${what} ${when}, and the client ${next}`;
    const hold = (interruption: Interruption) => interrupt(faulty, interruption);
    const interruptions = sample(
      'workflows/operator-matrix: interruptions',
      places.flatMap(interruptionsAt),
      {
        groupOf: ({ place, what }) => `${place.step} ${what}`,
      },
    );
    await expectAll(limit, interruptions, { title, hold });
  },
);
