import { trusted, type Connection } from 'mongoose';
import { createAuditRecorder } from '../../audit/recorder';
import type { Origin } from '../../domain/audit';
import { unlessTaken } from '../../mongodb/errors';
import { createTransact } from '../../mongodb/transaction';
import { createAccountTokenModel } from '../account/account-tokens.model';
import { validToken } from '../account/valid-token';
import { createSessionModel } from '../sessions/sessions.model';
import { revokingTokens, toUser, unrevoked, type User } from '../stored-user';
import { createUserModel } from '../users.model';
import { createSecondFactorModel, type SecondFactorDocument } from './second-factors.model';

export type SecondFactor = Omit<SecondFactorDocument, '_id'>;

/** A code that was shown to be right, and the session that did. */
export interface Activation {
  user: Pick<User, 'id' | 'tokenVersion'>;
  sessionId: string;
  /** The token that was mailed to the user. */
  token: string;
  /** The secret, sealed, whose code it was. */
  secret: string;
  step: number;
  recoveryCodes: string[];
}

export interface SecondFactorRepository {
  find(userId: string): Promise<SecondFactor | null>;
  /** Keeps a secret of which no code has been shown yet. Returns false if the user has one that is on. */
  begin(userId: string, secret: string): Promise<boolean>;
  /**
   * Turns it on, uses up the token, lets the session have it, and revokes the user's other sessions, which began without
   * it. Returns null if the token is not valid, another secret has replaced it, it is on already, or the session has ended.
   */
  turnOn(activation: Activation, origin: Origin): Promise<User | null>;
  /** Uses up the step. Returns false if it, or a later one, has been used. */
  useStep(userId: string, step: number): Promise<boolean>;
  /** Uses up a recovery code. Returns false if there is none with this hash. */
  useRecoveryCode(userId: string, hash: string): Promise<boolean>;
  /** Removes it, and revokes all sessions of the user. Returns null if none is on. */
  remove(userId: string, origin: Origin): Promise<User | null>;
}

const AFTER = { returnDocument: 'after' } as const;

export function createSecondFactorRepository(connection: Connection): SecondFactorRepository {
  const factors = createSecondFactorModel(connection);
  const tokens = createAccountTokenModel(connection);
  const sessions = createSessionModel(connection);
  const users = createUserModel(connection);
  const transact = createTransact(connection);
  const recordAudit = createAuditRecorder(connection);

  const audited = (userId: string, before: boolean, origin: Origin) => ({
    origin,
    action: before ? 'user.totp_off' : 'user.totp_on',
    object: userId,
    subject: userId,
    changes: [{ field: 'totp', before, after: !before }],
    personal: [],
  });

  return {
    async find(userId) {
      return factors.findById(userId).lean();
    },

    async begin(userId, secret) {
      const fresh = { secret, isOn: false, lastStep: 0, recoveryCodes: [] };
      const write = (upsert: boolean) =>
        factors.updateOne({ _id: userId, isOn: false }, { $set: fresh }, { upsert });
      // One that is on is not found, and then its id is taken: also by one that was begun at this very moment.
      const begun = (await unlessTaken(() => write(true))) ?? (await write(false));
      return begun.matchedCount + begun.upsertedCount > 0;
    },

    turnOn: ({ user, sessionId, token, secret, step, recoveryCodes }, origin) =>
      transact(async (session) => {
        const { id: userId, tokenVersion } = user;
        const sent = { ...validToken('totp', token), userId, tokenVersion };
        const own = { _id: sessionId, userId, endedAt: null };
        const passed = { $set: { hasSecondFactor: true } };
        const revocation = revokingTokens({ keptSessionId: sessionId });
        const on = { $set: { isOn: true, lastStep: step, recoveryCodes } };
        const changed =
          (await tokens.deleteOne(sent, { session })).deletedCount > 0 &&
          (await sessions.updateOne(own, passed, { session })).matchedCount > 0 &&
          (await factors.updateOne({ _id: userId, isOn: false, secret }, on, { session })).matchedCount > 0 &&
          (await users.findOneAndUpdate(unrevoked(user), revocation, { session, ...AFTER }).lean());
        if (!changed) {
          await session.abortTransaction();
          return null;
        }
        await recordAudit(audited(userId, false, origin), session);
        return toUser(changed);
      }),

    async useStep(userId, step) {
      const unused = { _id: userId, isOn: true, lastStep: trusted({ $lt: step }) };
      return (await factors.updateOne(unused, { $set: { lastStep: step } })).matchedCount > 0;
    },

    async useRecoveryCode(userId, hash) {
      const own = { _id: userId, isOn: true, recoveryCodes: hash };
      return (await factors.updateOne(own, { $pull: { recoveryCodes: hash } })).matchedCount > 0;
    },

    remove: (userId, origin) =>
      transact(async (session) => {
        const removed = await factors.findOneAndDelete({ _id: userId, isOn: true }, { session }).lean();
        if (!removed) return null;
        const revocation = revokingTokens({ keptSessionId: null });
        const changed = await users.findByIdAndUpdate(userId, revocation, { session, ...AFTER }).lean();
        await recordAudit(audited(userId, true, origin), session);
        return toUser(changed!);
      }),
  };
}
