import { readdirSync, readFileSync } from 'node:fs';

const INTERVAL_MS = 1_000;
const KILOBYTES_PER_MEGABYTE = 1_000;

/** Resident memory in MB. */
export interface Memory {
  /** Of the process of Jest itself, at its end. */
  jest: number;
  /** Of the largest process that runs test files, at its end. */
  testFiles: number;
  /** Of the largest worker that test files share, at its end. */
  sharedWorker: number;
}

export interface WatchedMemory {
  /** Returns undefined where there is no /proc, which is everywhere but on Linux. */
  stop(): Memory | undefined;
}

/** Watches the process of Jest and those that it starts. */
export function watchMemory(jestPid: number): WatchedMemory {
  if (process.platform !== 'linux') return { stop: () => undefined };
  const sizes = { jest: newSizes(), testFiles: newSizes(), sharedWorker: newSizes() };
  const timer = setInterval(() => {
    note(sizes.jest, String(jestPid));
    for (const pid of childrenOf(jestPid)) {
      const command = textOf(`/proc/${pid}/cmdline`);
      if (command.includes('jest-worker')) note(sizes.testFiles, pid);
      else if (command.includes('shared-worker')) note(sizes.sharedWorker, pid);
    }
  }, INTERVAL_MS);
  return {
    stop() {
      clearInterval(timer);
      const { jest, testFiles, sharedWorker } = sizes;
      return { jest: largest(jest), testFiles: largest(testFiles), sharedWorker: largest(sharedWorker) };
    },
  };
}

/** The last size of each process, by its id. */
type Sizes = Map<string, number>;

const newSizes = (): Sizes => new Map();

function note(sizes: Sizes, pid: string): void {
  sizes.set(pid, sizeOf(pid) ?? sizes.get(pid) ?? 0);
}

function largest(sizes: Sizes): number {
  return Math.max(0, ...sizes.values());
}

function childrenOf(parent: number): string[] {
  return readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && new RegExp(`^PPid:\\s+${parent}$`, 'm').test(textOf(`/proc/${pid}/status`)),
  );
}

/** Returns the resident memory in MB; undefined if the process has ended. */
function sizeOf(pid: string): number | undefined {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`)) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) / KILOBYTES_PER_MEGABYTE;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}
