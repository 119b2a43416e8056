import { setTimeout as delay } from 'node:timers/promises';
import { createKeyedLimit } from '../../src/temporal/keyed-limit';

const soon = () => Date.now() + 5_000;

it('runs a few at a time for each key, first come, first served', async () => {
  const limited = createKeyedLimit(2);
  const running = { a: 0, b: 0 };
  const most = { a: 0, b: 0 };
  const done: number[] = [];
  const work = (key: 'a' | 'b', n: number) => async () => {
    most[key] = Math.max(most[key], ++running[key]);
    await delay(5);
    running[key]--;
    if (key === 'a') done.push(n);
    return n;
  };
  const numbers = Array.from({ length: 9 }, (_, n) => n);
  const answers = await Promise.all([
    ...numbers.map((n) => limited('a', soon(), work('a', n))),
    ...numbers.map((n) => limited('b', soon(), work('b', n))),
  ]);
  expect(answers).toEqual([...numbers, ...numbers]);
  expect(most).toEqual({ a: 2, b: 2 });
  expect(done).toEqual(numbers);
});

it('continues with the next after a failure', async () => {
  const limited = createKeyedLimit(1);
  const failing = limited('a', soon(), () => Promise.reject(new Error('no')));
  const next = limited('a', soon(), () => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

it('returns late at the deadline and never begins the work', async () => {
  const limited = createKeyedLimit(1);
  let begun = 0;
  const work = async () => {
    begun++;
    await delay(60);
    return 'done';
  };
  const first = limited('a', soon(), work);
  const second = limited('a', Date.now() + 10, work);
  const third = limited('a', soon(), work);
  expect([await second, begun]).toEqual(['late', 1]);
  expect([await first, await third, begun]).toEqual(['done', 'done', 2]);
});
