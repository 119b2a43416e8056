import type { Connection, mongo } from 'mongoose';
import { isDuplicateKey, unlessTaken } from '../../mongodb/errors';
import { CHANGES_MAX_AWAIT_MS } from '../../mongodb/follow-changes';
import { createDataKeyModel, type DataKeyDocument } from './model';

export type DataKeyRepository = ReturnType<typeof createDataKeyRepository>;

/** A data key as it is stored. */
export interface WrappedKey {
  wrapped: Buffer;
  wrappedBy: string;
}

export interface StoredKey extends WrappedKey {
  /** Whether it only decrypts. */
  isRetired: boolean;
}

const ENDED = ['retiredAt', 'destroyedAt'] as const;

interface EndOfKey {
  at: (typeof ENDED)[number];
  $unset?: { wrapped: true; wrappedBy: true };
}

export function createDataKeyRepository(connection: Connection) {
  const collection = createDataKeyModel(connection).collection.name;
  const keys = connection.collection<DataKeyDocument>(collection);

  /** Returns null if there is none. */
  async function find(owner: string): Promise<StoredKey | 'destroyed' | null> {
    // What is encrypted with a key has to be readable for as long as it is kept: only keys that cannot be rolled back.
    const found = await keys.findOne({ _id: owner });
    return found && keyIn(found);
  }

  /** Sets when something has ended, once, also for an owner without a key, who then never gets one. */
  async function end(owner: string, change: EndOfKey): Promise<void> {
    const write = (upsert: boolean) =>
      keys.updateOne(
        { _id: owner, [change.at]: { $exists: false } },
        {
          $currentDate: { [change.at]: true },
          ...(change.$unset && { $unset: change.$unset }),
          $setOnInsert: { createdAt: new Date() },
        },
        { upsert },
      );
    // Either it had ended before, or the key was added at this very moment: that one is ended, too.
    if (!(await unlessTaken(() => write(true)))) await write(false);
  }

  return {
    find,

    /** Keeps a new key, unless there is one already, and returns the one that is kept. */
    async add(owner: string, { wrapped, wrappedBy }: WrappedKey): Promise<StoredKey | 'destroyed'> {
      const document = { _id: owner, wrapped, wrappedBy, createdAt: new Date() };
      try {
        await keys.insertOne(document);
        return { wrapped, wrappedBy, isRetired: false };
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        // The other process may still wait for the majority: this waits, too.
        const other = await keys.findOne({ _id: owner }, { readConcern: { level: 'linearizable' } });
        return keyIn(other!);
      }
    },

    /** Has the key of an owner encrypt nothing any more, so that nobody encrypts with it when it is destroyed. */
    retire: (owner: string): Promise<void> => end(owner, { at: 'retiredAt' }),

    /** Destroys the key of an owner, who never gets another one. */
    destroy: (owner: string): Promise<void> =>
      end(owner, { at: 'destroyedAt', $unset: { wrapped: true, wrappedBy: true } }),

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
      await keys.updateOne({ _id: owner, wrappedBy: before.wrappedBy }, { $set: { wrapped, wrappedBy } });
    },

    /** Watches for keys that are being retired or destroyed. */
    watchEnded: (): mongo.ChangeStream<DataKeyDocument> =>
      connection.db!.collection<DataKeyDocument>(collection).watch<DataKeyDocument>(
        [
          {
            $match: {
              $or: ENDED.map((name) => ({
                [`updateDescription.updatedFields.${name}`]: { $exists: true },
              })),
            },
          },
          { $project: { operationType: 1, documentKey: 1, ns: 1 } },
        ],
        { maxAwaitTimeMS: CHANGES_MAX_AWAIT_MS },
      ),
  };
}

function keyIn({ wrapped, wrappedBy, retiredAt }: DataKeyDocument): StoredKey | 'destroyed' {
  if (!wrapped || wrappedBy === undefined) return 'destroyed';
  return { wrapped: bytesOf(wrapped), wrappedBy, isRetired: retiredAt !== undefined };
}

/** The driver returns its own type of bytes. */
function bytesOf(bytes: Buffer | mongo.Binary): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer);
}
