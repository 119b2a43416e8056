import type { Connection, mongo } from 'mongoose';
import { isDuplicateKey } from '../../mongodb/errors';
import { CHANGES_MAX_AWAIT_MS } from '../../mongodb/follow-changes';
import { createDataKeyModel, type DataKeyDocument } from './model';

export type DataKeyRepository = ReturnType<typeof createDataKeyRepository>;

/** A data key as it is stored. */
export interface WrappedKey {
  wrapped: Buffer;
  wrappedBy: string;
}

export function createDataKeyRepository(connection: Connection) {
  const name = createDataKeyModel(connection).collection.name;
  const keys = connection.collection<DataKeyDocument>(name);

  /** Returns null if there is none. */
  async function find(owner: string): Promise<WrappedKey | 'destroyed' | null> {
    // What is encrypted with a key has to be readable for as long as it is kept: only keys that cannot be rolled back.
    const found = await keys.findOne({ _id: owner }, { readConcern: { level: 'majority' } });
    return found && keyIn(found);
  }

  return {
    find,

    /** Keeps a new key, unless there is one already, and returns the one that is kept. */
    async add(owner: string, { wrapped, wrappedBy }: WrappedKey): Promise<WrappedKey | 'destroyed'> {
      const document = { _id: owner, wrapped, wrappedBy, createdAt: new Date() };
      try {
        await keys.insertOne(document, { writeConcern: { w: 'majority' } });
        return { wrapped, wrappedBy };
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        const other = await keys.findOne({ _id: owner });
        return keyIn(other!);
      }
    },

    /** Destroys the key of an owner, who never gets another one. */
    async destroy(owner: string): Promise<void> {
      await keys
        .updateOne(
          { _id: owner, destroyedAt: { $exists: false } },
          {
            $currentDate: { destroyedAt: true },
            $unset: { wrapped: true, wrappedBy: true },
            $setOnInsert: { createdAt: new Date() },
          },
          { upsert: true, writeConcern: { w: 'majority' } },
        )
        .catch((error: unknown) => {
          if (!isDuplicateKey(error)) throw error; // it was destroyed before
        });
    },

    /** Lists keys that another key wraps than that one. */
    wrappedByOthers(wrappedBy: string, limit: number): Promise<(WrappedKey & { owner: string })[]> {
      const filter = { wrappedBy: { $exists: true, $ne: wrappedBy } };
      const found = keys.find(filter, { limit }).map(({ _id: owner, wrapped: bytes, wrappedBy: by }) => {
        return { owner, wrapped: bytesOf(bytes!), wrappedBy: by! };
      });
      return found.toArray();
    },

    /** Replaces how a key is wrapped, unless that has changed. */
    async rewrap(owner: string, before: WrappedKey, after: WrappedKey): Promise<void> {
      const { wrapped, wrappedBy } = after;
      await keys.updateOne(
        { _id: owner, wrappedBy: before.wrappedBy },
        { $set: { wrapped, wrappedBy } },
        { writeConcern: { w: 'majority' } },
      );
    },

    /** Watches for keys that are being destroyed. */
    watchDestroyed: (): mongo.ChangeStream<DataKeyDocument> =>
      connection
        .db!.collection<DataKeyDocument>(name)
        .watch<DataKeyDocument>(
          [
            { $match: { 'updateDescription.updatedFields.destroyedAt': { $exists: true } } },
            { $project: { operationType: 1, documentKey: 1, ns: 1 } },
          ],
          { maxAwaitTimeMS: CHANGES_MAX_AWAIT_MS },
        ),
  };
}

function keyIn({ wrapped, wrappedBy }: DataKeyDocument): WrappedKey | 'destroyed' {
  return wrapped && wrappedBy !== undefined ? { wrapped: bytesOf(wrapped), wrappedBy } : 'destroyed';
}

/** The driver returns its own type of bytes. */
function bytesOf(bytes: Buffer | mongo.Binary): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer);
}
