import { setTimeout as delay } from 'node:timers/promises';
import type { Output } from '../../output';
import type { Stack } from './stack';

/** npm passes on a Ctrl-C that the terminal has sent to this process too: both within this time are one. */
const SAME_PRESS_MS = 1_000;

/** How long an aborted start may take to clean up, for example after half a download. */
const CLEAN_UP_MS = 3_000;

/**
 * Stops everything in order on the first SIGINT or SIGTERM and exits with 0; a second one kills everything.
 * The returned signal is aborted by the first.
 */
export function onStopSignal(output: Output, stack: Stack, startup: () => Promise<unknown>): AbortSignal {
  const stopping = new AbortController();
  let firstAt = 0;

  async function stop(): Promise<void> {
    stopping.abort();
    output.line(
      '\nstopping api, worker, temporal, mongodb in this order (press Ctrl-C again to kill them) …',
    );
    await stack.stop();
    await Promise.race([startup().catch(() => undefined), delay(CLEAN_UP_MS)]);
    process.exit(0);
  }

  function onSignal(): void {
    if (!stopping.signal.aborted) {
      firstAt = Date.now();
      void stop();
    } else if (Date.now() - firstAt > SAME_PRESS_MS) {
      output.line('killed');
      stack.killAll();
      process.exit(130);
    }
  }

  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  return stopping.signal;
}
