import { existsSync, readdirSync, rmSync } from 'node:fs';
import { messageOf, SetupError } from '../project';
import { dataFolderOf } from './start/options';
import { findUser } from './start/run-file';

/** Entries that `npm start` makes; anything else in the folder means that it is not ours to remove. */
const OURS = new Set([
  'jwt-secret',
  'logs',
  'mongodb',
  'run.json',
  'temporal.db',
  'temporal.db-shm',
  'temporal.db-wal',
]);

/**
 * Removes the development data, and returns what was done.
 * @throws {SetupError} while they are in use, or if the folder holds anything else
 */
export async function reset(folder: string): Promise<string> {
  if (!existsSync(folder)) return `${folder} does not exist: there is nothing to remove.`;
  const user = await findUser(folder);
  if (user) throw new SetupError(`${folder} is in use by ${user}. Stop npm start first (Ctrl-C).`);
  const foreign = readdirSync(folder).find((name) => !OURS.has(name));
  if (foreign) {
    throw new SetupError(`${folder} holds ${foreign}, which npm start did not make. Check DATA_DIR.`);
  }
  rmSync(folder, { recursive: true });
  return `${folder} has been removed.`;
}

if (require.main === module) {
  reset(dataFolderOf(process.env))
    .then((done) => console.log(done))
    .catch((error: unknown) => {
      console.error(messageOf(error));
      process.exitCode = 1;
    });
}
