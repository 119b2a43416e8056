import type { mongo } from 'mongoose';

/**
 * A change of all documents of a collection. Documents carry the version of their schema as `schemaVersion`; one without it has
 * version 1. While a migration runs, and until the workers of the release before are drained, both releases read and write:
 * so each version is read by the release before it as well. What that release needs is removed by a later release.
 */
export interface Migration {
  collection: string;
  /** The version that it makes of the one before. */
  to: number;
  /** What it does, for people. */
  summary: string;
  /** Computes the new fields from the document as it is at that moment, so that no change made meanwhile is lost. */
  pipeline: mongo.Document[];
}

/** All migrations, those of a collection in the order of their versions. */
export const MIGRATIONS: readonly Migration[] = [];

/** Returns how a document of the newest schema is marked; new ones are inserted with it. */
export function schemaVersionOf(collection: string, migrations = MIGRATIONS): { schemaVersion?: number } {
  const versions = migrations.filter((one) => one.collection === collection).map(({ to }) => to);
  return versions.length > 0 ? { schemaVersion: Math.max(...versions) } : {};
}
