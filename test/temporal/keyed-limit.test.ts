import { setImmediate as nextTurn } from 'node:timers/promises';
import { createKeyedLimit } from '../../src/temporal/keyed-limit';
import { deferred } from '../workflows/saga/deferred';

const LATER_MS = 5_000;

/** Time passes only where a test advances it. */
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

const later = () => Date.now() + LATER_MS;

it('runs a few at a time for each key, first come, first served', async () => {
  const limited = createKeyedLimit(2);
  const running = { a: 0, b: 0 };
  const most = { a: 0, b: 0 };
  const done: number[] = [];
  const work = (key: 'a' | 'b', n: number) => async () => {
    most[key] = Math.max(most[key], ++running[key]);
    await nextTurn();
    running[key]--;
    if (key === 'a') done.push(n);
    return n;
  };
  const numbers = Array.from({ length: 9 }, (_, n) => n);
  const answers = await Promise.all([
    ...numbers.map((n) => limited('a', later(), work('a', n))),
    ...numbers.map((n) => limited('b', later(), work('b', n))),
  ]);
  expect(answers).toEqual([...numbers, ...numbers]);
  expect(most).toEqual({ a: 2, b: 2 });
  expect(done).toEqual(numbers);
});

it('continues with the next after a failure', async () => {
  const limited = createKeyedLimit(1);
  const failing = limited('a', later(), () => Promise.reject(new Error('no')));
  const next = limited('a', later(), () => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

it('returns late at the deadline and never begins the work', async () => {
  const limited = createKeyedLimit(1);
  const isOver = deferred();
  let begun = 0;
  const work = async () => {
    begun++;
    await isOver.promise;
    return 'done';
  };
  const first = limited('a', later(), work);
  const second = limited('a', Date.now() + 10, work);
  const third = limited('a', later(), work);
  await nextTurn();
  jest.advanceTimersByTime(9);
  expect(await Promise.race([second, nextTurn('not yet')])).toBe('not yet');
  jest.advanceTimersByTime(1);
  expect([await second, begun]).toEqual(['late', 1]);
  isOver.resolve();
  expect([await first, await third, begun]).toEqual(['done', 'done', 2]);
});
