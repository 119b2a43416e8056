import { setTimeout as delay } from 'node:timers/promises';

/** After this time a wait has hung. It ends what would never end, and does not judge how fast a machine is. */
export const HANG_MS = 10 * 60_000;
const PAUSE_MS = 100;

/**
 * Repeats `attempt` until it returns something.
 * @param late returns the error to throw when time is up, from the one of the last attempt
 * @param check throws to give up early
 * @param pauseMs between two attempts
 */
export async function until<T>(
  limitMs: number,
  attempt: () => Promise<T | undefined>,
  late: (lastError: unknown) => Error,
  check: () => void = () => undefined,
  pauseMs = PAUSE_MS,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  let lastError: unknown;
  for (;;) {
    check();
    try {
      const result = await attempt();
      if (result !== undefined) return result;
    } catch (error) {
      lastError = error;
    }
    check();
    if (Date.now() > deadline) throw late(lastError);
    await delay(pauseMs);
  }
}
