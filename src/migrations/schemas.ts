import type { Connection } from 'mongoose';
import { MIGRATIONS, type Migration } from './migrations';

/** The newest schema of a collection that any release was set up with, in the collection `schemas`. */
interface SchemaDocument {
  /** The collection. */
  _id: string;
  version: number;
}

/**
 * Notes which schemas this release writes. A release reads documents of the next one: it ignores the fields that it does not know,
 * and keeps them. It was never tried with those of a later one.
 * @throws {Error} if a release after the next one has been set up here
 */
export async function noteSchemas(
  connection: Connection,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  const schemas = connection.collection<SchemaDocument>('schemas');
  const own = newestOf(migrations);
  for await (const { _id: collection, version } of schemas.find()) {
    const known = own.get(collection) ?? 1;
    if (version > known + 1)
      throw new Error(
        `Documents of the collection ${collection} may have version ${version} of their schema, and this release knows ` +
          `version ${known}: it reads those of version ${known + 1}, and no newer ones. Run a newer release.`,
      );
  }
  for (const [_id, version] of own) await schemas.updateOne({ _id }, { $max: { version } }, { upsert: true });
}

function newestOf(migrations: readonly Migration[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const { collection, to } of migrations)
    newest.set(collection, Math.max(to, newest.get(collection) ?? 1));
  return newest;
}
