import { randomBytes } from 'node:crypto';
import type { Connection } from 'mongoose';
import pino from 'pino';
import { openMongoDb, type MongoDb } from '../../src/mongodb/mongodb';
import { createIndexes } from '../../src/setup/indexes';

export interface TestDatabase {
  connection: Connection;
  mongodb: MongoDb;
  uri: string;
  drop(): Promise<void>;
}

/** Creates a database with its collections and indexes on the real server. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const uri = new URL(process.env.MONGODB_URI!);
  uri.pathname = `/test_${randomBytes(8).toString('hex')}`;
  uri.searchParams.set('monitorCommands', 'true');
  const mongodb = openMongoDb({ uri: uri.href }, pino({ level: 'silent' }));
  await mongodb.connected;
  await createIndexes(mongodb.connection);
  return {
    connection: mongodb.connection,
    mongodb,
    uri: uri.href,
    async drop() {
      await mongodb.connection.dropDatabase();
      await mongodb.close();
    },
  };
}
