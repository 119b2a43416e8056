import type { Connection, mongo } from 'mongoose';
import { setTimeout as delay } from 'node:timers/promises';
import type { Migration } from './migrations';

/** A document of any collection. */
interface Identified {
  _id: string | number | mongo.ObjectId;
  schemaVersion?: number;
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
  /** Documents that are of an older version; a run that changes documents has changed them. */
  older: number;
}

export interface MigrateOptions {
  signal: AbortSignal;
  /** Documents a second at most: the database has other work. */
  perSecond: number;
  onProgress?(progress: Progress): void;
}

const PAGE = 500;

/** What a migration has to change, and when it was begun. */
export interface Pending {
  migration: Migration;
  documents: number;
  startedAt?: Date;
}

/** Looks at all documents, and returns how many each migration has to change, also after those before it. Changes none. */
export async function pendingOf(
  connection: Connection,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<Pending[]> {
  const pending: Pending[] = [];
  for (const migration of migrations) {
    const known = await progressOf(connection).findOne({ _id: idOf(migration) });
    let documents = 0;
    for await (const { older } of pages(connection, migration, options)) documents += older.length;
    pending.push({ migration, documents, ...(known && { startedAt: known.startedAt }) });
  }
  return pending;
}

/**
 * Changes the documents that are of an older version, page by page in the order of their ids, and notes after each page how far
 * it has come: a run that was interrupted is continued. Then it begins again, until it has looked at all of them and found
 * nothing: the release before may have written meanwhile. Returns how many documents it has changed.
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
    const changedNow = await pass(connection, migration, options, cursor);
    changed += changedNow;
    await progress.updateOne(filter, { $unset: { cursor: 1 } });
    if (cursor === undefined && changedNow === 0) break;
  }
  await progress.updateOne(filter, { $set: { finishedAt: new Date() } });
  return changed;
}

/** Changes the documents after that one once. */
async function pass(
  connection: Connection,
  migration: Migration,
  options: MigrateOptions,
  after: Identified['_id'] | undefined,
): Promise<number> {
  const update = [...migration.pipeline, { $set: { schemaVersion: migration.to } }];
  let changed = 0;
  for await (const { older, last } of pages(connection, migration, options, after)) {
    const ids = { _id: { $in: older.map(({ _id }) => _id) } };
    // Those that another run has changed meanwhile are left as they are, and those that wait for the migration before.
    const { modifiedCount } = await documentsOf(connection, migration).updateMany(
      { ...ids, ...before(migration) },
      update,
    );
    changed += modifiedCount;
    await progressOf(connection).updateOne(
      { _id: idOf(migration) },
      { $set: { cursor: last }, $inc: { changed: modifiedCount } },
    );
  }
  return changed;
}

/** Looks at the documents after that one, some at a time: no single read takes long, however many there are. */
async function* pages(
  connection: Connection,
  migration: Migration,
  { signal, perSecond, onProgress }: MigrateOptions,
  after?: Identified['_id'],
): AsyncGenerator<{ older: Identified[]; last: Identified['_id'] }> {
  const documents = documentsOf(connection, migration);
  const total = await documents.estimatedDocumentCount();
  let [seen, found, cursor] = [0, 0, after];
  for (;;) {
    signal.throwIfAborted();
    const page: Identified[] = await documents
      .find(cursor === undefined ? {} : { _id: { $gt: cursor } }, {
        projection: { schemaVersion: 1 },
        sort: { _id: 1 },
        limit: PAGE,
      })
      .toArray();
    if (page.length === 0) return;
    cursor = page.at(-1)!._id;
    const older = page.filter(({ schemaVersion = 1 }) => schemaVersion < migration.to);
    yield { older, last: cursor };
    [seen, found] = [seen + page.length, found + older.length];
    onProgress?.({ migration, seen, total, older: found });
    await delay((1_000 * page.length) / perSecond, undefined, { signal });
  }
}

/** Selects the documents of the version that the migration changes. */
function before({ to }: Migration): mongo.Filter<Identified> {
  return to === 2
    ? { $or: [{ schemaVersion: { $exists: false } }, { schemaVersion: 1 }] }
    : { schemaVersion: to - 1 };
}

function documentsOf(connection: Connection, { collection }: Migration) {
  return connection.collection<Identified>(collection);
}

function idOf({ collection, to }: Migration): string {
  return `${collection} ${to}`;
}

function progressOf(connection: Connection) {
  return connection.collection<MigrationDocument>('migrations');
}
