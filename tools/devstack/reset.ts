import { existsSync, rmSync } from 'node:fs';
import { messageOf, SetupError } from '../project';
import { requireOwnFolder } from './start/data-folder';
import { dataFolderOf } from './start/options';
import { findUser } from './start/run-file';

/**
 * Removes the development data, and returns what was done.
 * @throws {SetupError} while they are in use, or if the folder holds anything else
 */
export async function reset(folder: string): Promise<string> {
  if (!existsSync(folder)) return `${folder} does not exist: there is nothing to remove.`;
  const user = await findUser(folder);
  if (user) throw new SetupError(`${folder} is in use by ${user}. Stop npm start first (Ctrl-C).`);
  await requireOwnFolder(folder);
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
