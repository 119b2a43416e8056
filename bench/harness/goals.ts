/** A line of the result. */
export interface Goal {
  what: string;
  goal: string;
  measured: string;
  met: boolean;
}

/** @param bound of the ratio */
export function goal(what: string, ratio: number, bound: { atLeast?: number; atMost?: number }): Goal {
  const { atLeast = -Infinity, atMost = Infinity } = bound;
  return {
    what,
    goal: bound.atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`,
    measured: ratio.toPrecision(3),
    met: ratio >= atLeast && ratio <= atMost,
  };
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
