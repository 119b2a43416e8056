import type { ClientSession, Connection, mongo } from 'mongoose';
import { encodeTime } from 'ulid';
import type { Transact } from '../mongodb/transaction';
import {
  createAuditDayModel,
  createAuditModel,
  type AuditDayDocument,
  type AuditDocument,
} from './audit.model';
import { BEGINNING, dayOf, hashOf } from './chain';

export type AuditRepository = ReturnType<typeof createAuditRepository>;

export interface AuditFilter {
  actor?: string;
  object?: string;
  /** Only entries of this time or later. */
  from?: Date;
}

/** The end of the chain of a day. */
export type Seal = Pick<AuditDayDocument, 'entries' | 'hash'> & { day: string };

/** How many entries get their places in one transaction. */
const SEALED_AT_ONCE = 500;
/** How many are removed by one command, which has to end within the time-out of the connection. */
const REMOVED_AT_ONCE = 5_000;

/**
 * The audit log without its writing, see `createAuditRecorder`. An entry gets its place in the chain of the day after it was
 * written, since transactions would wait for each other at the end of one chain.
 */
export function createAuditRepository(connection: Connection, transact: Transact) {
  // As they are: Mongoose would leave out empty objects, and the hash would be another one.
  const audit = connection.collection<AuditDocument>(createAuditModel(connection).collection.name);
  const days = connection.collection<AuditDayDocument>(createAuditDayModel(connection).collection.name);

  /** Returns the chain of today, which begins where that of the last day ended. A clock that is behind does not begin one. */
  async function chainOf(day: string, session: ClientSession): Promise<AuditDayDocument> {
    const last = await days.findOne({}, { session, sort: { _id: -1 } });
    if (last && last._id >= day) return last;
    const previous = last?.hash ?? BEGINNING;
    return { _id: day, entries: 0, previous, hash: previous };
  }

  async function erase(entries: mongo.Filter<AuditDocument>): Promise<void> {
    await audit.updateMany({ ...entries, private: { $exists: true } }, { $unset: { private: true } });
  }

  return {
    /** Returns entries, newest first. @param page `after` is the id of the last entry of the previous page */
    list(
      { actor, object, from }: AuditFilter,
      { limit, after }: { limit: number; after?: string },
    ): Promise<AuditDocument[]> {
      const range = {
        ...(from && { $gte: `aud_${encodeTime(Math.max(0, from.getTime()), TIME_CHARACTERS)}` }),
        ...(after !== undefined && { $lt: after }),
      };
      const filter: mongo.Filter<AuditDocument> = {
        ...(actor !== undefined && { actor }),
        ...(object !== undefined && { object }),
        ...(Object.keys(range).length > 0 && { _id: range }),
      };
      return audit.find(filter).sort({ _id: -1 }).limit(limit).toArray();
    },

    /**
     * Gives entries their places in the chain, the oldest first. Of several processes that do so at once, one wins, and the
     * others find what it has left.
     * @returns the new end of the chain, or null if there was nothing to seal
     */
    seal: (now = new Date()): Promise<Seal | null> =>
      transact(async (session) => {
        const unsealed = await audit
          .find({ unsealed: true }, { session, sort: { _id: 1 }, limit: SEALED_AT_ONCE })
          .toArray();
        if (unsealed.length === 0) return null;
        const chain = await chainOf(dayOf(now), session);
        let { entries: position, hash } = chain;
        const updates = unsealed.map((entry) => {
          const place = { day: chain._id, position: ++position };
          hash = hashOf(hash, { ...entry, ...place });
          const update = { $set: { ...place, hash }, $unset: { unsealed: true as const } };
          return { updateOne: { filter: { _id: entry._id, unsealed: true as const }, update } };
        });
        // First, since it is what two processes collide at.
        await days.replaceOne(
          { _id: chain._id, entries: chain.entries },
          { ...chain, entries: position, hash },
          { session, upsert: true },
        );
        await audit.bulkWrite(updates, { session });
        return { day: chain._id, entries: position, hash };
      }),

    /**
     * Removes the entries of the days before that time, some at a time. What says how their chains ended stays.
     * @param onProgress called after each time
     */
    async removeBefore(time: Date, onProgress: () => void = () => undefined): Promise<number> {
      const old = { $gt: '', $lt: dayOf(time) };
      // Said first: a day that is removed in part is not mistaken for one with a hole.
      await days.updateMany(
        { _id: old, removedAt: { $exists: false } },
        { $currentDate: { removedAt: true } },
      );
      for (let removed = 0; ;) {
        const some = { projection: { _id: 1 }, limit: REMOVED_AT_ONCE };
        const found = await audit.find({ day: old }, some).toArray();
        if (found.length === 0) return removed;
        const ids = found.map(({ _id }) => _id);
        removed += (await audit.deleteMany({ _id: { $in: ids } })).deletedCount;
        onProgress();
      }
    },

    /**
     * Returns entries about a user and of what the user did, newest first.
     * @param ids all that the user has
     * @param page as that of `list`
     */
    ofUser(
      ids: readonly string[],
      { limit, after }: { limit: number; after?: string },
    ): Promise<AuditDocument[]> {
      const theirs = ids.flatMap((id) => [{ subject: id }, { actor: id }, { object: id }]);
      const filter = { $or: theirs, ...(after !== undefined && { _id: { $lt: after } }) };
      return audit.find(filter).sort({ _id: -1 }).limit(limit).toArray();
    },

    /** Erases the private parts of entries about a user, or of what the user did; the chain still holds. */
    erasePrivateParts: (userId: string): Promise<void> =>
      erase({ $or: [{ subject: userId }, { actor: userId }] }),

    /** Erases the private parts of entries about an order; the chain still holds. */
    erasePrivatePartsOfOrder: (orderId: string): Promise<void> => erase({ object: orderId }),
  };
}

/** In how many characters an ULID begins with its time. */
const TIME_CHARACTERS = 10;
