/** Brings documents to the schema of this version: `npm run migrate` says what would be changed, `-- --apply` changes it. */
import type { Connection } from 'mongoose';
import { parseArgs } from 'node:util';
import { loadConfig } from './config';
import { MIGRATIONS, type Migration } from './migrations/migrations';
import { migrate, pendingOf, type MigrateOptions, type Progress } from './migrations/run';
import { openMongoDb } from './mongodb/mongodb';
import { runEntry, stopSignal } from './process/entry';
import { createProcessLogger } from './process/logger';
import { createRunProgress, type Place } from './process/progress';

const USAGE = 'Usage: npm run migrate [-- --apply --per-second 2000]';
const PER_SECOND = 2_000;

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { apply, perSecond } = optionsOf(process.argv.slice(2));
  const config = loadConfig('setup', env);
  const mongodb = openMongoDb(config.mongodb, createProcessLogger(config, 'migrate'));
  const stopping = new AbortController();
  void stopSignal().then(() => stopping.abort(new Error('Stopped; run it again to continue.')));
  const progress = createRunProgress(process.stderr, placeOf);
  const options = { signal: stopping.signal, perSecond, onProgress: progress.show };
  const { connection } = mongodb;
  try {
    if (apply) await applyAll(connection, options);
    else await tell(connection, options);
  } finally {
    progress.end();
    await mongodb.close();
  }
}

/** Says what there is to change, and changes nothing. */
async function tell(connection: Connection, options: MigrateOptions): Promise<void> {
  const pending = await pendingOf(connection, MIGRATIONS, options);
  for (const { migration, documents, startedAt } of pending) {
    const begun = startedAt ? `, begun ${startedAt.toISOString()}` : '';
    say(`${nameOf(migration)}: ${documents} documents${begun}. ${migration.summary}`);
  }
  if (pending.every(({ documents }) => documents === 0)) return say(ALL_DONE);
  say('Nothing was changed: run it with --apply.');
  process.exitCode = 1;
}

async function applyAll(connection: Connection, options: MigrateOptions): Promise<void> {
  for (const migration of MIGRATIONS) {
    const changed = await migrate(connection, migration, options);
    say(`${nameOf(migration)}: done, ${changed} documents changed. ${migration.summary}`);
  }
  say(ALL_DONE);
}

const ALL_DONE = 'All documents are of the newest version.';

function nameOf({ collection, to }: Migration): string {
  return `${collection} to version ${to}`;
}

function placeOf({ migration, seen, total, older }: Progress): Place {
  const text = `${nameOf(migration)}: ${seen} of about ${total} documents, ${older} of an older version`;
  return { text, share: Math.min(1, seen / total) };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function optionsOf(args: string[]): { apply: boolean; perSecond: number } {
  try {
    const { apply = false, 'per-second': text } = parseArgs({
      args,
      options: { apply: { type: 'boolean' }, 'per-second': { type: 'string' } },
    }).values;
    const perSecond = Number(text ?? PER_SECOND);
    if (!(perSecond > 0)) throw new Error('per-second must be a number above 0.');
    return { apply, perSecond };
  } catch (error) {
    throw new Error(`${(error as Error).message} ${USAGE}`, { cause: error });
  }
}

runEntry(main, { failureCode: 2, isForPeople: true });
