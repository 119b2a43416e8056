import type { Connection } from 'mongoose';
import pino from 'pino';
import { openMongoDb, type MongoDb } from '../../src/mongodb/mongodb';
import { createIndexes } from '../../src/setup/indexes';
import { HANG_MS } from './eventually';
import { newDatabaseUri, sharedShop } from './shared-shops';

export interface TestDatabase {
  connection: Connection;
  mongodb: MongoDb;
  uri: string;
  /** Whether the files of this Jest process share it. */
  isShared: boolean;
  drop(): Promise<void>;
}

let isSharedInUse = false;

/**
 * Opens an empty database with its collections and indexes on the real server: the one that the files of this Jest
 * process share, unless this file has it already.
 * @param own whether to create a new one, for a test that changes collections, indexes or the server
 */
export async function openTestDatabase({ own = false } = {}): Promise<TestDatabase> {
  const shared = own || isSharedInUse ? undefined : sharedShop();
  if (shared) isSharedInUse = true;
  const uri = new URL(shared?.mongodbUri ?? newDatabaseUri(process.env.MONGODB_URI!));
  uri.searchParams.set('monitorCommands', 'true');
  const mongodb = openMongoDb({ uri: uri.href, responseTimeoutMs: HANG_MS }, pino({ level: 'silent' }));
  const { connection } = mongodb;
  await mongodb.connected;
  if (shared) await emptyCollections(connection);
  await createIndexes(connection);
  return {
    connection,
    mongodb,
    uri: uri.href,
    isShared: shared !== undefined,
    async drop() {
      if (shared) isSharedInUse = false;
      else await connection.dropDatabase();
      await mongodb.close();
    },
  };
}

/** Deletes all documents. */
export async function emptyCollections({ db }: Connection): Promise<void> {
  for (const collection of await db!.collections()) await collection.deleteMany();
}

/** Returns all documents of all collections. */
export async function dump({ db }: Connection): Promise<Record<string, unknown[]>> {
  const collections = await db!.collections();
  const contents = await Promise.all(
    collections.map(async (collection) => [
      collection.collectionName,
      await collection.find().sort({ _id: 1 }).toArray(),
    ]),
  );
  return Object.fromEntries(contents) as Record<string, unknown[]>;
}
