import { PaymentRefused } from '../../domain/payment';
import { isAnswer, refusalOf } from './errors';
import type { Intent, StripeRequests } from './requests';
import { standingOf } from './intents';

/**
 * Asks for something once: not when the PaymentIntent says that it is done; and when Stripe refuses, since somebody
 * else was faster, the intent is looked at again.
 * @param isDone throws when it cannot be done
 */
export async function settle(
  { retrieve }: StripeRequests,
  intent: Intent,
  isDone: (intent: Intent) => boolean,
  ask: (id: string) => Promise<Intent>,
): Promise<Intent> {
  if (isDone(intent)) return intent;
  try {
    return await ask(intent.id);
  } catch (error) {
    if (!isAnswer(error)) throw error;
    const now = await retrieve(intent.id);
    if (isDone(now)) return now;
    throw refusalOf(error);
  }
}

/** @throws {PaymentRefused} there is nothing to capture, or it was captured under another key */
export function isCapturedUnder(key: string, intent: Intent): boolean {
  const standing = standingOf(intent);
  if (standing === 'authorized') return false;
  if (standing === 'captured' && intent.metadata.captureKey === key) return true;
  throw refused(intent, `is ${standing} and cannot be captured`);
}

/** @throws {PaymentRefused} it was captured */
export function isCancelled(intent: Intent): boolean {
  if (intent.status !== 'succeeded') return intent.status === 'canceled';
  throw refused(intent, 'is captured and cannot be voided: refund it instead');
}

export function refused({ id }: Intent, what: string): PaymentRefused {
  return new PaymentRefused(`The payment ${id} ${what}.`);
}
