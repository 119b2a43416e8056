import type { Connection } from 'mongoose';
import { createLoginFailuresModel } from './login-failures.model';

export interface LoginFailures {
  count: number;
  expiresAt: Date;
}

export interface LoginFailureRepository {
  /**
   * Counts one more failure and returns the total. The count starts again `windowMs` after the first failure.
   */
  add(key: string, windowMs: number): Promise<LoginFailures>;
  /** Takes back a failure that turned out to be none. */
  takeBack(key: string): Promise<void>;
  clear(key: string): Promise<void>;
}

export function createLoginFailureRepository(connection: Connection): LoginFailureRepository {
  const failures = createLoginFailuresModel(connection);
  return {
    async add(key, windowMs) {
      const now = new Date();
      const isRunning = { $gt: ['$expiresAt', now] };
      const end = new Date(now.getTime() + windowMs);
      const count = { $cond: [isRunning, { $add: ['$count', 1] }, 1] };
      const expiresAt = { $cond: [isRunning, '$expiresAt', end] };
      const change = [{ $set: { count, expiresAt } }];
      const options = { upsert: true, updatePipeline: true, returnDocument: 'after' } as const;
      return await failures.findOneAndUpdate({ _id: key }, change, options).lean();
    },

    async takeBack(key) {
      await failures.updateOne({ _id: key }, { $inc: { count: -1 } });
    },

    async clear(key) {
      await failures.deleteOne({ _id: key });
    },
  };
}
