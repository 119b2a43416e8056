import { trusted } from 'mongoose';
import type { Connection } from 'mongoose';
import { createSessionModel, type SessionDocument } from './sessions.model';

export type Session = Pick<SessionDocument, 'userId' | 'tokenHash' | 'tokenVersion' | 'expiresAt'> & {
  id: string;
};

export interface SessionRepository {
  insert(session: Session): Promise<void>;
  /** Puts the next token in the place of that one. Null when that one is not the newest, or time is over. */
  rotate(id: string, tokenHash: string, nextTokenHash: string): Promise<Session | null>;
  remove(id: string): Promise<void>;
  /** All sessions of the user. @param kept but this one */
  removeOf(userId: string, kept?: string | null): Promise<void>;
}

export function createSessionRepository(connection: Connection): SessionRepository {
  const sessions = createSessionModel(connection);
  return {
    async insert({ id, ...fields }) {
      const now = new Date();
      await sessions.create({ _id: id, ...fields, createdAt: now, refreshedAt: now });
    },

    async rotate(id, tokenHash, nextTokenHash) {
      const now = new Date();
      const rotated = await sessions
        .findOneAndUpdate(
          { _id: id, tokenHash, expiresAt: trusted({ $gt: now }) }, // MongoDB removes what has expired with a delay
          { $set: { tokenHash: nextTokenHash, refreshedAt: now } },
          { returnDocument: 'after' },
        )
        .lean();
      return rotated && toSession(rotated);
    },

    async remove(id) {
      await sessions.deleteOne({ _id: id });
    },

    async removeOf(userId, kept) {
      await sessions.deleteMany({ userId, ...(kept != null && { _id: trusted({ $ne: kept }) }) });
    },
  };
}

function toSession({ _id, userId, tokenHash, tokenVersion, expiresAt }: SessionDocument): Session {
  return { id: _id, userId, tokenHash, tokenVersion, expiresAt };
}
