/** One line of the result. */
export interface Goal {
  what: string;
  goal: string;
  measured: string;
  met: boolean;
}

export function printTable(goals: readonly Goal[]): void {
  const rows = goals.map(({ what, goal, measured, met }) => [met ? 'met' : 'MISSED', what, goal, measured]);
  const table = [['', 'What', 'Goal', 'Measured'], ...rows];
  const widths = table[0]!.map((_cell, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  }
}

/** How often each answer came. */
export type Tally = Record<string, number>;

export function count(tally: Tally, answer: string | number): void {
  tally[answer] = (tally[answer] ?? 0) + 1;
}

/** Calls `work` so many times, some of them at once. */
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
