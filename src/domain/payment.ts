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

/** How often a payment service can capture one payment. */
export type Captures = 'once' | 'many';

/** What is to be captured of a payment. */
export interface Capture {
  /** Minor units, above 0. */
  amount: number;
  /** Whether what is left of the authorisation is released. */
  isFinal: boolean;
}

/** `authorized` means reserved on the customer's payment method, and not captured yet. */
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
  /** The sum of what was captured: with captures in part, less than what was authorised. */
  captured: number;
  refunds: { key: string; amount: number }[];
  /** Present when the payment was declined. */
  declineReason?: string;
}

/** A reference to a payment: what was to be authorised, and the payment service's own id once it is known. */
export interface PaymentRef extends Authorization {
  reference: string | null;
}
