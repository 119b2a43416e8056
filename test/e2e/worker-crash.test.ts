import { join } from 'node:path';
import type { Death } from '../support/crashing-worker';
import { spawnNode, type NodeProcess } from '../support/process';
import { drawCharts, placesOf, titleOf, type Place } from '../workflows/saga/chart';
import { beginSaga, openSpoiledShop, wordOf, type Saga, type SpoiledShop } from '../workflows/saga/saga';
import { expectAll, expectEnd } from '../workflows/saga/trial';
import { asCharted } from '../workflows/saga/trials';

const WORKER = join(__dirname, '..', 'support', 'crashing-worker.ts');
/** Orders that share a process and die with it: all come to their moments within the time that a step may take. */
const PER_WORKER = 8;
const WORKERS_AT_A_TIME = 5;

interface Kill {
  place: Place;
  moment: Death['moment'];
}

interface Victim extends Kill {
  saga: Saga;
  answers: string[];
}

it('whichever step a worker is killed at, another worker goes on from there, and nothing is done twice', async () => {
  const places = await findPlaces();
  const kills = places.flatMap((place): Kill[] => [
    { place, moment: 'before' },
    { place, moment: 'after' },
  ]);
  await expectAll(WORKERS_AT_A_TIME, inGroups(kills), {
    title: (group) => `${group.length} orders in the hands of one worker:`,
    hold: dieTogether,
  });
}, 600_000);

/** Sorted by how far into a move they are. */
async function findPlaces(): Promise<Place[]> {
  const spoiled = await openSpoiledShop();
  try {
    await spoiled.startWorker();
    return placesOf(await drawCharts(spoiled)).sort((a, b) => a.position - b.position);
  } finally {
    await spoiled.shop.close();
  }
}

async function dieTogether(group: readonly Kill[]): Promise<void> {
  const spoiled = await openSpoiledShop();
  try {
    const begin = async (kill: Kill): Promise<Victim> => {
      return { ...kill, saga: await beginSaga(spoiled, kill.place.chart.life), answers: [] };
    };
    const victims = await Promise.all(group.map(begin));
    const mortal = startMortalWorker(spoiled, victims);
    await mortal.line(/worker started/);
    await Promise.all(victims.map((victim) => makeMoves(victim, victim.place.move)));
    const onTheirWay = new Map(victims.map((victim) => [victim, makeMoves(victim, victim.place.move + 1)]));
    await expectDeath(mortal);
    await spoiled.startWorker();
    await expectAll(victims.length, victims, {
      title: ({ place, moment }) => `${titleOf(place)}, killed ${moment} its effect`,
      async hold(victim) {
        const expected = asCharted(victim.place.chart);
        await onTheirWay.get(victim);
        await makeMoves(victim, expected.answers.length);
        await expectEnd(victim.saga, victim.answers, expected);
      },
    });
  } finally {
    await spoiled.shop.close();
  }
}

async function makeMoves({ saga, answers }: Victim, until: number): Promise<void> {
  while (answers.length < until) {
    answers.push(wordOf(await saga.make(answers.length)));
    await saga.settled();
  }
}

function startMortalWorker({ shop }: SpoiledShop, victims: Victim[]): NodeProcess {
  const deaths = victims.map(({ saga: { orderId }, place: { step, chart }, moment }): Death => {
    return { orderId, step, moment, authorizing: chart.life.authorizing };
  });
  return spawnNode(['--import', 'tsx', WORKER], {
    ...process.env,
    MONGODB_URI: shop.db.uri,
    TASK_QUEUE: shop.taskQueue,
    DEATHS: JSON.stringify(deaths),
  });
}

async function expectDeath(mortal: NodeProcess): Promise<void> {
  const complaint = mortal.line(/did not come: .*/).then(
    ([line]) => line,
    () => undefined,
  );
  expect([await mortal.ended, await complaint]).toEqual(['SIGKILL', undefined]);
}

function inGroups<T>(items: readonly T[]): T[][] {
  const groups = Math.ceil(items.length / PER_WORKER);
  return Array.from({ length: groups }, (_, n) => items.slice(n * PER_WORKER, (n + 1) * PER_WORKER));
}
