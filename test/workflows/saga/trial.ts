import { setTimeout as delay } from 'node:timers/promises';
import type { Place } from './chart';
import type { Answer } from './commands';
import { meanwhile } from './faults';
import { beginSaga, wordOf, type Rest, type Saga, type SpoiledShop } from './saga';
import type { Fault } from './saboteur';

/** One cell of the matrix: something happens at one step of a life. */
export interface Trial {
  place: Place;
  what: string;
  fault?: Fault;
  /** A customer's command, just before the move that the step is part of or while the step is under way. */
  cancel?: 'before' | 'during';
  expected: Expected;
}

export interface Expected {
  /** What each move is answered, as far as they are to be made. */
  answers: (string | RegExp)[];
  cancel?: string | RegExp;
  rest: Rest;
}

/** Long enough for a command to reach Temporal. The outcome is the same when it does not. */
const ON_ITS_WAY_MS = 300;

/** @throws when the order is not where it should be, or the books do not agree */
export async function run(spoiled: SpoiledShop, { place, fault, cancel, expected }: Trial): Promise<void> {
  const saga = await beginSaga(spoiled, place.chart.life);
  let cancelled: Promise<Answer> | undefined;
  const sendCancel = () => (cancelled = saga.customer.cancel());
  const cancelling = meanwhile(async () => {
    void sendCancel();
    await delay(ON_ITS_WAY_MS);
  });
  if (cancel !== 'before') saga.spoil(place.step, cancel ? cancelling : fault!);

  const answers: string[] = [];
  for (const move of expected.answers.keys()) {
    if (cancel === 'before' && move === place.move) await sendCancel();
    answers.push(wordOf(await saga.make(move)));
    await saga.settled();
  }

  if (cancel) expect(cancelled && wordOf(await cancelled)).toEqual(matching(expected.cancel!));
  expect(saga.spoiledSteps()).toEqual(cancel === 'before' ? [] : [place.step]);
  await expectEnd(saga, answers, expected);
}

/** Also when what was held back has come too late. */
export async function expectEnd(saga: Saga, answers: string[], expected: Expected): Promise<void> {
  expect(answers).toEqual(expected.answers.map(matching));
  expect(await saga.rest(expected.rest)).toMatchObject(expected.rest);
  await saga.end();
  expect(await saga.rest(expected.rest)).toMatchObject(expected.rest);
}

/** Fails with the title of every one that does not hold. */
export async function expectAll<T>(
  limit: number,
  items: readonly T[],
  { title, hold }: { title(item: T): string; hold(item: T): Promise<void> },
): Promise<void> {
  const failures: string[] = [];
  const entries = items.values();
  const work = async () => {
    for (const item of entries) {
      await hold(item).catch((error: Error) => failures.push(`${title(item)}\n${error.message}`));
    }
  };
  await Promise.all(Array.from({ length: limit }, work));
  expect(failures.join('\n\n')).toBe('');
}

function matching(expected: string | RegExp): unknown {
  return typeof expected === 'string' ? expected : expect.stringMatching(expected);
}
