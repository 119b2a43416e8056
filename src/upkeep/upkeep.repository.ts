import type { Connection } from 'mongoose';
import { createUpkeepModel, UPKEEP, type Upkeep, type UpkeepDocument } from './upkeep.model';

export type UpkeepRepository = ReturnType<typeof createUpkeepRepository>;

/** Keeps when regular work has ended last, so that someone is told if it does not any more. */
export function createUpkeepRepository(connection: Connection) {
  const upkeep = connection.collection<UpkeepDocument>(createUpkeepModel(connection).collection.name);
  return {
    /** Expects all work from now on, unless it is expected already. */
    async expectAll(): Promise<void> {
      for (const _id of UPKEEP)
        await upkeep.updateOne(
          { _id },
          { $setOnInsert: { since: new Date(), endedAt: null } },
          { upsert: true },
        );
    },

    /** Says that a run has ended just now. */
    async ended(_id: Upkeep): Promise<void> {
      const now = new Date();
      await upkeep.updateOne(
        { _id },
        { $set: { endedAt: now }, $setOnInsert: { since: now } },
        { upsert: true },
      );
    },
  };
}
