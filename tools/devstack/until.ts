import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;

/**
 * Repeats `attempt` until it returns something.
 * @param late returns the error to throw when time is up, from the one of the last attempt
 * @param check throws to give up early
 */
export async function until<T>(
  limitMs: number,
  attempt: () => Promise<T | undefined>,
  late: (lastError: unknown) => Error,
  check: () => void = () => undefined,
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
    await delay(POLL_MS);
  }
}
