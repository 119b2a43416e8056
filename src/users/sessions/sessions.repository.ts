import { trusted, type Connection, type QueryFilter } from 'mongoose';
import { createTransact } from '../../mongodb/transaction';
import type { Origin } from '../../domain/audit';
import { createKeyRevocation } from '../key-revocation';
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
  | 'endedAt'
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
  /** Also finds a session that has ended, until its access tokens have expired. */
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
  endOwn(userId: string, id: string, origin: Origin): Promise<boolean>;
  /** Ends all sessions of the user but one, and revokes the API keys that were made in them. */
  endOthers(userId: string, keptId: string, origin: Origin): Promise<void>;
  /** Ends a session whose refresh token was copied, unless it has ended, and revokes the API keys that were made in it. */
  endStolen(id: string, origin: Origin): Promise<void>;
  /** Removes the sessions that the user's version has revoked. */
  removeRevoked(user: SessionOwner): Promise<void>;
}

/** Clocks differ: an ended session is known for this long after its access tokens have expired, in milliseconds. */
const CLOCKS_DIFFER_MS = 60_000;

/** The change that ends a session. */
const END = [{ $set: { endedAt: '$$NOW', expiresAt: { $add: ['$accessUntil', CLOCKS_DIFFER_MS] } } }];

export function createSessionRepository(connection: Connection): SessionRepository {
  const sessions = createSessionModel(connection);
  const revokeKeys = createKeyRevocation(connection);
  const transact = createTransact(connection);

  /** Returns false if there are none: the user signed out just now. */
  function endWithKeys(which: QueryFilter<SessionDocument>, origin: Origin): Promise<boolean> {
    return transact(async (session) => {
      const lasting = { ...which, endedAt: null };
      const ending = await sessions.find(lasting, { _id: 1 }, { session }).lean();
      const ids = ending.map(({ _id }) => _id);
      const these = { _id: trusted({ $in: ids }), endedAt: null };
      await sessions.updateMany(these, END, { session, updatePipeline: true });
      await revokeKeys({ sessionId: trusted({ $in: ids }) }, origin, session);
      return ids.length > 0;
    });
  }

  return {
    async insert({ id, createdAt, ...fields }) {
      await sessions.create({ _id: id, ...fields, createdAt, refreshedAt: createdAt });
    },

    async find(id) {
      const found = await sessions.findById(id).lean();
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

    endOwn: (userId, id, origin) => endWithKeys({ _id: id, userId }, origin),

    async endOthers(userId, keptId, origin) {
      await endWithKeys({ userId, _id: trusted({ $ne: keptId }) }, origin);
    },

    endStolen: (id, origin) =>
      transact(async (session) => {
        await sessions.updateOne({ _id: id, endedAt: null }, END, { session, updatePipeline: true });
        await revokeKeys({ sessionId: id }, origin, session);
      }),

    async removeRevoked({ id, tokenVersion, keptSessionId }) {
      const others = trusted({ $ne: keptSessionId ?? '' });
      await sessions.deleteMany({ userId: id, tokenVersion: trusted({ $lt: tokenVersion }), _id: others });
    },
  };
}

function toSession({ _id, reliedOn: _relied, refreshedAt: _refreshed, ...fields }: SessionDocument): Session {
  return { id: _id, ...fields };
}
