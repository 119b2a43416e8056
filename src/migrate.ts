/** Brings documents to the schema of this version: `npm run migrate` says what would be changed, `-- --apply` changes it. */
import { parseArgs } from 'node:util';
import { loadConfig } from './config';
import { createProgress } from './migrate/output';
import { MIGRATIONS } from './migrations/migrations';
import { migrate, pendingOf } from './migrations/run';
import { openMongoDb } from './mongodb/mongodb';
import { runEntry, stopSignal } from './process/entry';
import { createProcessLogger } from './process/logger';

const USAGE = 'Usage: npm run migrate [-- --apply --per-second 2000]';
const PER_SECOND = 2_000;

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { apply, perSecond } = optionsOf(process.argv.slice(2));
  const config = loadConfig('setup', env);
  const mongodb = openMongoDb(config.mongodb, createProcessLogger(config, 'migrate'));
  const stopping = new AbortController();
  void stopSignal().then(() => stopping.abort(new Error('Stopped; run it again to continue.')));
  const progress = createProgress(process.stderr);
  const { connection } = mongodb;
  try {
    const pending = await pendingOf(connection, MIGRATIONS);
    for (const { migration, documents, startedAt } of pending) {
      const begun = startedAt ? `, begun ${startedAt.toISOString()}` : '';
      say(
        `${migration.collection} to version ${migration.to}: ${documents} documents${begun}. ${migration.summary}`,
      );
      if (!apply) continue;
      const { signal } = stopping;
      const changed = await migrate(connection, migration, { signal, perSecond, onProgress: progress.show });
      progress.end();
      say(`${migration.collection} to version ${migration.to}: done, ${changed} documents changed.`);
    }
    const left = pending.some(({ documents }) => documents > 0);
    if (!left) say('All documents are of the newest version.');
    else if (!apply) say('Nothing was changed: run it with --apply.');
    if (left && !apply) process.exitCode = 1;
  } finally {
    progress.end();
    await mongodb.close();
  }
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
