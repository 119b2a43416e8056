import { BusinessError } from './errors';

/** What a payment service is asked to reserve; it is asked under a key, so that it happens once. */
export interface Authorization {
  /** Names the payment for ever: its captures, voids and refunds refer to it. */
  key: string;
  orderId: string;
  /** Minor units, above 0. */
  amount: number;
  currency: string;
  paymentMethod: string;
}

/** `authorized`: reserved on the customer's payment method, nothing taken yet. */
export type ProviderPaymentStatus = 'authorized' | 'captured' | 'voided' | 'declined';

/** A payment as the payment service knows it; amounts in minor units. */
export interface ProviderPayment {
  /** The key that it was authorised under. */
  key: string;
  /** The payment service's own id. */
  reference: string;
  status: ProviderPaymentStatus;
  amount: number;
  currency: string;
  /** What was reserved at some time: 0 or the whole amount. */
  authorized: number;
  /** 0 or the whole amount. */
  captured: number;
  refunds: { key: string; amount: number }[];
  /** Why, when it was declined. */
  declineReason?: string;
}

/** Names a payment: by what was to be authorised, and by the payment service's id as soon as that is known. */
export interface PaymentRef extends Authorization {
  reference: string | null;
}

/** The customer's bank or card says no. */
export class PaymentDeclined extends BusinessError {
  override name = 'PaymentDeclined';
}

/** The payment is not in a state in which it can be captured, voided or refunded as asked. */
export class PaymentRefused extends BusinessError {
  override name = 'PaymentRefused';
}

/**
 * The key belongs to something else that was asked for under it, such as another amount. Unlike any other refusal it
 * says nothing of what is reserved: something may be.
 */
export class PaymentKeyReused extends PaymentRefused {
  override name = 'PaymentKeyReused';
}
