import { trusted, type Connection, type mongo } from 'mongoose';
import { CHANGES_MAX_AWAIT_MS } from '../../mongodb/follow-changes';
import { createSessionModel, type SessionDocument } from './sessions.model';

/** A session that has ended, and until when it has to be known. */
export type EndedSession = Pick<SessionDocument, '_id' | 'expiresAt'>;

export interface EndedSessionsRepository {
  /** Finds ended sessions that still have to be known. */
  findKnown(): Promise<EndedSession[]>;
  watch(): mongo.ChangeStream<SessionDocument>;
}

export function createEndedSessionsRepository(connection: Connection): EndedSessionsRepository {
  const sessions = createSessionModel(connection);
  return {
    findKnown: () => sessions.find({ endedAt: trusted({ $gt: new Date(0) }) }, { expiresAt: 1 }).lean(),

    watch: () =>
      connection.db!.collection<SessionDocument>(sessions.collection.name).watch<SessionDocument>(
        [
          { $match: { 'updateDescription.updatedFields.endedAt': { $exists: true } } },
          {
            $project: {
              operationType: 1,
              documentKey: 1,
              ns: 1,
              'updateDescription.updatedFields.expiresAt': 1,
            },
          },
        ],
        { maxAwaitTimeMS: CHANGES_MAX_AWAIT_MS },
      ),
  };
}
