import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Crash } from '../support/crashing-worker';
import { spawnNode, type NodeProcess } from '../support/process';
import { sample } from '../support/sample';
import { recordBaselines, placesOf, titleOf, type Place } from '../workflows/saga/baseline';
import { beginSaga, openFaultyShop, outcomeOf, type Saga, type FaultyShop } from '../workflows/saga/saga';
import { expectAll, expectEnd } from '../workflows/saga/trial';
import { asBaseline } from '../workflows/saga/trials';

const WORKER = join(__dirname, '..', 'support', 'crashing-worker.ts');
/**
 * Orders that share a worker and crash with it. All must reach their steps within the time limit of a step.
 */
const PER_WORKER = 8;
const workersAtATime = pLimit(5);

interface PlannedCrash {
  place: Place;
  moment: Crash['moment'];
}

interface CrashedOrder extends PlannedCrash {
  saga: Saga;
  outcomes: string[];
}

it('another worker continues every order of a worker that is killed at any step, and nothing takes effect twice', async () => {
  const places = await findPlaces();
  const all = places.flatMap((place): PlannedCrash[] => [
    { place, moment: 'before' },
    { place, moment: 'after' },
  ]);
  const crashes = sample('e2e/worker-crash: kills', all, { groupOf: ({ place }) => place.step });
  await expectAll(workersAtATime, inGroups(crashes), {
    title: (group) => `${group.length} orders of one worker:`,
    hold: crashTogether,
  });
});

/** Returns all places, sorted by their position in a move. */
async function findPlaces(): Promise<Place[]> {
  const faulty = await openFaultyShop();
  try {
    await faulty.startWorker();
    return placesOf(await recordBaselines(faulty)).sort((a, b) => a.position - b.position);
  } finally {
    await faulty.shop.close();
  }
}

async function crashTogether(group: readonly PlannedCrash[]): Promise<void> {
  const faulty = await openFaultyShop();
  try {
    const begin = async (crash: PlannedCrash): Promise<CrashedOrder> => {
      return { ...crash, saga: await beginSaga(faulty, crash.place.baseline.scenario), outcomes: [] };
    };
    const orders = await Promise.all(group.map(begin));
    const worker = startCrashingWorker(faulty, orders);
    await worker.line(/worker started/);
    await Promise.all(orders.map((order) => makeMoves(order, order.place.move)));
    const inProgress = new Map(orders.map((order) => [order, makeMoves(order, order.place.move + 1)]));
    await expectCrash(worker);
    await faulty.startWorker();
    await expectAll(pLimit(orders.length), orders, {
      title: ({ place, moment }) => `${titleOf(place)}, killed ${moment} its effect`,
      async hold(order) {
        const expected = asBaseline(order.place.baseline);
        await inProgress.get(order);
        await makeMoves(order, expected.outcomes.length);
        await expectEnd(order.saga, order.outcomes, expected);
      },
    });
  } finally {
    await faulty.shop.close();
  }
}

async function makeMoves({ saga, outcomes }: CrashedOrder, until: number): Promise<void> {
  while (outcomes.length < until) {
    outcomes.push(outcomeOf(await saga.make(outcomes.length)));
    await saga.settled();
  }
}

function startCrashingWorker({ shop }: FaultyShop, orders: CrashedOrder[]): NodeProcess {
  const crashes = orders.map(({ saga: { orderId }, place: { step, baseline }, moment }): Crash => {
    return { orderId, step, moment, authorizing: baseline.scenario.authorizing };
  });
  return spawnNode(['--import', 'tsx', WORKER], {
    ...process.env,
    MONGODB_URI: shop.db.uri,
    TASK_QUEUE: shop.taskQueue,
    CRASHES: JSON.stringify(crashes),
  });
}

async function expectCrash(worker: NodeProcess): Promise<void> {
  const notReached = worker.line(/not reached: .*/).then(
    ([line]) => line,
    () => undefined,
  );
  expect([await worker.ended, await notReached]).toEqual(['SIGKILL', undefined]);
}

function inGroups<T>(items: readonly T[]): T[][] {
  const groups = Math.ceil(items.length / PER_WORKER);
  return Array.from({ length: groups }, (_, n) => items.slice(n * PER_WORKER, (n + 1) * PER_WORKER));
}
