import { trusted, type Connection } from 'mongoose';
import { createAuditRecorder } from '../../audit/recorder';
import type { Origin } from '../../domain/audit';
import { unlessTaken } from '../../mongodb/errors';
import { createTransact } from '../../mongodb/transaction';
import { createSessionModel } from '../sessions/sessions.model';
import { createSecondFactorModel, type SecondFactorDocument } from './second-factors.model';

export type SecondFactor = Omit<SecondFactorDocument, '_id'>;

/** A code that was shown to be right, and the session that did. */
export interface Activation {
  userId: string;
  sessionId: string;
  step: number;
  recoveryCodes: string[];
}

export interface SecondFactorRepository {
  find(userId: string): Promise<SecondFactor | null>;
  /** Keeps a secret of which no code has been shown yet. Returns false if the user has one that is on. */
  begin(userId: string, secret: string): Promise<boolean>;
  /**
   * Turns it on, lets the session have it, and ends the user's other sessions, which began without it. Returns false if the
   * step is used, it is on already, or the session has ended.
   */
  turnOn(activation: Activation, origin: Origin): Promise<boolean>;
  /** Uses up the step. Returns false if it, or a later one, has been used. */
  useStep(userId: string, step: number): Promise<boolean>;
  /** Uses up a recovery code. Returns false if there is none with this hash. */
  useRecoveryCode(userId: string, hash: string): Promise<boolean>;
  /** Removes it, also from the user's sessions. Returns false if there is none. */
  remove(userId: string, origin: Origin): Promise<boolean>;
}

export function createSecondFactorRepository(connection: Connection): SecondFactorRepository {
  const factors = createSecondFactorModel(connection);
  const sessions = createSessionModel(connection);
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
      // One that is on is not found, and then its id is taken.
      const begun = await unlessTaken(() =>
        factors.updateOne({ _id: userId, isOn: false }, { $set: fresh }, { upsert: true }),
      );
      return begun !== undefined;
    },

    turnOn: ({ userId, sessionId, step, recoveryCodes }, origin) =>
      transact(async (session) => {
        const waiting = { _id: userId, isOn: false, lastStep: trusted({ $lt: step }) };
        const change = { $set: { isOn: true, lastStep: step, recoveryCodes } };
        const { matchedCount } = await factors.updateOne(waiting, change, { session });
        if (matchedCount === 0) return false;
        const own = { _id: sessionId, userId, endedAt: null };
        const passed = await sessions.updateOne(own, { $set: { hasSecondFactor: true } }, { session });
        if (passed.matchedCount === 0) {
          await session.abortTransaction();
          return false;
        }
        await recordAudit(audited(userId, false, origin), session);
        return true;
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
        if (!removed) return false;
        await sessions.updateMany({ userId }, { $set: { hasSecondFactor: false } }, { session });
        await recordAudit(audited(userId, true, origin), session);
        return true;
      }),
  };
}
