import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SetupError } from '../../project';

const run = promisify(execFile);
const BALLAST = 'ballast';
const REFILL_MS = 100;

/** A small disk of memory, on which a server keeps its data. */
export interface Disk {
  /** Takes all the space that there is, and that comes free, until `empty` is called. */
  fill(): Promise<void>;
  /** Frees what was taken. */
  empty(): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts a disk of that size on an empty folder. @throws {SetupError} this user may not mount one */
export async function mountDisk(folder: string, megabytes: number): Promise<Disk> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'orders-chaos', folder]);
  } catch (error) {
    throw new SetupError(
      `no disk can be mounted (${(error as Error).message.trim()}): run this scenario as root on Linux, or leave it out`,
    );
  }
  const ballast = join(folder, BALLAST);
  let filling: NodeJS.Timeout | undefined;
  let last = Promise.resolve();
  const take = (): Promise<void> => (last = last.then(() => takeAll(ballast)));
  const empty = async (): Promise<void> => {
    clearInterval(filling);
    await last;
    await rm(ballast, { force: true });
  };
  return {
    async fill() {
      await take();
      filling = setInterval(() => void take(), REFILL_MS);
    },
    empty,
    async unmount() {
      await empty();
      // A server that was just killed may still hold a file.
      await run('umount', ['--lazy', folder]);
    },
  };
}

const SIZES = [1 << 20, 1 << 16, 1 << 12];

/** Appends to a file until the disk is full. */
async function takeAll(file: string): Promise<void> {
  const handle = await open(file, 'a');
  try {
    for (const size of SIZES) {
      const block = Buffer.alloc(size);
      while (await fits(handle.write(block))) continue;
    }
  } finally {
    await handle.close();
  }
}

async function fits(writing: Promise<{ bytesWritten: number }>): Promise<boolean> {
  try {
    return (await writing).bytesWritten > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
