import { existsSync } from 'node:fs';
import { cp, mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { createOwnedFolder, removeFolder } from './owned-folder';
import { messageOf, SetupError } from './project';

const STAGING_PREFIX = 'download-';

/**
 * The user's cache of programs that npm does not have. The XDG specification says to ignore relative paths.
 */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'orders-management-system');
}

/**
 * Lets `make` put a file or folder into a staging folder, then moves it to its place in the cache in one
 * step: others see all of it or nothing, and concurrent downloads replace it with an identical one.
 * @param target path in the cache
 * @param make returns the path of what it made, which need not be in the staging folder
 */
export async function makeInCache(
  target: string,
  env: NodeJS.ProcessEnv,
  make: (staging: string) => Promise<string>,
): Promise<string> {
  const staging = await createStaging(cacheFolder(env));
  try {
    const made = await make(staging);
    const whole = join(staging, 'whole');
    if (dirname(made) === staging) await rename(made, whole);
    else await cp(made, whole, { recursive: true, verbatimSymlinks: true });
    await rename(whole, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error; // a folder that another process has put there meanwhile stays
    });
    return target;
  } finally {
    await removeFolder(staging);
  }
}

/** Returns the path of a file or folder of the cache, which `make` makes if it is missing. */
export async function onceInCache(
  name: string,
  env: NodeJS.ProcessEnv,
  make: (staging: string) => Promise<string>,
): Promise<string> {
  const path = join(cacheFolder(env), name);
  return existsSync(path) ? path : makeInCache(path, env, make);
}

async function createStaging(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await createOwnedFolder(folder, STAGING_PREFIX);
  } catch (error) {
    throw new SetupError(
      `The download cache ${folder} cannot be written to (${messageOf(error)}). Set XDG_CACHE_HOME to a folder that can.`,
    );
  }
}
