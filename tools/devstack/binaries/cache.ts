import { chmod, copyFile, mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { createOwnedFolder, removeFolder } from '../owned-folder';
import { messageOf, SetupError } from '../project';
import { PLATFORM, type Tool } from './tools';

const STAGING_PREFIX = 'download-';

/** Per user, never in the repository. A relative XDG_CACHE_HOME is to be ignored (XDG specification). */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'orders-management-system');
}

export function cachedPath(tool: Tool, version: string, env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), `${tool.executable}-${version}-${PLATFORM}`);
}

/**
 * Lets `download` put an executable into a staging folder of its own and check it, then moves it to its place
 * in the cache in one step: others see the whole file or none, and two at once only replace equal by equal.
 */
export async function downloadToCache(
  target: string,
  env: NodeJS.ProcessEnv,
  download: (staging: string) => Promise<string>,
): Promise<string> {
  const staging = await createStaging(cacheFolder(env));
  try {
    const downloaded = await download(staging);
    const whole = join(staging, 'whole');
    await copyFile(downloaded, whole);
    await chmod(whole, 0o755);
    await rename(whole, target);
    return target;
  } finally {
    await removeFolder(staging);
  }
}

async function createStaging(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await createOwnedFolder(folder, STAGING_PREFIX);
  } catch (error) {
    throw new SetupError(
      `cannot write to the download cache ${folder} (${messageOf(error)}); set XDG_CACHE_HOME to a folder that can be written to`,
    );
  }
}
