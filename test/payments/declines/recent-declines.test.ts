import { createPaymentDeclines } from '../../../src/payments/declines/payment-declines';
import { createRecentDeclines } from '../../../src/payments/declines/recent-declines';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Declined payments in memory, with a clock that the test sets. */
function recentDeclines(max = 10) {
  const clock = { now: HOUR };
  const declines = createRecentDeclines({ max, now: () => clock.now });
  const decline = (_id: string, by: string, from?: string) =>
    declines.add({ _id, by, at: new Date(clock.now), ...(from !== undefined && { from }) });
  return { ...declines, clock, decline };
}

it('says for how much longer there are as many as the limit', () => {
  const { msAtLimit, clock, decline } = recentDeclines();
  decline('ord_1-1', 'usr_1');
  clock.now += MINUTE;
  decline('ord_2-1', 'usr_1');
  clock.now += MINUTE;
  decline('ord_3-1', 'usr_2');
  expect(msAtLimit('by', 'usr_1', 1)).toBe(59 * MINUTE);
  expect(msAtLimit('by', 'usr_1', 2)).toBe(58 * MINUTE);
  expect(msAtLimit('by', 'usr_1', 3)).toBe(0);
  expect(msAtLimit('by', 'usr_1', 0)).toBe(0); // no limit
  expect(msAtLimit('by', 'usr_3', 1)).toBe(0);
  expect(msAtLimit('from', undefined, 1)).toBe(0);
});

it('counts a payment once, and for its address as soon as that is known', () => {
  const { msAtLimit, decline } = recentDeclines();
  decline('ord_1-1', 'usr_1');
  expect(msAtLimit('from', 'address', 1)).toBe(0);
  decline('ord_1-1', 'usr_1', 'address');
  decline('ord_1-1', 'usr_1');
  expect(msAtLimit('from', 'address', 1)).toBe(HOUR);
  expect(msAtLimit('by', 'usr_1', 2)).toBe(0);
});

it('forgets a payment after an hour, also when it is not the only one of its user', () => {
  const { msAtLimit, clock, decline } = recentDeclines();
  decline('ord_1-1', 'usr_1', 'address');
  decline('ord_2-1', 'usr_2');
  clock.now += HOUR - 1;
  decline('ord_3-1', 'usr_1');
  expect(msAtLimit('by', 'usr_1', 2)).toBe(1);
  clock.now += 1;
  // Nothing was added since, so both of them are still in memory.
  expect([msAtLimit('by', 'usr_1', 2), msAtLimit('by', 'usr_2', 1), msAtLimit('from', 'address', 1)]).toEqual(
    [0, 0, 0],
  );
  decline('ord_4-1', 'usr_2');
  expect([msAtLimit('by', 'usr_1', 1), msAtLimit('by', 'usr_2', 1)]).toEqual([HOUR - 1, HOUR]);
  expect([msAtLimit('by', 'usr_1', 2), msAtLimit('by', 'usr_2', 2)]).toEqual([0, 0]);
});

it('forgets the oldest when there are more than it may have in memory', () => {
  const { msAtLimit, clock, decline } = recentDeclines(2);
  for (const [n, by] of ['usr_1', 'usr_2', 'usr_1'].entries()) {
    clock.now += n;
    decline(`ord_${n}-1`, by, `address_${n}`);
  }
  expect([msAtLimit('by', 'usr_1', 1), msAtLimit('by', 'usr_1', 2)]).toEqual([HOUR, 0]);
  expect(msAtLimit('by', 'usr_2', 1)).toBeGreaterThan(0);
  expect(msAtLimit('from', 'address_0', 1)).toBe(0);
});

it('has a limit for customers, and another for those who order for others', () => {
  const { msAtLimit, decline } = recentDeclines();
  const limits = { perUser: 1, perStaff: 2, perAddress: 0 };
  const { isAtLimit } = createPaymentDeclines({ add: async () => undefined }, { msAtLimit }, limits);
  decline('ord_1-1', 'usr_1');
  expect(isAtLimit({ by: 'usr_1', customerId: 'usr_1' })).toBe(true);
  expect(isAtLimit({ by: 'usr_1', customerId: 'usr_2' })).toBe(false);
  decline('ord_2-1', 'usr_1');
  expect(isAtLimit({ by: 'usr_1', customerId: 'usr_2' })).toBe(true);
});
