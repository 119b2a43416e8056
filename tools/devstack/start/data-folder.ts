import { chmod, mkdir } from 'node:fs/promises';

const OWNER_ONLY = 0o700;
const NOTHING_FOR_OTHERS = 0o077;

/**
 * Makes the folder of the development data, readable by its owner only. So is every file that this process
 * and those it starts create from now on.
 */
export async function prepareDataFolder(folder: string): Promise<void> {
  process.umask(NOTHING_FOR_OTHERS);
  await mkdir(folder, { recursive: true });
  await chmod(folder, OWNER_ONLY); // it may come from an earlier run
}
