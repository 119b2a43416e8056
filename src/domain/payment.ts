/** An amount that a payment service is asked to reserve, once for each key. */
export interface Authorization {
  /** Names the payment permanently: its captures, voids and refunds refer to it. */
  key: string;
  orderId: string;
  /** Minor units, above 0. */
  amount: number;
  currency: string;
  paymentMethod: string;
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
 * `authorized` means that something is still reserved on the customer's payment method, though a part may have been
 * captured; `captured`, that something was captured and nothing is reserved any more.
 */
export type ProviderPaymentStatus = 'authorized' | 'captured' | 'voided' | 'declined';

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
  /** The sum of its captures. */
  captured: number;
  /** How often this payment can be captured, which may depend on the card. */
  captures: Captures;
  refunds: { key: string; amount: number }[];
  /** Present when the payment was declined. */
  declineReason?: string;
}

/** A reference to a payment: what was to be authorised, and the payment service's own id once it is known. */
export interface PaymentRef extends Authorization {
  reference: string | null;
}
