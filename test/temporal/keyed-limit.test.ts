import { setTimeout as delay } from 'node:timers/promises';
import { createTurns } from '../../src/temporal/keyed-limit';

const soon = () => Date.now() + 5_000;

it('lets a few at a time through for each key, first come, first served', async () => {
  const inTurn = createTurns(2);
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
    ...numbers.map((n) => inTurn('a', soon(), work('a', n))),
    ...numbers.map((n) => inTurn('b', soon(), work('b', n))),
  ]);
  expect(answers).toEqual([...numbers, ...numbers]);
  expect(most).toEqual({ a: 2, b: 2 });
  expect(done).toEqual(numbers);
});

it('passes the turn on after a failure', async () => {
  const inTurn = createTurns(1);
  const failing = inTurn('a', soon(), () => Promise.reject(new Error('no')));
  const next = inTurn('a', soon(), () => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

it('gives up at the deadline, and never begins then', async () => {
  const inTurn = createTurns(1);
  let begun = 0;
  const work = async () => {
    begun++;
    await delay(60);
    return 'done';
  };
  const first = inTurn('a', soon(), work);
  const second = inTurn('a', Date.now() + 10, work);
  const third = inTurn('a', soon(), work);
  expect([await second, begun]).toEqual(['late', 1]);
  expect([await first, await third, begun]).toEqual(['done', 'done', 2]);
});
