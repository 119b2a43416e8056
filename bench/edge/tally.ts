/** How often each status or error occurred. */
export type Tally = Record<string, number>;

export function count(tally: Tally, answer: string | number): void {
  tally[answer] = (tally[answer] ?? 0) + 1;
}

/** Calls `work` N times, with a limit on concurrent calls. */
export async function repeat(
  times: number,
  atATime: number,
  work: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < times) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atATime, times) }, lane));
}
