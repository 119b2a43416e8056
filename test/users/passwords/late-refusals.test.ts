import { createSecretKey, randomBytes } from 'node:crypto';
import { createAttemptKeys } from '../../../src/users/passwords/attempt-keys';
import { createAttemptsModel } from '../../../src/users/passwords/attempts.model';
import { createAttemptRepository } from '../../../src/users/passwords/attempts.repository';
import { createPasswordCheck } from '../../../src/users/passwords/password-check';
import { createCodeCheck } from '../../../src/users/second-factor/code-check';
import { openTestDatabase, type TestDatabase } from '../../support/database';

const EMAIL = 'carol@example.com';
const USER_ID = 'usr_1';
const HOUR_MS = 3_600_000;

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterAll(() => db.drop());

type LookUp = () => Promise<void>;
const wrong: LookUp = () => Promise.resolve();
const refused: LookUp = () => Promise.reject(new Error('full'));

/** Ways to guess for one account, which fail as the look-up does that each of them makes once it is counted. */
function openChecks() {
  const attempts = createAttemptRepository(db.connection);
  const keys = createAttemptKeys(createSecretKey(randomBytes(32)));
  const isSignedInAt = () => Promise.resolve(false);
  const isRight = createPasswordCheck({ attempts, keys, maxFailuresPerAddress: 0, isSignedInAt });
  let addresses = 0;
  const guessPassword = (lookUp: LookUp) => {
    const attempt = { email: EMAIL, address: `192.0.2.${addresses++}`, password: 'guess' };
    return isRight(attempt, () => lookUp().then(() => undefined));
  };
  const guessCode = (lookUp: LookUp) => {
    const useRecoveryCode = () => lookUp().then(() => false);
    const factors = { useRecoveryCode, useStep: () => Promise.resolve(false) };
    const secrets = { open: () => '' };
    const check = createCodeCheck({ factors, secrets, attempts, attemptKeys: keys });
    return check.use(USER_ID, { secret: '' } as never, 'aaaa-aaaa-aaaa-aaaa');
  };
  return {
    passwords: { key: keys.ofAccount(EMAIL), guess: guessPassword },
    codes: { key: keys.ofCodes(USER_ID), guess: guessCode },
  };
}

/** An account for which each further attempt makes the next one wait. */
async function openDelayed(kind: 'passwords' | 'codes') {
  const { key, guess } = openChecks()[kind];
  const attempts = createAttemptsModel(db.connection);
  await attempts.create({ _id: key, count: 20, expiresAt: new Date(Date.now() + HOUR_MS) });
  return {
    guess,
    stored: () => attempts.findById(key).lean(),
    /** Has the wait end so much later than now. */
    moveWait: (ms: number) => attempts.updateOne({ _id: key }, { nextAt: new Date(Date.now() + ms) }),
  };
}

const KINDS = ['passwords', 'codes'] as const;

it.each(KINDS)('keeps the wait of a later attempt if one is refused late: %s', async (kind) => {
  const { guess, stored, moveWait } = await openDelayed(kind);
  const earlier = guess(async () => {
    await moveWait(0);
    await guess(wrong);
    await moveWait(HOUR_MS);
    await refused();
  });
  await expect(earlier).rejects.toThrow('full');
  await expect(guess(wrong)).rejects.toMatchObject({ code: 'rate_limited' });
  await expect(stored()).resolves.toMatchObject({ count: 21 });
});

it.each(KINDS)('makes nobody wait after an attempt that was refused late: %s', async (kind) => {
  const { guess, stored } = await openDelayed(kind);
  await expect(guess(refused)).rejects.toThrow('full');
  await expect(stored()).resolves.toMatchObject({ count: 20 });
  await expect(guess(wrong)).resolves.toBeFalsy();
});
