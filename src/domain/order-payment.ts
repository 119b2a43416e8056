import type { Order, OrderPayment, Pricing } from './order';
import type { PaymentRef } from './payment';

/** Names the payment of a new order. */
export function firstPaymentKey(orderId: string): string {
  return `${orderId}-1`;
}

/** The payment of a new order, before it is known what becomes of it. */
export function firstPayment({ id, total, currency }: Order): OrderPayment {
  return { key: firstPaymentKey(id), reference: null, amount: total!, currency: currency! };
}

/**
 * The payment of an amendment. Its key belongs to the version that is amended: whatever becomes of the amendment, the
 * order gets a new version, so that a key is never used again.
 */
export function amendmentPayment({ id, version }: Order, { total, currency }: Pricing): OrderPayment {
  return { key: amendmentKey(id, version), reference: null, amount: total, currency };
}

/**
 * What an amendment that was interrupted may have reserved: it is authorised before the order tells of it.
 * @returns an amount of 0, since it is not known; null when the order cannot have been amended
 */
export function interruptedPayment({
  id,
  version,
  status,
  paymentStatus,
  currency,
}: Order): OrderPayment | null {
  if (status !== 'confirmed' || paymentStatus !== 'authorized') return null;
  return { key: amendmentKey(id, version), reference: null, amount: 0, currency: currency! };
}

function amendmentKey(id: string, version: number): string {
  return `${id}-v${version}`;
}

/** What the payment service is asked about. */
export function paymentRef({ id, paymentMethod }: Order, payment: OrderPayment): PaymentRef {
  return { ...payment, orderId: id, paymentMethod };
}
