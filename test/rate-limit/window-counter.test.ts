import { createWindowCounter } from '../../src/rate-limit/window-counter';

const MINUTE = 60_000;

it('counts each client separately and tells how much longer its window lasts', () => {
  let now = 1_000;
  const counter = createWindowCounter({ now: () => now });
  expect(counter.count('alice', MINUTE)).toEqual({ used: 1, msLeft: MINUTE });
  now += 10_000;
  expect(counter.count('alice', MINUTE)).toEqual({ used: 2, msLeft: MINUTE - 10_000 });
  expect(counter.count('bob', MINUTE)).toEqual({ used: 1, msLeft: MINUTE });
});

it('begins a new window when the last one has ended', () => {
  let now = 0;
  const counter = createWindowCounter({ now: () => now });
  counter.count('alice', MINUTE);
  now = MINUTE - 1;
  expect(counter.count('alice', MINUTE).used).toBe(2);
  now = MINUTE;
  expect(counter.count('alice', MINUTE)).toEqual({ used: 1, msLeft: MINUTE });
});

it('drops the oldest window if there are too many, and those that have ended first', () => {
  let now = 0;
  const counter = createWindowCounter({ maxClients: 2, now: () => now });
  counter.count('a', MINUTE);
  counter.count('b', MINUTE);
  counter.count('c', MINUTE); // drops a
  expect(counter.count('b', MINUTE).used).toBe(2);
  expect(counter.count('a', MINUTE).used).toBe(1); // drops b
  expect(counter.count('c', MINUTE).used).toBe(2);
  now = MINUTE;
  counter.count('d', MINUTE);
  expect(counter.count('d', MINUTE).used).toBe(2);
  expect(counter.count('c', MINUTE).used).toBe(1);
});

it('counts a renewed window as the newest', () => {
  let now = 0;
  const counter = createWindowCounter({ maxClients: 2, now: () => now });
  counter.count('a', MINUTE);
  now = 1;
  counter.count('b', MINUTE);
  now = MINUTE;
  counter.count('a', MINUTE);
  counter.count('c', MINUTE); // drops b
  expect(counter.count('a', MINUTE).used).toBe(2);
  expect(counter.count('b', MINUTE).used).toBe(1);
});
