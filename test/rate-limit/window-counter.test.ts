import { createWindowCounter } from '../../src/rate-limit/window-counter';

const MINUTE = 60_000;

it('counts each client apart, and how long its window lasts', () => {
  let now = 1_000;
  const counter = createWindowCounter({ now: () => now });
  expect(counter.count('alice', MINUTE)).toEqual({ used: 1, msLeft: MINUTE });
  now += 10_000;
  expect(counter.count('alice', MINUTE)).toEqual({ used: 2, msLeft: MINUTE - 10_000 });
  expect(counter.count('bob', MINUTE)).toEqual({ used: 1, msLeft: MINUTE });
});

it('begins anew when a window is over', () => {
  let now = 0;
  const counter = createWindowCounter({ now: () => now });
  counter.count('alice', MINUTE);
  now = MINUTE - 1;
  expect(counter.count('alice', MINUTE).used).toBe(2);
  now = MINUTE;
  expect(counter.count('alice', MINUTE)).toEqual({ used: 1, msLeft: MINUTE });
});

it('forgets the oldest window when there are too many, and those that are over first', () => {
  let now = 0;
  const counter = createWindowCounter({ maxClients: 2, now: () => now });
  counter.count('a', MINUTE);
  counter.count('b', MINUTE);
  counter.count('c', MINUTE); // a goes
  expect(counter.count('b', MINUTE).used).toBe(2);
  expect(counter.count('a', MINUTE).used).toBe(1); // b goes
  expect(counter.count('c', MINUTE).used).toBe(2);
  now = MINUTE;
  counter.count('d', MINUTE);
  expect(counter.count('d', MINUTE).used).toBe(2);
  expect(counter.count('c', MINUTE).used).toBe(1);
});
