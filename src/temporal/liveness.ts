import { setTimeout as delay } from 'node:timers/promises';
import type { TemporalClient } from './client';
import { temporalProblem } from '../orders/temporal/failures';

/** After so long without an answer, a server that hangs must be told from a worker that is busy or away. */
const DOUBT_AFTER_MS = 1_000;
/** With the doubt before it, it is known within 3 s that the server hangs. */
const LIVENESS_TIMEOUT_MS = 1_200;

/**
 * Waits for the answer, but only while the server shows that it lives.
 * @throws {AppError} service_unavailable
 */
export async function whileServerLives<T>(temporal: TemporalClient, answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined); // may fail while the doubt is being settled; it is awaited below
  const inDoubt = Symbol();
  const first = await Promise.race([answer, delay(DOUBT_AFTER_MS, inDoubt, { ref: false })]);
  if (first === inDoubt) await requireLiveServer(temporal);
  return answer;
}

/**
 * Whoever answers another call lives. Else the server is asked, by a call that needs neither its database nor the
 * workflow. A time-out alone proves nothing: it may be this process that was too busy to see the answer.
 * @throws {AppError} service_unavailable
 */
export async function requireLiveServer({ client, lastAnswerAt }: TemporalClient): Promise<void> {
  const since = Date.now() - DOUBT_AFTER_MS;
  if (lastAnswerAt() > since) return;
  try {
    await client.withDeadline(Date.now() + LIVENESS_TIMEOUT_MS, () =>
      client.workflowService.getSystemInfo({}),
    );
  } catch (error) {
    await delay(20); // an answer that has arrived, but was not read yet
    if (lastAnswerAt() <= since) throw temporalProblem(error);
  }
}
