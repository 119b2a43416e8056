import type { MongoDb } from '../mongodb/mongodb';
import type { TemporalClient } from '../temporal/client';
import type { UsersRepository } from '../users/users.repository';
import type { Check } from './health';

export interface CheckedServers {
  mongodb: Pick<MongoDb, 'ping'>;
  temporal: Pick<TemporalClient, 'checkHealth'>;
  /** Whether it is known which tokens are ended: MongoDB has to have said so once. */
  credentials: { isLoaded(): boolean };
  users: Pick<UsersRepository, 'isSetUp'>;
}

/** What the API needs to serve requests. */
export function checksOf({ mongodb, temporal, credentials, users }: CheckedServers): Record<string, Check> {
  let isSetUp = false;
  return {
    async mongodb() {
      await mongodb.ping();
      isSetUp ||= await users.isSetUp();
      if (!isSetUp) throw new Error('The database lacks its indexes: run npm run setup.');
      if (!credentials.isLoaded()) throw new Error('MongoDB has not told yet which tokens are ended.');
    },
    temporal: temporal.checkHealth,
  };
}
