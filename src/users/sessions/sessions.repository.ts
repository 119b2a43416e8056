import { trusted, type Connection } from 'mongoose';
import type { UserDocument } from '../users.model';
import { createSessionModel, type SessionDocument } from './sessions.model';

export type Session = Pick<SessionDocument, 'userId' | 'tokenHash' | 'tokenVersion' | 'expiresAt'> & {
  id: string;
};

type SessionOwner = Pick<UserDocument, 'tokenVersion' | 'keptSessionId'> & { id: string };

export interface SessionRepository {
  insert(session: Session): Promise<void>;
  find(id: string): Promise<Session | null>;
  /** Replaces a token by the next one. Returns false if it is not the newest or the session has expired. */
  rotate(id: string, tokenHash: string, nextTokenHash: string): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Removes the sessions that the user's version has revoked. */
  removeRevoked(user: SessionOwner): Promise<void>;
}

export function createSessionRepository(connection: Connection): SessionRepository {
  const sessions = createSessionModel(connection);
  return {
    async insert({ id, ...fields }) {
      const now = new Date();
      await sessions.create({ _id: id, ...fields, createdAt: now, refreshedAt: now });
    },

    async find(id) {
      const found = await sessions.findById(id).lean();
      return found && toSession(found);
    },

    async rotate(id, tokenHash, nextTokenHash) {
      const now = new Date();
      const { matchedCount } = await sessions.updateOne(
        { _id: id, tokenHash, expiresAt: trusted({ $gt: now }) }, // MongoDB removes expired documents with a delay
        { $set: { tokenHash: nextTokenHash, refreshedAt: now } },
      );
      return matchedCount > 0;
    },

    async remove(id) {
      await sessions.deleteOne({ _id: id });
    },

    async removeRevoked({ id, tokenVersion, keptSessionId }) {
      const others = trusted({ $ne: keptSessionId ?? '' });
      await sessions.deleteMany({ userId: id, tokenVersion: trusted({ $lt: tokenVersion }), _id: others });
    },
  };
}

function toSession({ _id, userId, tokenHash, tokenVersion, expiresAt }: SessionDocument): Session {
  return { id: _id, userId, tokenHash, tokenVersion, expiresAt };
}
