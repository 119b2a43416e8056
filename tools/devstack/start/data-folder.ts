import { chmod, mkdir, readdir } from 'node:fs/promises';
import { SetupError } from '../../project';

const OWNER_ONLY = 0o700;
const NOTHING_FOR_OTHERS = 0o077;

/** Entries that `npm start` makes; anything else in the folder means that the folder is not its own. */
const OURS = new Set([
  'jwt-secret',
  'logs',
  'mail',
  'mongodb',
  'run.json',
  'temporal.db',
  'temporal.db-shm',
  'temporal.db-wal',
]);

/**
 * Makes the folder of the development data, readable by its owner only. So is every file that this process and those
 * it starts create from now on.
 * @throws {SetupError} if the folder holds anything else: others may use it
 */
export async function prepareDataFolder(folder: string): Promise<void> {
  process.umask(NOTHING_FOR_OTHERS);
  await mkdir(folder, { recursive: true });
  await requireOwnFolder(folder);
  await chmod(folder, OWNER_ONLY); // it may come from an earlier run
}

/** @throws {SetupError} if the folder holds anything that `npm start` did not make */
export async function requireOwnFolder(folder: string): Promise<void> {
  const foreign = (await readdir(folder)).find((name) => !OURS.has(name));
  if (foreign !== undefined)
    throw new SetupError(
      `${folder} holds ${foreign}, which npm start did not make: let DATA_DIR name another folder.`,
    );
}
