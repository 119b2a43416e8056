import { randomUUID } from 'node:crypto';
import type { Connection } from 'mongoose';
import { createAttemptsModel } from './attempts.model';

export interface AttemptRepository {
  /**
   * Counts one more attempt. The count starts again `windowMs` after the first one.
   * @returns how many there were with this one, and when the count starts again
   */
  add(key: string, windowMs: number): Promise<{ count: number; expiresAt: Date }>;
  /**
   * Counts one more attempt, after which the next has to wait. The count starts again when there was none for
   * `delays.forgetMs`.
   * @returns the id of this one; or the time until which it has to wait, and then it is not counted
   */
  addDelayed(key: string, delays: Delays): Promise<{ id: string } | { until: Date }>;
  /** Takes back an attempt that turned out to be none. */
  takeBack(key: string): Promise<void>;
  /** The same for one of addDelayed. What the next one has to wait after a later attempt stays. */
  takeBackDelayed(key: string, id: string): Promise<void>;
  clear(key: string): Promise<void>;
}

/** How long each attempt has to wait after the one before it: twice as long every time. */
export interface Delays {
  /** How many may follow each other at once. */
  free: number;
  firstMs: number;
  mostMs: number;
  forgetMs: number;
}

const UPSERT = { upsert: true, updatePipeline: true, returnDocument: 'after' } as const;

export function createAttemptRepository(connection: Connection): AttemptRepository {
  const attempts = createAttemptsModel(connection);
  return {
    async add(key, windowMs) {
      const now = new Date();
      const isRunning = { $gt: ['$expiresAt', now] };
      const end = new Date(now.getTime() + windowMs);
      const count = { $cond: [isRunning, { $add: ['$count', 1] }, 1] };
      const expiresAt = { $cond: [isRunning, '$expiresAt', end] };
      const change = [{ $set: { count, expiresAt } }];
      return await attempts.findOneAndUpdate({ _id: key }, change, UPSERT).lean();
    },

    async addDelayed(key, { free, firstMs, mostMs, forgetMs }) {
      const id = randomUUID();
      const now = new Date();
      const hasToWait = { $gt: ['$nextAt', now] };
      const counted = {
        $cond: [{ $gt: ['$expiresAt', now] }, { $add: ['$count', { $cond: [hasToWait, 0, 1] }] }, 1],
      };
      const doublings = { $min: [{ $subtract: ['$count', free] }, Math.ceil(Math.log2(mostMs / firstMs))] };
      const delayMs = { $min: [{ $multiply: [firstMs, { $pow: [2, doublings] }] }, mostMs] };
      const next = { $cond: [{ $gte: ['$count', free] }, { $add: [now, delayMs] }, '$$REMOVE'] };
      const end = new Date(now.getTime() + forgetMs);
      const change = [
        { $set: { count: counted } },
        {
          $set: {
            latestId: { $cond: [hasToWait, '$latestId', id] },
            nextAt: { $cond: [hasToWait, '$nextAt', next] },
            expiresAt: { $cond: [hasToWait, '$expiresAt', end] },
          },
        },
      ];
      const { latestId, nextAt } = await attempts.findOneAndUpdate({ _id: key }, change, UPSERT).lean();
      return latestId === id ? { id } : { until: nextAt! };
    },

    async takeBack(key) {
      await attempts.updateOne({ _id: key }, { $inc: { count: -1 } });
    },

    async takeBackDelayed(key, id) {
      const count = { $subtract: ['$count', 1] };
      const nextAt = { $cond: [{ $eq: ['$latestId', id] }, '$$REMOVE', '$nextAt'] };
      await attempts.updateOne({ _id: key }, [{ $set: { count, nextAt } }], { updatePipeline: true });
    },

    async clear(key) {
      await attempts.deleteOne({ _id: key });
    },
  };
}
