import type { PaymentRef, ProviderPayment, ProviderPaymentStatus } from '../../domain/payment';
import { fromStripeAmount } from './amounts';
import type { StripePayment } from './repository';
import type { Intent, Refund } from './requests';

/** Where a PaymentIntent stands. `unconfirmed`: nobody has asked the bank yet. */
export function standingOf({ id, status }: Intent): ProviderPaymentStatus | 'unconfirmed' {
  switch (status) {
    case 'requires_confirmation':
      return 'unconfirmed';
    case 'requires_capture':
      return 'authorized';
    case 'succeeded':
      return 'captured';
    case 'canceled':
      return 'voided';
    case 'requires_payment_method': // the one that it was given has failed
    case 'requires_action':
      return 'declined';
    default:
      throw new Error(`The PaymentIntent ${id} is ${status}: ask again when Stripe has decided.`);
  }
}

export interface Described {
  key: string;
  status: ProviderPaymentStatus;
  declineReason?: string;
  refunds?: Refund[];
}

export function presentIntent(
  intent: Intent,
  { key, status, declineReason, refunds = [] }: Described,
): ProviderPayment {
  const currency = intent.currency.toUpperCase();
  const ours = (amount: number) => fromStripeAmount(amount, currency);
  return {
    key,
    reference: intent.id,
    status,
    amount: ours(intent.amount),
    currency,
    authorized: wasAuthorized(intent) ? ours(intent.amount) : 0,
    captured: ours(intent.amount_received),
    refunds: refunds.map((refund) => ({
      key: refund.metadata?.key ?? refund.id, // one made in the Dashboard has no key of ours
      amount: ours(refund.amount),
    })),
    ...(declineReason !== undefined && { declineReason }),
  };
}

/** A payment whose key was closed, or declined, before there was a PaymentIntent. */
export function presentNone(
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

/** Once; a cancelled intent has a charge that succeeded when there was something to give back. */
function wasAuthorized({ status, latest_charge: charge }: Intent): boolean {
  if (status === 'requires_capture' || status === 'succeeded') return true;
  return typeof charge === 'object' && charge?.status === 'succeeded';
}
