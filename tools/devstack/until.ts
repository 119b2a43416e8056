import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;

/**
 * Tries `attempt` until it gives something. Throws what the last try threw, or `late()`, when time is over;
 * what `check` throws ends it at once.
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
