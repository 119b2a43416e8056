import { readdirSync, readFileSync } from 'node:fs';

const INTERVAL_MS = 1_000;
const KILOBYTES_PER_MEGABYTE = 1_000;

/** The processes that a Jest process has started for test files. */
export interface WatchedMemory {
  /** Returns the last size of the largest in MB; undefined where there is no /proc, which is everywhere but on Linux. */
  stop(): number | undefined;
}

export function watchMemory(jestPid: number): WatchedMemory {
  if (process.platform !== 'linux') return { stop: () => undefined };
  const sizes = new Map<string, number>();
  const timer = setInterval(() => {
    for (const pid of childrenOf(jestPid)) sizes.set(pid, sizeOf(pid) ?? sizes.get(pid) ?? 0);
  }, INTERVAL_MS);
  return {
    stop() {
      clearInterval(timer);
      return Math.max(0, ...sizes.values());
    },
  };
}

function childrenOf(parent: number): string[] {
  return readdirSync('/proc').filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      new RegExp(`^PPid:\\s+${parent}$`, 'm').test(textOf(`/proc/${pid}/status`)) &&
      textOf(`/proc/${pid}/cmdline`).includes('jest-worker'),
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
