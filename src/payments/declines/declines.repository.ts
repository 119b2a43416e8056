import { trusted, type Connection, type mongo } from 'mongoose';
import { CHANGES_MAX_AWAIT_MS } from '../../mongodb/follow-changes';
import { createDeclineModel, type DeclineDocument } from './declines.model';

export interface DeclineRepository {
  /** Adds a declined payment, unless it is there already. */
  add(decline: Pick<DeclineDocument, '_id' | 'by'>): Promise<void>;
  find(key: string): Promise<DeclineDocument | null>;
  /** Says where a declined payment came from. Returns null if it is known already, or there is no such payment. */
  addSource(key: string, from: string): Promise<DeclineDocument | null>;
  /** Finds the latest ones, the oldest first. */
  findSince(time: Date, limit: number): Promise<DeclineDocument[]>;
  watch(): mongo.ChangeStream<DeclineDocument>;
}

export function createDeclineRepository(connection: Connection): DeclineRepository {
  const declines = createDeclineModel(connection);
  return {
    async add({ _id, by }) {
      await declines.updateOne({ _id }, { $setOnInsert: { by, at: new Date() } }, { upsert: true });
    },

    find: (key) => declines.findById(key).lean(),

    addSource(key, from) {
      const unknown = { _id: key, from: trusted({ $exists: false }) };
      return declines.findOneAndUpdate(unknown, { $set: { from } }, { returnDocument: 'after' }).lean();
    },

    async findSince(time, limit) {
      const latest = await declines
        .find({ at: trusted({ $gt: time }) })
        .sort({ at: -1 })
        .limit(limit)
        .lean();
      return latest.reverse();
    },

    watch: () =>
      connection
        .db!.collection<DeclineDocument>(declines.collection.name)
        .watch<DeclineDocument>([{ $match: { operationType: { $in: ['insert', 'update'] } } }], {
          fullDocument: 'updateLookup',
          maxAwaitTimeMS: CHANGES_MAX_AWAIT_MS,
        }),
  };
}
