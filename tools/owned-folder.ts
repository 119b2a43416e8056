import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes a new folder with this process's id in its name, and removes those that killed processes left behind,
 * so that unfinished work does not pile up.
 */
export async function createOwnedFolder(parent: string, prefix: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  await removeLeftovers(parent, prefix);
  return mkdtemp(join(parent, `${prefix}${process.pid}-`));
}

async function removeLeftovers(parent: string, prefix: string): Promise<void> {
  const pattern = new RegExp(`^${prefix}(\\d+)-\\w+$`);
  for (const name of await readdir(parent)) {
    const owner = pattern.exec(name)?.[1];
    if (owner && !isAlive(Number(owner))) await removeFolder(join(parent, name));
  }
}

/** Removes a folder that a dying process may still be writing to. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, {
    recursive: true,
    force: true,
    maxRetries: 5,
    retryDelay: 100,
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
