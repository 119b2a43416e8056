/** How long a sample is used, in milliseconds. */
const EVERY_MS = 15_000;
/** A reading that takes long is made so much less often that it takes at most this part of the time. */
const MAX_SHARE = 0.01;
/** The same of one that has failed: after an outage it should soon be known that it is over. */
const MAX_FAILED_SHARE = 0.25;
/** How long those who ask wait for a reading, in milliseconds. */
const PATIENCE_MS = 1_000;

export interface SampledOptions {
  everyMs?: number;
  patienceMs?: number;
  now?(): number;
}

/**
 * Makes readings that cost another server something as seldom as they are allowed to be: however many ask, one is under way
 * at a time. Returns undefined if nothing recent is known, since the reading has failed or takes too long.
 */
export function sampled<T>(
  read: () => Promise<T>,
  { everyMs = EVERY_MS, patienceMs = PATIENCE_MS, now = Date.now }: SampledOptions = {},
): () => Promise<T | undefined> {
  let last: { value: T | undefined; until: number } = { value: undefined, until: 0 };
  let running: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    const begunAt = now();
    const value = await read().catch(() => undefined);
    const share = value === undefined ? MAX_FAILED_SHARE : MAX_SHARE;
    const pauseMs = Math.max(everyMs, (now() - begunAt) / share);
    last = { value, until: begunAt + pauseMs };
    running = undefined;
  }

  return async () => {
    if (now() < last.until) return last.value;
    running ??= refresh();
    const isDone = await Promise.race([running.then(() => true), after(patienceMs)]);
    return isDone ? last.value : undefined;
  };
}

function after(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, ms, false).unref());
}
