/** @param q between 0 and 1 */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Returns the responses per second in each part of the time.
 * @param doneAt milliseconds since the beginning
 */
export function ratesOf(doneAt: readonly number[], parts: number, partSeconds: number): number[] {
  const counts = Array.from({ length: parts }, () => 0);
  for (const ms of doneAt) {
    const part = Math.floor(ms / 1_000 / partSeconds);
    if (part < parts) counts[part]!++; // the last responses come when nothing is sent any more
  }
  return counts.map((count) => count / partSeconds);
}
