import { trusted, type Connection, type mongo } from 'mongoose';
import { CHANGES_MAX_AWAIT_MS } from '../../mongodb/follow-changes';
import { createUserModel, type UserDocument } from '../users.model';

/** All tokens of the user below that version are ended, but for those of one session. */
export type TokenEnd = Pick<UserDocument, '_id' | 'tokenVersion' | 'keptSessionId' | 'tokensEndedAt'>;

export interface EndedTokensRepository {
  /** The oldest first. */
  findSince(time: Date): Promise<TokenEnd[]>;
  watch(): mongo.ChangeStream<UserDocument>;
}

const FIELDS = { tokenVersion: 1, keptSessionId: 1, tokensEndedAt: 1 } as const;

export function createEndedTokensRepository(connection: Connection): EndedTokensRepository {
  const users = createUserModel(connection);
  return {
    findSince: (time) =>
      users
        .find({ tokensEndedAt: trusted({ $gte: time }) }, FIELDS)
        .sort({ tokensEndedAt: 1 })
        .lean(),

    watch() {
      const ofTokens = { 'updateDescription.updatedFields.tokenVersion': { $exists: true } };
      const fields = Object.keys(FIELDS).map((name) => [`fullDocument.${name}`, 1]);
      const project = { operationType: 1, documentKey: 1, ns: 1, ...Object.fromEntries(fields) };
      return connection.db!.collection<UserDocument>(users.collection.name).watch<UserDocument>(
        [{ $match: ofTokens }, { $project: project }], // what else a user has stays where it is
        { fullDocument: 'updateLookup', maxAwaitTimeMS: CHANGES_MAX_AWAIT_MS },
      );
    },
  };
}
