import type { PaymentRef, ProviderPayment, ProviderPaymentStatus } from '../../domain/payment';
import { PaymentRefused } from '../../domain/errors';
import { fromStripeAmount } from './amounts';
import { isFinalError, toPaymentRefused } from './errors';
import type { StripePayment } from './repository';
import type { Intent, Refund, StripeRequests } from './requests';

/** Returns the status of a PaymentIntent in our terms. `unconfirmed`: the bank has not been asked yet. */
export function statusOf({ id, status }: Intent): ProviderPaymentStatus | 'unconfirmed' {
  switch (status) {
    case 'requires_confirmation':
      return 'unconfirmed';
    case 'requires_capture':
      return 'authorized';
    case 'succeeded':
      return 'captured';
    case 'canceled':
      return 'voided';
    case 'requires_payment_method': // the given payment method has failed
    case 'requires_action':
      return 'declined';
    default:
      throw new Error(`The PaymentIntent ${id} is ${status}: try again once Stripe has decided.`);
  }
}

/**
 * Sends a request unless the PaymentIntent shows that it is done already. If Stripe rejects the request,
 * another process may have been faster, so the intent is read again before the error is thrown.
 * @param isDone throws if the request is impossible
 */
export async function ensureDone(
  { retrieve }: StripeRequests,
  intent: Intent,
  isDone: (intent: Intent) => boolean,
  send: (id: string) => Promise<Intent>,
): Promise<Intent> {
  if (isDone(intent)) return intent;
  try {
    return await send(intent.id);
  } catch (error) {
    if (!isFinalError(error)) throw error;
    const current = await retrieve(intent.id);
    if (isDone(current)) return current;
    throw toPaymentRefused(error);
  }
}

/** @throws {PaymentRefused} there is nothing to capture, or it was captured under another key */
export function isCapturedUnder(key: string, intent: Intent): boolean {
  const status = statusOf(intent);
  if (status === 'authorized') return false;
  if (status === 'captured' && intent.metadata.captureKey === key) return true;
  throw refused(intent, `is ${status} and cannot be captured`);
}

/** @throws {PaymentRefused} the intent was captured */
export function isCancelled(intent: Intent): boolean {
  if (intent.status !== 'succeeded') return intent.status === 'canceled';
  throw refused(intent, 'is captured and cannot be voided: refund it instead');
}

export function refused({ id }: Intent, what: string): PaymentRefused {
  return new PaymentRefused(`The payment ${id} ${what}.`);
}

export interface PresentedFields {
  key: string;
  status: ProviderPaymentStatus;
  declineReason?: string;
  refunds?: Refund[];
}

export function presentIntent(
  intent: Intent,
  { key, status, declineReason, refunds = [] }: PresentedFields,
): ProviderPayment {
  const currency = intent.currency.toUpperCase();
  const minorUnits = (amount: number) => fromStripeAmount(amount, currency);
  return {
    key,
    reference: intent.id,
    status,
    amount: minorUnits(intent.amount),
    currency,
    authorized: wasAuthorized(intent) ? minorUnits(intent.amount) : 0,
    captured: minorUnits(intent.amount_received),
    refunds: refunds.map((refund) => ({
      key: refund.metadata?.key ?? refund.id, // a refund made in the Dashboard has no key of ours
      amount: minorUnits(refund.amount),
    })),
    ...(declineReason !== undefined && { declineReason }),
  };
}

/** Presents a payment that was voided or declined before it had a PaymentIntent. */
export function presentWithoutIntent(
  { key, amount, currency }: PaymentRef,
  { declineReason }: StripePayment,
): ProviderPayment {
  return {
    key,
    reference: '',
    status: declineReason === null ? 'voided' : 'declined',
    amount,
    currency,
    authorized: 0,
    captured: 0,
    refunds: [],
    ...(declineReason !== null && { declineReason }),
  };
}

/** A cancelled intent was authorised if it has a charge that succeeded. */
function wasAuthorized({ status, latest_charge: charge }: Intent): boolean {
  if (status === 'requires_capture' || status === 'succeeded') return true;
  return typeof charge === 'object' && charge?.status === 'succeeded';
}
