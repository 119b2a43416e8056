import {
  FAILING_LIMIT_MS,
  healthAfter,
  MAX_ATTEMPTS,
  OLD_SECRET_MS,
  readRetryAfter,
  replaceSecret,
  retryDelayMs,
  validSecrets,
  verdictOf,
  type EndpointHealth,
} from '../../src/domain/webhook';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-01-15T09:00:00Z');

describe('retryDelayMs', () => {
  it('spreads ten attempts over three days, and then gives up', () => {
    const delays = Array.from({ length: MAX_ATTEMPTS }, (_, n) => retryDelayMs(n + 1, null, 0));
    const hours = [2, 5, 10, 14, 20, 24].map((count) => count * HOUR);
    expect(delays).toEqual([5 * SECOND, 5 * MINUTE, 30 * MINUTE, ...hours, null]);
  });

  it('adds up to a tenth, so that what failed together is not tried again together', () => {
    expect(retryDelayMs(2, null, 0.5)).toBe(5 * MINUTE * 1.05);
    expect(retryDelayMs(2, null, 1)).toBe(5 * MINUTE * 1.1);
  });

  it('obeys a receiver that wants to be left alone for longer, for up to a day', () => {
    expect(retryDelayMs(1, MINUTE, 0)).toBe(MINUTE);
    expect(retryDelayMs(3, MINUTE, 0)).toBe(30 * MINUTE);
    expect(retryDelayMs(1, 365 * 24 * HOUR, 0)).toBe(24 * HOUR);
    expect(retryDelayMs(MAX_ATTEMPTS, MINUTE, 0)).toBeNull();
  });
});

describe('readRetryAfter', () => {
  it.each([
    ['120', 120 * SECOND],
    ['0', 0],
    ['Thu, 15 Jan 2026 09:00:30 GMT', 30 * SECOND],
    ['Thu, 15 Jan 2026 08:00:00 GMT', 0],
    ['at Thu, 15 Jan 2026 09:00:30 GMT', null],
    ['Thu, 15 Jan 2026 09:00:30 GMT+1', null],
    ['soon', null],
    ['-5', null],
    ['9'.repeat(400), null],
    [undefined, null],
  ])('reads %j', (header, expected) => {
    expect(readRetryAfter(header, NOW)).toBe(expected);
  });
});

it.each([
  [199, 'failed'],
  [200, 'accepted'],
  [204, 'accepted'],
  [299, 'accepted'],
  [300, 'failed'],
  [301, 'failed'],
  [307, 'failed'],
  [400, 'failed'],
  [404, 'failed'],
  [410, 'gone'],
  [429, 'failed'],
  [500, 'failed'],
] as const)('takes %i for %s', (status, verdict) => {
  expect(verdictOf(status)).toBe(verdict);
});

describe('healthAfter', () => {
  const fresh: EndpointHealth = { disabledReason: null, failingSince: null };

  it('disables what has failed for five days without a success', () => {
    const failing = healthAfter(fresh, 'failed', NOW);
    expect(failing).toEqual({ disabledReason: null, failingSince: NOW });
    expect(healthAfter(failing, 'failed', NOW + FAILING_LIMIT_MS - 1)).toEqual(failing);
    expect(healthAfter(failing, 'failed', NOW + FAILING_LIMIT_MS)).toEqual({
      disabledReason: 'failing',
      failingSince: NOW,
    });
  });

  it('forgets the failures with a success', () => {
    const failing = healthAfter(fresh, 'failed', NOW);
    expect(healthAfter(failing, 'accepted', NOW + FAILING_LIMIT_MS)).toEqual(fresh);
  });

  it('disables at once what wants no more', () => {
    expect(healthAfter(fresh, 'gone', NOW).disabledReason).toBe('gone');
  });

  it('leaves what is disabled so', () => {
    const disabled: EndpointHealth = { disabledReason: 'by_admin', failingSince: null };
    for (const verdict of ['accepted', 'failed', 'gone'] as const)
      expect(healthAfter(disabled, verdict, NOW)).toEqual(disabled);
  });
});

describe('secrets', () => {
  const first = { name: 'first', expiresAt: null };
  const second = { name: 'second', expiresAt: null };
  const third = { name: 'third', expiresAt: null };
  const names = (secrets: { name: string; expiresAt: number | null }[], now: number) =>
    validSecrets(secrets, now).map(({ name }) => name);

  it('has both sign for a day when one is replaced, the newest first', () => {
    const two = replaceSecret([first], second, NOW);
    expect(names(two, NOW + OLD_SECRET_MS - 1)).toEqual(['second', 'first']);
    expect(names(two, NOW + OLD_SECRET_MS)).toEqual(['second']);
  });

  it('ends the one before the last at once', () => {
    const two = replaceSecret([first], second, NOW);
    expect(names(replaceSecret(two, third, NOW + 1), NOW + 1)).toEqual(['third', 'second']);
  });
});
