import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const POLL_MS = 200;
const KB_PER_MB = 1_024;

/** Returns the resident memory of a process in MB. */
export async function memoryOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim()) / KB_PER_MB;
}

/** Does the work, and returns the peak of the process's resident memory meanwhile. */
export async function watchMemory<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ result: T; peakMb: number }> {
  let peakMb = 0;
  let isOver = false;
  const look = async () => {
    while (!isOver) {
      peakMb = Math.max(peakMb, await memoryOf(pid));
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  const looking = look();
  try {
    const result = await work();
    return { result, peakMb: Math.max(peakMb, await memoryOf(pid)) };
  } finally {
    isOver = true;
    await looking.catch(() => undefined);
  }
}
