import { trusted, type Connection, type mongo } from 'mongoose';
import { CHANGES_MAX_AWAIT_MS } from '../../mongodb/follow-changes';
import { createDeclineModel, type DeclineDocument } from './declines.model';

export interface DeclineRepository {
  /** Adds a declined payment, unless it is there already. */
  add(decline: Pick<DeclineDocument, '_id' | 'by'>): Promise<void>;
  ofOrder(orderId: string): Promise<DeclineDocument[]>;
  /** Says where a declined payment came from, unless that is known already. */
  addSource(key: string, from: string): Promise<void>;
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

    /** The key of a payment is the id of its order, a hyphen and a number. */
    ofOrder: (orderId) => declines.find({ _id: trusted({ $gt: `${orderId}-`, $lt: `${orderId}.` }) }).lean(),

    async addSource(key, from) {
      await declines.updateOne({ _id: key, from: trusted({ $exists: false }) }, { $set: { from } });
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
