import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS = 100;
const INTERVAL_MS = 100;

/** Repeats an assertion until it passes, for about ten seconds. */
export async function eventually(assertion: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await delay(INTERVAL_MS);
    }
  }
}
