import * as argon2 from '@node-rs/argon2';
import { hashPassword, verifyPassword } from '../../../src/users/passwords/password';

jest.mock('@node-rs/argon2', () => {
  const actual = jest.requireActual<typeof argon2>('@node-rs/argon2');
  return { ...actual, verify: jest.fn(actual.verify) };
});

it('checks a password for a user who does not exist with the same effort', async () => {
  const verify = jest.mocked(argon2.verify);
  const hash = await hashPassword('correct horse battery');
  for (const known of [hash, undefined]) {
    verify.mockClear();
    await expect(verifyPassword(known, 'guess')).resolves.toBe(false);
    expect(verify).toHaveBeenCalledTimes(1);
    expect(verify.mock.calls[0]![0]).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  }
});

it('lets others sign in while one address floods, whose own requests are rejected beyond 64', async () => {
  const verify = jest.mocked(argon2.verify);
  const hash = await hashPassword('correct horse battery');
  verify.mockClear();
  const flood = Array.from({ length: 100 }, () => verifyPassword(hash, 'guess', '192.0.2.1'));
  const ofAnother = verifyPassword(hash, 'correct horse battery', '192.0.2.2');
  const ended = Promise.allSettled(flood);
  await expect(ofAnother).resolves.toBe(true);
  // After the two under way and one that waits: how long each takes is up to the machine.
  expect(verify.mock.calls.findIndex(([, password]) => password === 'correct horse battery')).toBe(3);
  const refused = (await ended).filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(100 - 64 - 2);
});

it('checks only some of a flood of passwords, rejects the rest at once, and recovers', async () => {
  const hash = await hashPassword('correct horse battery');
  const flood = await Promise.allSettled(
    Array.from({ length: 200 }, (_, n) => verifyPassword(hash, n === 0 ? 'correct horse battery' : 'guess')),
  );
  const rejected = flood.filter((check) => check.status === 'rejected').map(({ reason }) => reason as object);
  expect(rejected.length).toBeGreaterThanOrEqual(200 - 64 - 2);
  expect(rejected.length).toBeLessThanOrEqual(200 - 64);
  for (const reason of rejected) expect(reason).toMatchObject({ code: 'service_unavailable', status: 503 });
  expect(flood[0]).toEqual({ status: 'fulfilled', value: true });
  await expect(verifyPassword(hash, 'correct horse battery')).resolves.toBe(true);
  await expect(verifyPassword(undefined, 'correct horse battery')).resolves.toBe(false);
});
