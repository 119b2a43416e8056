import type { Query, Schema } from 'mongoose';
import { MIGRATIONS, type Migration } from './migrations';

/** Part of every document of these collections. */
export interface WithVersion {
  schemaVersion?: number;
}

/** Returns the newest version that this release knows. Documents that it inserts or replaces have it. */
export function schemaVersionOf(collection: string, migrations: readonly Migration[] = MIGRATIONS): number {
  return Math.max(1, ...migrations.flatMap((one) => (one.collection === collection ? one.to : [])));
}

/** Returns the update of some fields of documents whose version may be that of the next release. */
export function loweringVersion<U extends { $min?: object }>(
  update: U,
  version: number,
): U & { $min: WithVersion } {
  return { ...update, $min: { ...update.$min, schemaVersion: version } };
}

/** Has all documents that Mongoose writes with this schema carry their version. @param version the newest that is known */
export function carryVersion<T>(schema: Schema<T>, version: number): void {
  schema.add({ schemaVersion: { type: Number, default: version } } as never);
  schema.pre(['updateOne', 'updateMany', 'findOneAndUpdate'], function (this: Query<unknown, T>) {
    const update = this.getUpdate();
    if (Array.isArray(update)) throw new Error('Such an update would not lower the version of the document.');
    this.setUpdate(loweringVersion(update ?? {}, version));
  });
  schema.pre('bulkWrite', function (operations) {
    for (const one of operations) {
      if (!('updateOne' in one)) throw new Error('Such a write would not give the document its version.');
      one.updateOne.update = loweringVersion(one.updateOne.update as object, version);
    }
  });
}
