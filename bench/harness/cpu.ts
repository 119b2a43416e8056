import { readdir, readFile } from 'node:fs/promises';

/** Linux counts in hundredths of a second (USER_HZ), whatever the kernel's own clock is. */
const MS_PER_TICK = 10;
const USER_TIME = 14;
const SYSTEM_TIME = 15;
const USER_TIME_OF_CHILDREN = 16;
const SYSTEM_TIME_OF_CHILDREN = 17;

/**
 * Returns the processor time of a process and its threads since its start, in milliseconds, from /proc (man 5
 * proc).
 */
export function cpuOf(pid: number): Promise<number> {
  return sumOf(pid, [USER_TIME, SYSTEM_TIME]);
}

async function sumOf(pid: number, wanted: readonly number[]): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may have spaces; what follows it starts with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return wanted.reduce((sum, field) => sum + Number(fields[field - 3]) * MS_PER_TICK, 0);
}

/** Returns the processor time of a process and those that it has forked, also earlier ones, in milliseconds. */
export async function cpuOfFamily(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    // A thread may end in between, and its children then belong to another one.
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  const ended = () => 0; // its parent has its time
  const used = await Promise.all([
    sumOf(pid, [USER_TIME, SYSTEM_TIME, USER_TIME_OF_CHILDREN, SYSTEM_TIME_OF_CHILDREN]),
    ...children.map((child) => cpuOfFamily(child).catch(ended)),
  ]);
  return used.reduce((sum, ms) => sum + ms, 0);
}

/**
 * Does the work, and returns the processor time of each process meanwhile, in milliseconds. That of forked processes
 * counts, except those of this process, which has started all of them.
 */
export async function cpuDuring<T>(
  pids: Readonly<Record<string, number>>,
  work: () => Promise<T>,
): Promise<{ result: T; cpu: Record<string, number> }> {
  const used = (pid: number) => (pid === process.pid ? cpuOf(pid) : cpuOfFamily(pid));
  const look = () => Promise.all(Object.values(pids).map(used));
  const before = await look();
  const result = await work();
  const after = await look();
  const spent = Object.keys(pids).map((name, n) => [name, after[n]! - before[n]!]);
  return { result, cpu: Object.fromEntries(spent) as Record<string, number> };
}
