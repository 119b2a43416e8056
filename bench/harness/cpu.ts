import { readdir, readFile } from 'node:fs/promises';

/** Linux counts in hundredths of a second (USER_HZ), whatever the kernel's own clock is. */
const MS_PER_TICK = 10;
const USER_TIME = 14;
const SYSTEM_TIME = 15;

/**
 * Returns the processor time of a process and its threads since its start, in milliseconds, from /proc (man 5
 * proc).
 */
export async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may have spaces; what follows it starts with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const at = (field: number) => Number(fields[field - 3]);
  return (at(USER_TIME) + at(SYSTEM_TIME)) * MS_PER_TICK;
}

/** Returns the processor time of a process and those that it has forked, in milliseconds. */
export async function cpuOfFamily(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8')),
  );
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  const used = await Promise.all([cpuOf(pid), ...children.map(cpuOfFamily)]);
  return used.reduce((sum, ms) => sum + ms, 0);
}

/** Does the work, and returns the processor time of each process meanwhile, in milliseconds. */
export async function cpuDuring<T>(
  pids: Readonly<Record<string, number>>,
  work: () => Promise<T>,
): Promise<{ result: T; cpu: Record<string, number> }> {
  const look = () => Promise.all(Object.values(pids).map(cpuOf));
  const before = await look();
  const result = await work();
  const after = await look();
  const used = Object.keys(pids).map((name, n) => [name, after[n]! - before[n]!]);
  return { result, cpu: Object.fromEntries(used) as Record<string, number> };
}
