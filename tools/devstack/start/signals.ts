import { setTimeout as delay } from 'node:timers/promises';
import type { Output } from '../../output';
import type { Stack } from './stack';

/** npm passes on the Ctrl-C that the terminal has already sent to us: within this time both are one. */
const SAME_PRESS_MS = 1_000;

/** How long a start that is called off may take to clean up, such as half a download. */
const CLEAN_UP_MS = 3_000;

/**
 * On the first SIGINT or SIGTERM everything is stopped in order and this process ends with 0; a second one ends
 * it at once. The returned signal is aborted with the first.
 */
export function onStopSignal(output: Output, stack: Stack, startup: () => Promise<unknown>): AbortSignal {
  const stopping = new AbortController();
  let firstAt = 0;

  async function stop(): Promise<void> {
    stopping.abort();
    output.line('\nstopping api, worker, temporal, mongodb in this order (Ctrl-C again: at once) …');
    await stack.stop();
    await Promise.race([startup().catch(() => undefined), delay(CLEAN_UP_MS)]);
    process.exit(0);
  }

  function onSignal(): void {
    if (!stopping.signal.aborted) {
      firstAt = Date.now();
      void stop();
    } else if (Date.now() - firstAt > SAME_PRESS_MS) {
      output.line('stopped at once');
      stack.killAll();
      process.exit(130);
    }
  }

  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  return stopping.signal;
}
