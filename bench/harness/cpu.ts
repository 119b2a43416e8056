import { readFile } from 'node:fs/promises';

/** Linux counts in hundredths of a second (USER_HZ), whatever the kernel's own clock is. */
const MS_PER_TICK = 10;
const USER_TIME = 14;
const SYSTEM_TIME = 15;

/** Milliseconds of processor time that a process has used since it began, from /proc (man 5 proc): all its threads. */
export async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may have spaces; what follows it starts with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const at = (field: number) => Number(fields[field - 3]);
  return (at(USER_TIME) + at(SYSTEM_TIME)) * MS_PER_TICK;
}

/** Milliseconds of processor time that each of the processes used meanwhile. */
export async function cpuDuring<Name extends string>(
  pids: Readonly<Record<Name, number>>,
  work: () => Promise<void>,
): Promise<Record<Name, number>> {
  const names = Object.keys(pids) as Name[];
  const look = () => Promise.all(names.map((name) => cpuOf(pids[name])));
  const before = await look();
  await work();
  const after = await look();
  return Object.fromEntries(names.map((name, n) => [name, after[n]! - before[n]!])) as Record<Name, number>;
}
