import { trusted, type Connection, type mongo } from 'mongoose';
import { CHANGES_MAX_AWAIT_MS } from '../../mongodb/follow-changes';
import { createUserModel, type UserDocument } from '../users.model';

/** Revokes all tokens of the user below its version, except for those of one session. */
export type Revocation = Pick<UserDocument, '_id' | 'tokenVersion' | 'keptSessionId' | 'tokensRevokedAt'>;

export interface RevokedTokensRepository {
  /** Finds revocations, the oldest first. */
  findSince(time: Date): Promise<Revocation[]>;
  watch(): mongo.ChangeStream<UserDocument>;
}

const FIELDS = { tokenVersion: 1, keptSessionId: 1, tokensRevokedAt: 1 } as const;

export function createRevokedTokensRepository(connection: Connection): RevokedTokensRepository {
  const users = createUserModel(connection);
  return {
    findSince: (time) =>
      users
        .find({ tokensRevokedAt: trusted({ $gte: time }) }, FIELDS)
        .sort({ tokensRevokedAt: 1 })
        .lean(),

    watch() {
      const ofTokens = { 'updateDescription.updatedFields.tokenVersion': { $exists: true } };
      const fields = Object.keys(FIELDS).map((name) => [`fullDocument.${name}`, 1]);
      const project = { operationType: 1, documentKey: 1, ns: 1, ...Object.fromEntries(fields) };
      return connection.db!.collection<UserDocument>(users.collection.name).watch<UserDocument>(
        [{ $match: ofTokens }, { $project: project }], // the rest of the user stays in the database
        { fullDocument: 'updateLookup', maxAwaitTimeMS: CHANGES_MAX_AWAIT_MS },
      );
    },
  };
}
