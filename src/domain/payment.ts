/** An amount that a payment service is asked to reserve, once for each key. */
export interface Authorization {
  /** Names the payment permanently: its captures, voids and refunds refer to it. */
  key: string;
  orderId: string;
  /** Minor units, above 0. */
  amount: number;
  currency: string;
  paymentMethod: string;
  /**
   * Whether the customer is there to act if the bank asks for it. If not, which is the default, such a payment is
   * declined. It says how to ask and not for what, so it may differ in a repeat.
   */
  isOnSession?: boolean;
}

/**
 * How often an authorisation can be captured: `once`, which releases what is left, or `many` times, until a final
 * capture does.
 */
export type Captures = 'once' | 'many';

/** A capture of an authorisation. */
export interface Capture {
  /** Minor units, above 0. */
  amount: number;
  /** Whether what is left is released. Without it, the payment has to allow many captures. */
  isFinal: boolean;
}

/**
 * `action_required`: the bank wants the customer to act, and nothing is reserved until then. It becomes `authorized`, or
 * `declined` for good if the customer fails or is too late. `authorized` means that something is still reserved on the
 * customer's payment method, though a part may have been captured; `captured`, that something was captured and nothing is
 * reserved any more; `voided`, that nothing was captured and nothing is reserved any more, be it that we released it,
 * that it was released elsewhere or that it expired.
 */
export type ProviderPaymentStatus = 'action_required' | 'authorized' | 'captured' | 'voided' | 'declined';

/** What the customer has to do before the bank authorises a payment (3-D Secure). It is a secret of the customer's. */
export interface PaymentAction {
  /** `redirect`: open `redirectUrl` in a browser. `use_sdk`: give `clientSecret` to the payment service's own SDK. */
  type: 'redirect' | 'use_sdk';
  clientSecret?: string;
  redirectUrl?: string;
  /** Until when it can be done, ISO 8601, if the payment service limits it. */
  expiresAt?: string;
}

/** Why a payment is declined whose bank wants the customer to confirm it, who is not there. */
export const CUSTOMER_ABSENT =
  'The bank wants the customer to confirm the payment, and the customer is not there to do so ' +
  '(authentication_required): let the customer place the order, or use another payment method.';

/** A refund as the payment service knows it. `failed`: the bank has returned it, so its amount is ours again. */
export interface ProviderRefund {
  /** The key under which it was requested, or the payment service's own id if it was made elsewhere. */
  key: string;
  amount: number;
  status: 'pending' | 'succeeded' | 'failed';
}

/** A payment that the customer contests at the bank. `opened` and `lost`: the bank has taken the amount back. */
export interface ProviderDispute {
  /** The payment service's own id. */
  id: string;
  amount: number;
  status: 'opened' | 'won' | 'lost';
  /** As the payment service says it, for example `fraudulent`. */
  reason: string;
}

/** A payment as the payment service knows it. Amounts are in minor units. */
export interface ProviderPayment {
  /** The key under which it was authorised. */
  key: string;
  /** The payment service's own id. */
  reference: string;
  status: ProviderPaymentStatus;
  amount: number;
  currency: string;
  /** The amount that was ever reserved: 0 or the whole amount. */
  authorized: number;
  /** The sum of its captures, wherever they were made. */
  captured: number;
  /** How often this payment can be captured, which may depend on the card. */
  captures: Captures;
  /** All of them, the failed ones too. */
  refunds: ProviderRefund[];
  disputes: ProviderDispute[];
  /** Present when the payment was declined. */
  declineReason?: string;
  /** Present when the customer has to act. */
  action?: PaymentAction;
}

/** Returns what has been or is being paid back, which is not what has failed. */
export function refundedOf({ refunds }: Pick<ProviderPayment, 'refunds'>): number {
  return refunds.reduce((sum, { amount, status }) => (status === 'failed' ? sum : sum + amount), 0);
}

/** Returns what the bank has taken back because the customer contests it. */
export function disputedOf({
  disputes,
}: {
  disputes: readonly Pick<ProviderDispute, 'amount' | 'status'>[];
}): number {
  return disputes.reduce((sum, { amount, status }) => (status === 'won' ? sum : sum + amount), 0);
}

/** Returns what was captured, and neither paid back nor taken back by the bank. */
export function keptOf(payment: ProviderPayment): number {
  return payment.captured - refundedOf(payment) - disputedOf(payment);
}

/** Returns whether something is reserved, or may be when the customer has acted. */
export function isLive({ status }: Pick<ProviderPayment, 'status'>): boolean {
  return status === 'authorized' || status === 'action_required';
}

/** The idempotency keys of what gives a payment up, the same for all who do: each takes effect once. */
export function givingUp(paymentKey: string) {
  return { void: `${paymentKey}-void`, release: `${paymentKey}-release`, refund: `${paymentKey}-undo` };
}

/** A payment in the payment service's list, with what identifies it. */
export interface ListedPayment extends ProviderPayment {
  orderId: string;
  paymentMethod: string;
  /** ISO 8601. */
  createdAt: string;
}

/** A part of the payments of a period. */
export interface PaymentList {
  payments: ListedPayment[];
  /** Asks for the next part; null if this is the last one. */
  nextCursor: string | null;
}

/** A period of the payment service's list, and the place in it. */
export interface ListRequest {
  /** ISO 8601; inclusive. */
  from: string;
  /** ISO 8601; exclusive. */
  to: string;
  cursor?: string | null;
}

/** A reference to a payment: what was to be authorised, and the payment service's own id once it is known. */
export interface PaymentRef extends Authorization {
  reference: string | null;
}
