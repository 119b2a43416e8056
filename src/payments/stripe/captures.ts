import { createHash } from 'node:crypto';
import { PaymentRefused } from '../../domain/errors';
import { keyReused } from './errors';
import { capturesOf, ensureDone, refused, statusOf } from './intents';
import type { Intent, StripeCapture, StripeRequests } from './requests';

/** The metadata with this prefix are captures. */
const RECORD = 'capture_';
const RECORD_DIGITS = 16;

/**
 * Stripe allows 50 captures of a PaymentIntent (https://docs.stripe.com/payments/multicapture), and 50 entries of
 * metadata, three of which say what the intent is for.
 */
const MAX_CAPTURES = 47;

/**
 * Captures of a PaymentIntent, one per key. Each request leaves a record of its key in the metadata of the intent, so
 * that what has been captured is known permanently, whatever the response to the request was.
 */
export function createStripeCaptures(requests: StripeRequests) {
  return {
    /** @param capture with the amount in Stripe's unit @throws {PaymentRefused} */
    ensureCaptured(intent: Intent, key: string, capture: Omit<StripeCapture, 'record'>): Promise<Intent> {
      const record = { name: recordNameOf(key), value: recordOf(key, capture) };
      const isCaptured = (current: Intent) => {
        const recorded = current.metadata[record.name];
        if (recorded === undefined) requireCapturable(current, capture);
        else if (recorded !== record.value) throw keyReused();
        return recorded !== undefined;
      };
      // Stripe keeps an intent open of which nothing is left, unless its last capture is final.
      const isFinal = capture.isFinal || capture.amount === intent.amount_capturable;
      return ensureDone(requests, intent, isCaptured, (id) =>
        requests.capture(id, key, { ...capture, isFinal, record }),
      );
    },

    /** @throws {PaymentRefused} nothing has been captured */
    ensureReleased(intent: Intent, key: string): Promise<Intent> {
      return ensureDone(requests, intent, isReleased, (id) => requests.release(id, key));
    },
  };
}

/** @throws {PaymentRefused} */
function requireCapturable(intent: Intent, { amount, isFinal }: Omit<StripeCapture, 'record'>): void {
  const status = statusOf(intent);
  if (status === 'captured')
    throw refused(
      intent,
      'has nothing left to capture, since all was captured or the rest has expired: cancel what is left of the order',
    );
  if (status !== 'authorized') throw refused(intent, `is ${status} and cannot be captured`);
  if (amount > intent.amount_capturable) throw refused(intent, 'has less left to capture: capture less');
  if (isFinal) return;
  if (capturesOf(intent) === 'once')
    throw refused(intent, 'can be captured only once: make its capture final');
  const earlier = Object.keys(intent.metadata).filter((name) => name.startsWith(RECORD)).length;
  if (earlier >= MAX_CAPTURES - 1) throw tooManyCaptures();
}

/** @throws {PaymentRefused} nothing has been captured */
function isReleased(intent: Intent): boolean {
  if (intent.amount_received > 0) return statusOf(intent) === 'captured';
  throw refused(intent, 'has no capture, so there is no rest to release: void it');
}

/** The key itself may be longer than a name may be, which is 40 characters. */
function recordNameOf(key: string): string {
  return RECORD + createHash('sha256').update(key).digest('hex').slice(0, RECORD_DIGITS);
}

function recordOf(key: string, { amount, isFinal }: Omit<StripeCapture, 'record'>): string {
  return `${amount}${isFinal ? ' final' : ''} ${key}`;
}

function tooManyCaptures(): PaymentRefused {
  return new PaymentRefused(
    `The payment can be captured ${MAX_CAPTURES} times, and this would be the last: fulfill all that is left of the ` +
      'order at once, or cancel the rest of it first.',
  );
}
