import type { Captures, PaymentRef, ProviderPayment, ProviderPaymentStatus } from '../../domain/payment';
import { PaymentRefused } from '../../domain/errors';
import { fromStripeAmount } from '../amounts';
import { isFinalError, toPaymentRefused } from './errors';
import type { StripePayment } from './repository';
import type { Intent, Refund, StripeRequests } from './requests';

/** Returns the status of a PaymentIntent in our terms. `unconfirmed`: the bank has not been asked yet. */
export function statusOf({ id, status, amount_received }: Intent): ProviderPaymentStatus | 'unconfirmed' {
  switch (status) {
    case 'requires_confirmation':
      return 'unconfirmed';
    case 'requires_capture':
      return 'authorized';
    case 'succeeded':
      return 'captured';
    case 'canceled':
      return amount_received > 0 ? 'captured' : 'voided'; // both were requested at once
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

/** @throws {PaymentRefused} something was captured */
export function isCancelled(intent: Intent): boolean {
  requireUncaptured(intent);
  return intent.status === 'canceled';
}

/** @throws {PaymentRefused} */
export function requireUncaptured(intent: Intent): void {
  if (intent.amount_received > 0)
    throw refused(intent, 'has a capture, so it cannot be voided: release and refund it');
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
    captures: capturesOf(intent),
    refunds: refunds.map((refund) => ({
      key: refund.metadata?.key ?? refund.id, // a refund made in the Dashboard has no key of ours
      amount: minorUnits(refund.amount),
      status: 'succeeded' as const,
    })),
    disputes: [],
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
    captures: 'once',
    refunds: [],
    disputes: [],
    ...(declineReason !== null && { declineReason }),
  };
}

/** Returns how often the intent can be captured, which Stripe decides when it is confirmed, card by card. */
export function capturesOf({ latest_charge: charge }: Intent): Captures {
  const details = typeof charge === 'object' ? charge?.payment_method_details : undefined;
  return details?.card?.multicapture?.status === 'available' ? 'many' : 'once';
}

/** A cancelled intent was authorised if it has a charge that succeeded. */
function wasAuthorized({ status, latest_charge: charge }: Intent): boolean {
  if (status === 'requires_capture' || status === 'succeeded') return true;
  return typeof charge === 'object' && charge?.status === 'succeeded';
}
