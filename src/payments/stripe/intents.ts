import type Stripe from 'stripe';
import type {
  Captures,
  PaymentAction,
  PaymentRef,
  ProviderPayment,
  ProviderPaymentStatus,
} from '../../domain/payment';
import { PaymentRefused } from '../../domain/errors';
import { fromStripeAmount } from '../amounts';
import { presentDisputes } from './disputes';
import { isFinalError, toPaymentRefused } from './errors';
import { presentRefund } from './refunds';
import type { StripePayment } from './repository';
import type { Dispute, Intent, Refund, StripeRequests } from './requests';

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
    case 'requires_action':
      return 'action_required';
    case 'requires_payment_method': // the given payment method has failed, or its customer has
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
  disputes?: Dispute[];
}

export function presentIntent(
  intent: Intent,
  { key, status, declineReason, refunds = [], disputes = [] }: PresentedFields,
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
    refunds: refunds.map((refund) => presentRefund(refund, currency)),
    disputes: presentDisputes(disputes),
    ...(declineReason !== undefined && { declineReason }),
    ...(status === 'action_required' && { action: actionOf(intent) }),
  };
}

/** Stripe does not limit how long the customer may take. */
function actionOf({ client_secret, next_action }: Intent): PaymentAction {
  const clientSecret = client_secret ?? undefined;
  const redirectUrl = next_action?.redirect_to_url?.url;
  return redirectUrl ? { type: 'redirect', redirectUrl, clientSecret } : { type: 'use_sdk', clientSecret };
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
export function capturesOf(intent: Intent): Captures {
  return chargeOf(intent)?.payment_method_details?.card?.multicapture?.status === 'available'
    ? 'many'
    : 'once';
}

/** Returns the last attempt to charge the customer, if there was any. */
export function chargeOf({ latest_charge: charge }: Intent): Stripe.Charge | undefined {
  return typeof charge === 'object' ? (charge ?? undefined) : undefined;
}

/** A cancelled intent was authorised if it has a charge that succeeded. */
export function wasAuthorized(intent: Intent): boolean {
  if (intent.status === 'requires_capture' || intent.status === 'succeeded') return true;
  return chargeOf(intent)?.status === 'succeeded';
}
