import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../mongodb/model';

/** Work that a Schedule has done again and again, by the end of the name of the Schedule, of which an alert tells if it is not. */
export const UPKEEP = ['reconciliation', 'audit', 'retention', 'carts', 'janitor'] as const;
export type Upkeep = (typeof UPKEEP)[number];

/** When regular work was done. Temporal forgets it with the workflow. */
export interface UpkeepDocument {
  _id: Upkeep;
  /** Since when it is known that it has to be done. */
  since: Date;
  /** When a run has ended last; null before the first. */
  endedAt: Date | null;
}

const upkeepSchema = new Schema<UpkeepDocument>(
  {
    _id: { type: String, required: true },
    since: { type: Date, required: true },
    endedAt: { type: Date, default: null },
  },
  { collection: 'upkeep', versionKey: false, autoIndex: false, autoCreate: false },
);

export function createUpkeepModel(connection: Connection): Model<UpkeepDocument> {
  return modelOf(connection, 'Upkeep', upkeepSchema);
}
