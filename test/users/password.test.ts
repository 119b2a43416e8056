import { hashPassword, verifyPassword } from '../../src/users/password';

test('of a flood of passwords some are checked and the rest are turned away at once; then all is as before', async () => {
  const hash = await hashPassword('correct horse battery');
  const flood = await Promise.allSettled(
    Array.from({ length: 200 }, (_, n) => verifyPassword(hash, n === 0 ? 'correct horse battery' : 'guess')),
  );
  const refusals = flood.filter((check) => check.status === 'rejected').map(({ reason }) => reason as object);
  expect(refusals.length).toBeGreaterThanOrEqual(200 - 64 - 2);
  expect(refusals.length).toBeLessThanOrEqual(200 - 64);
  for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'service_unavailable', status: 503 });
  expect(flood[0]).toEqual({ status: 'fulfilled', value: true });
  await expect(verifyPassword(hash, 'correct horse battery')).resolves.toBe(true);
  await expect(verifyPassword(undefined, 'correct horse battery')).resolves.toBe(false);
});
