import { setTimeout as delay } from 'node:timers/promises';
import type { Limit } from 'p-limit';
import type { Place } from './baseline';
import type { Result } from './commands';
import { meanwhile } from './faults';
import { beginSaga, outcomeOf, type Rest, type Saga, type FaultyShop } from './saga';
import type { Fault } from './fault-injector';

/** One cell of the matrix: something happens at one step of a scenario. */
export interface Trial {
  place: Place;
  what: string;
  fault?: Fault;
  /** When a customer cancels: just before the move that the step is part of, or during the step. */
  cancel?: 'before' | 'during';
  expected: Expected;
  /** Expects what is true of the fault when the order has ended. */
  afterwards?(): Promise<void>;
}

export interface Expected {
  /** The outcome of each move, as far as the moves are made. */
  outcomes: (string | RegExp)[];
  cancel?: string | RegExp;
  rest: Rest;
  /** What is expected instead if the response to the last move is service_unavailable. */
  interrupted?: Expected;
}

/** The time for a command to reach Temporal, in milliseconds. The outcome is the same if it does not. */
const ON_ITS_WAY_MS = 300;

/** @throws if the order does not end as expected, or ledger, stock and order do not agree */
export async function run(faulty: FaultyShop, trial: Trial): Promise<void> {
  const { place, fault, cancel, expected } = trial;
  const saga = await beginSaga(faulty, place.baseline.scenario);
  let cancelled: Promise<Result> | undefined;
  const sendCancel = () => (cancelled = saga.customer.cancel());
  const cancelling = meanwhile(async () => {
    void sendCancel();
    await delay(ON_ITS_WAY_MS);
  });
  if (cancel !== 'before') saga.inject(place.step, cancel ? cancelling : fault!);

  const outcomes: string[] = [];
  for (const move of expected.outcomes.keys()) {
    if (cancel === 'before' && move === place.move) await sendCancel();
    outcomes.push(outcomeOf(await saga.make(move)));
    await saga.settled();
  }

  if (cancel) expect(cancelled && outcomeOf(await cancelled)).toEqual(matching(expected.cancel!));
  expect(saga.faultySteps()).toEqual(cancel === 'before' ? [] : [place.step]);
  const isInterrupted = outcomes.at(-1) === 'service_unavailable';
  await expectEnd(saga, outcomes, (isInterrupted && expected.interrupted) || expected);
  await trial.afterwards?.();
}

/** Expects the end to be the same after the attempts that were held back have run. */
export async function expectEnd(saga: Saga, outcomes: string[], expected: Expected): Promise<void> {
  expect(outcomes).toEqual(expected.outcomes.map(matching));
  expect(await saga.rest(expected.rest)).toMatchObject(expected.rest);
  await saga.end();
  expect(await saga.rest(expected.rest)).toMatchObject(expected.rest);
}

/**
 * Fails with the titles of all items that do not hold.
 * @param limit how many items are tried at a time
 */
export async function expectAll<T>(
  limit: Limit,
  items: readonly T[],
  { title, hold }: { title(item: T): string; hold(item: T): Promise<void> },
): Promise<void> {
  const failures: string[] = [];
  const attempt = (item: T) =>
    hold(item).catch((error: Error) => void failures.push(`${title(item)}\n${error.message}`));
  await Promise.all(items.map((item) => limit(() => attempt(item))));
  expect(failures.join('\n\n')).toBe('');
}

function matching(expected: string | RegExp): unknown {
  return typeof expected === 'string' ? expected : expect.stringMatching(expected);
}
