import { trusted, type Connection, type QueryFilter } from 'mongoose';
import { createTransact } from '../../mongodb/transaction';
import { createApiKeyModel } from '../api-keys.model';
import type { UserDocument } from '../users.model';
import { createSessionModel, type SessionDocument } from './sessions.model';
import { isRevokedBy } from './signed-in';

export type Session = Pick<
  SessionDocument,
  | 'userId'
  | 'family'
  | 'tokenHash'
  | 'tokenVersion'
  | 'createdAt'
  | 'accessUntil'
  | 'expiresAt'
  | 'usedFrom'
  | 'hasSecondFactor'
> & { id: string };

/** A session as its user sees it. */
export type ListedSession = Pick<SessionDocument, 'createdAt' | 'refreshedAt' | 'expiresAt'> & { id: string };

type SessionOwner = Pick<UserDocument, 'tokenVersion' | 'keptSessionId'> & { id: string };

export interface Rotation {
  /** The hash of the token that is replaced. */
  from: string;
  /** The hash of the next one. */
  to: string;
  /** When the access token expires that is issued with it. */
  accessUntil: Date;
  usedFrom: string;
}

export interface SessionRepository {
  insert(session: Session): Promise<void>;
  /** Returns null for a session that has ended. */
  find(id: string): Promise<Session | null>;
  /** Replaces a token by the next one. Returns false if it is not the newest or the session has ended or expired. */
  rotate(id: string, rotation: Rotation): Promise<boolean>;
  /** Returns whether there is a session that was used last from there. */
  isUsedFrom(usedFrom: string): Promise<boolean>;
  /** Ends a session, so that every process rejects its access tokens. */
  end(id: string): Promise<void>;
  /** Lists the sessions of a user that last, newest first. */
  list(user: SessionOwner, limit: number): Promise<ListedSession[]>;
  /**
   * Ends a session of the user, and revokes the API keys that were made in it. Returns false if the user has no such
   * session.
   */
  endOwn(userId: string, id: string): Promise<boolean>;
  /** Ends all sessions of the user but one. */
  endOthers(userId: string, keptId: string): Promise<void>;
  /** Ends all sessions of the user but one, and revokes the API keys that were made in them. */
  endStolenOthers(userId: string, keptId: string): Promise<void>;
  /** Ends a session whose refresh token was copied, and revokes the API keys that were made in it. */
  endStolen(id: string): Promise<void>;
  /** Removes the sessions that the user's version has revoked. */
  removeRevoked(user: SessionOwner): Promise<void>;
}

/** Clocks differ: an ended session is known for this long after its access tokens have expired, in milliseconds. */
const CLOCKS_DIFFER_MS = 60_000;

/** The change that ends a session. */
const END = [{ $set: { endedAt: '$$NOW', expiresAt: { $add: ['$accessUntil', CLOCKS_DIFFER_MS] } } }];

export function createSessionRepository(connection: Connection): SessionRepository {
  const sessions = createSessionModel(connection);
  const keys = createApiKeyModel(connection);
  const transact = createTransact(connection);
  /** Returns false if there are none: the user signed out just now. */
  function endStolen(which: QueryFilter<SessionDocument>): Promise<boolean> {
    return transact(async (session) => {
      const lasting = { ...which, endedAt: null };
      const ending = await sessions.find(lasting, { _id: 1 }, { session }).lean();
      const ids = ending.map(({ _id }) => _id);
      const these = { _id: trusted({ $in: ids }), endedAt: null };
      await sessions.updateMany(these, END, { session, updatePipeline: true });
      const made = { sessionId: trusted({ $in: ids }), revokedAt: null };
      await keys.updateMany(made, { $currentDate: { revokedAt: true } }, { session });
      return ids.length > 0;
    });
  }

  return {
    async insert({ id, createdAt, ...fields }) {
      await sessions.create({ _id: id, ...fields, createdAt, refreshedAt: createdAt });
    },

    async find(id) {
      const found = await sessions.findOne({ _id: id, endedAt: null }).lean();
      return found && toSession(found);
    },

    async rotate(id, { from, to, accessUntil, usedFrom }) {
      const now = new Date();
      const { matchedCount } = await sessions.updateOne(
        // MongoDB removes expired documents with a delay.
        { _id: id, tokenHash: from, endedAt: null, expiresAt: trusted({ $gt: now }) },
        { $set: { tokenHash: to, refreshedAt: now, usedFrom }, $max: { accessUntil } },
      );
      return matchedCount > 0;
    },

    async isUsedFrom(usedFrom) {
      const filter = { usedFrom, endedAt: null, expiresAt: trusted({ $gt: new Date() }) };
      return (await sessions.exists(filter)) !== null;
    },

    async end(id) {
      await sessions.updateOne({ _id: id, endedAt: null }, END, { updatePipeline: true });
    },

    async list(user, limit) {
      const lasting = { userId: user.id, endedAt: null, expiresAt: trusted({ $gt: new Date() }) };
      const found = await sessions.find(lasting).sort({ createdAt: -1 }).limit(limit).lean();
      return found
        .filter(({ _id, tokenVersion }) => !isRevokedBy(user, { tokenVersion, sessionId: _id }))
        .map(({ _id: id, createdAt, refreshedAt, expiresAt }) => ({ id, createdAt, refreshedAt, expiresAt }));
    },

    endOwn: (userId, id) => endStolen({ _id: id, userId }),

    async endOthers(userId, keptId) {
      const others = { userId, _id: trusted({ $ne: keptId }), endedAt: null };
      await sessions.updateMany(others, END, { updatePipeline: true });
    },

    async endStolenOthers(userId, keptId) {
      await endStolen({ userId, _id: trusted({ $ne: keptId }) });
    },

    async endStolen(id) {
      await endStolen({ _id: id });
    },

    async removeRevoked({ id, tokenVersion, keptSessionId }) {
      const others = trusted({ $ne: keptSessionId ?? '' });
      await sessions.deleteMany({ userId: id, tokenVersion: trusted({ $lt: tokenVersion }), _id: others });
    },
  };
}

function toSession({
  _id,
  endedAt: _ended,
  reliedOn: _relied,
  refreshedAt: _refreshed,
  ...fields
}: SessionDocument): Session {
  return { id: _id, ...fields };
}
