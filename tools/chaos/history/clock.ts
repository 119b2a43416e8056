/** Something that was noted by one clock, and happened between two moments of another one. */
export interface Reading {
  noted: number;
  invoked: number;
  returned: number;
}

/**
 * Returns by how much the clock of those who noted is ahead, as Marzullo's algorithm has it (Maintaining the Time in a
 * Distributed System, 1984): by what agrees with most of the readings.
 */
export function aheadBy(readings: readonly Reading[]): number | undefined {
  const edges = readings
    .filter(({ invoked, returned }) => Number.isFinite(returned) && invoked <= returned)
    .flatMap(({ noted, invoked, returned }) => [
      { at: noted - returned, step: 1 },
      { at: noted - invoked, step: -1 },
    ])
    .sort((a, b) => a.at - b.at || b.step - a.step);
  let best: { agree: number; from: number; to: number } | undefined;
  let agree = 0;
  for (const [n, { at, step }] of edges.entries()) {
    agree += step;
    if (step === 1 && agree > (best?.agree ?? 0)) best = { agree, from: at, to: edges[n + 1]!.at };
  }
  return best && (best.from + best.to) / 2;
}
