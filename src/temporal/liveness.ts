import { setTimeout as delay } from 'node:timers/promises';
import type { TemporalClient } from './client';

/**
 * After this long without a response, a server that hangs has to be told from a worker that is busy or away.
 */
const DOUBT_AFTER_MS = 1_000;
/** Together with the doubt before it, this finds within 3 s that a server hangs. */
const LIVENESS_TIMEOUT_MS = 1_200;

/**
 * Waits for the answer for as long as the server shows that it lives.
 * @throws the error of the call that the server did not respond to
 */
export async function whileServerLives<T>(temporal: TemporalClient, answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined); // it may fail while the server is asked; it is awaited below
  const inDoubt = Symbol();
  const first = await Promise.race([answer, delay(DOUBT_AFTER_MS, inDoubt, { ref: false })]);
  if (first === inDoubt) await requireLiveServer(temporal);
  return answer;
}

/**
 * A server lives if it has just responded to any call. Otherwise it is asked, with a call that needs neither
 * its database nor the workflow. A time-out alone proves nothing: this process may have been too busy to see
 * the response.
 * @throws the error of that call
 */
export async function requireLiveServer({ client, lastAnswerAt }: TemporalClient): Promise<void> {
  const since = Date.now() - DOUBT_AFTER_MS;
  if (lastAnswerAt() > since) return;
  try {
    await client.withDeadline(Date.now() + LIVENESS_TIMEOUT_MS, () =>
      client.workflowService.getSystemInfo({}),
    );
  } catch (error) {
    await delay(20); // for a response that has arrived but has not been read yet
    if (lastAnswerAt() <= since) throw error;
  }
}
