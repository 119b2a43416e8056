import type { MongoDb } from '../mongodb/mongodb';
import type { TemporalClient } from '../temporal/client';
import type { UsersRepository } from '../users/users.repository';
import type { Check } from './health';

export interface CheckedServers {
  mongodb: Pick<MongoDb, 'ping'>;
  temporal: Pick<TemporalClient, 'checkHealth'>;
  credentials: { isLoaded(): boolean };
  users: Pick<UsersRepository, 'isSetUp'>;
}

/** Checks the servers that the API needs to serve requests. */
export function checksOf({ mongodb, temporal, credentials, users }: CheckedServers): Record<string, Check> {
  let isSetUp = false;
  return {
    async mongodb() {
      await mongodb.ping();
      isSetUp ||= await users.isSetUp();
      if (!isSetUp) throw new Error('The database lacks its indexes: run npm run setup.');
      if (!credentials.isLoaded()) throw new Error('The revoked tokens have not been loaded yet.');
    },
    temporal: temporal.checkHealth,
  };
}
