import { readFile } from 'node:fs/promises';

/** Linux counts in hundredths of a second (USER_HZ), whatever the kernel's own clock is. */
const MS_PER_TICK = 10;
const USER_TIME = 14;
const SYSTEM_TIME = 15;
const KB_PER_PAGE = 4;
const RESIDENT = 24;

export interface Usage {
  /** Milliseconds of processor time since it began. */
  cpuMs: number;
  /** Resident memory, MB. */
  memoryMb: number;
}

/** What a process has used, from /proc (man 5 proc): all its threads. */
export async function usageOf(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may have spaces; what follows it starts with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const at = (field: number) => Number(fields[field - 3]);
  return {
    cpuMs: (at(USER_TIME) + at(SYSTEM_TIME)) * MS_PER_TICK,
    memoryMb: (at(RESIDENT) * KB_PER_PAGE) / 1_024,
  };
}

/** Milliseconds of processor time that each of the processes used meanwhile. */
export async function cpuDuring<Name extends string>(
  pids: Readonly<Record<Name, number>>,
  work: () => Promise<void>,
): Promise<Record<Name, number>> {
  const names = Object.keys(pids) as Name[];
  const look = () => Promise.all(names.map(async (name) => (await usageOf(pids[name])).cpuMs));
  const before = await look();
  await work();
  const after = await look();
  return Object.fromEntries(names.map((name, n) => [name, after[n]! - before[n]!])) as Record<Name, number>;
}
