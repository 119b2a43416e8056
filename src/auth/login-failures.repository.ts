import { trusted } from 'mongoose';
import type { Connection } from 'mongoose';
import { createLoginFailuresModel } from './login-failures.model';

export interface LoginFailures {
  count: number;
  expiresAt: Date;
}

export interface LoginFailureRepository {
  /** Those that are not forgotten yet. */
  find(key: string): Promise<LoginFailures | null>;
  /** One more; the first one says when all are forgotten. @param windowMs milliseconds from then */
  add(key: string, windowMs: number): Promise<void>;
  clear(key: string): Promise<void>;
}

export function createLoginFailureRepository(connection: Connection): LoginFailureRepository {
  const failures = createLoginFailuresModel(connection);
  return {
    async find(key) {
      const found = await failures.findOne({ _id: key, expiresAt: trusted({ $gt: new Date() }) }).lean();
      return found && { count: found.count, expiresAt: found.expiresAt };
    },

    async add(key, windowMs) {
      const now = new Date();
      const isRunning = { $gt: ['$expiresAt', now] };
      const end = new Date(now.getTime() + windowMs);
      const count = { $cond: [isRunning, { $add: ['$count', 1] }, 1] };
      const expiresAt = { $cond: [isRunning, '$expiresAt', end] };
      await failures.updateOne({ _id: key }, [{ $set: { count, expiresAt } }], {
        upsert: true,
        updatePipeline: true,
      });
    },

    async clear(key) {
      await failures.deleteOne({ _id: key });
    },
  };
}
