import type { Connection, mongo } from 'mongoose';
import { setTimeout as delay } from 'node:timers/promises';
import type { Migration } from './migrations';

/** A document of any collection. */
interface Identified {
  _id: string | number | mongo.ObjectId;
}

/** How far a migration has come, in the collection `migrations`. */
interface MigrationDocument {
  /** Such as `orders 2`. */
  _id: string;
  startedAt: Date;
  /** The last document that was looked at; the next run begins after it. */
  cursor?: Identified['_id'];
  /** How many documents it has changed, in all runs. */
  changed: number;
  /** When it had last come to the end. */
  finishedAt?: Date;
}

export interface Progress {
  migration: Migration;
  /** Documents that were looked at, and how many there are about. */
  seen: number;
  total: number;
  changed: number;
}

export interface MigrateOptions {
  signal: AbortSignal;
  /** Documents a second at most: the database has other work. */
  perSecond: number;
  onProgress?(progress: Progress): void;
}

const PAGE = 500;

/** Returns how many documents each migration would change, and changes none. */
export async function pendingOf(
  connection: Connection,
  migrations: readonly Migration[],
): Promise<{ migration: Migration; documents: number; startedAt?: Date }[]> {
  return Promise.all(
    migrations.map(async (migration) => {
      const documents = await connection
        .collection<Identified>(migration.collection)
        .countDocuments(older(migration));
      const known = await progressOf(connection).findOne({ _id: idOf(migration) });
      return { migration, documents, ...(known && { startedAt: known.startedAt }) };
    }),
  );
}

/**
 * Changes the documents that are of an older version, page by page in the order of their ids, and notes after each page how far
 * it has come: a run that was interrupted is continued. Then it begins again, until a whole run finds nothing: the release
 * before may have written meanwhile. Returns how many documents it has changed.
 */
export async function migrate(
  connection: Connection,
  migration: Migration,
  options: MigrateOptions,
): Promise<number> {
  const progress = progressOf(connection);
  const filter = { _id: idOf(migration) };
  const begun = { startedAt: new Date(), changed: 0 };
  await progress.updateOne(filter, { $setOnInsert: begun, $unset: { finishedAt: 1 } }, { upsert: true });
  let changed = 0;
  for (;;) {
    const { cursor } = (await progress.findOne(filter))!;
    changed += await pass(connection, migration, cursor, options);
    await progress.updateOne(filter, { $unset: { cursor: 1 } });
    if (
      (await connection.collection<Identified>(migration.collection).countDocuments(older(migration))) === 0
    )
      break;
  }
  await progress.updateOne(filter, { $set: { finishedAt: new Date() } });
  return changed;
}

/** Looks at all documents after that one once. */
async function pass(
  connection: Connection,
  migration: Migration,
  after: Identified['_id'] | undefined,
  { signal, perSecond, onProgress }: MigrateOptions,
): Promise<number> {
  const documents = connection.collection<Identified>(migration.collection);
  const update = [...migration.pipeline, { $set: { schemaVersion: migration.to } }];
  const total = await documents.estimatedDocumentCount();
  let [seen, changed, cursor] = [0, 0, after];
  for (;;) {
    signal.throwIfAborted();
    const later = cursor === undefined ? {} : { $gt: cursor };
    const ids = await documents
      .find(cursor === undefined ? {} : { _id: later }, {
        projection: { _id: 1 },
        sort: { _id: 1 },
        limit: PAGE,
      })
      .toArray();
    if (ids.length === 0) return changed;
    const last = ids.at(-1)!._id;
    // By their ids alone: those that have the version already are left as they are.
    const { modifiedCount } = await documents.updateMany(
      { _id: { ...later, $lte: last }, ...older(migration) },
      update,
    );
    [seen, changed, cursor] = [seen + ids.length, changed + modifiedCount, last];
    await progressOf(connection).updateOne(
      { _id: idOf(migration) },
      { $set: { cursor }, $inc: { changed: modifiedCount } },
    );
    onProgress?.({ migration, seen, total, changed });
    await delay((1_000 * ids.length) / perSecond, undefined, { signal });
  }
}

/** Selects documents that the migration has not changed yet, but for those that wait for the one before. */
function older({ to }: Migration): mongo.Filter<Identified> {
  const before = to - 1;
  return before === 1
    ? { $or: [{ schemaVersion: { $exists: false } }, { schemaVersion: 1 }] }
    : { schemaVersion: before };
}

function idOf({ collection, to }: Migration): string {
  return `${collection} ${to}`;
}

function progressOf(connection: Connection) {
  return connection.collection<MigrationDocument>('migrations');
}
