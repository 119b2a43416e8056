import type { Order, OrderPayment, Pricing } from './order';
import type { PaymentRef } from './payment';

/** Returns the key of a new order's payment. */
export function firstPaymentKey(orderId: string): string {
  return `${orderId}-1`;
}

/** Returns the payment of a new order, before it is authorised. */
export function firstPayment({ id, total, currency }: Order): OrderPayment {
  return { key: firstPaymentKey(id), reference: null, amount: total!, currency: currency! };
}

/**
 * Returns the payment of an amendment. Its key belongs to the version that is amended. Whether the amendment
 * succeeds or fails, the order gets a new version, so no key is used twice.
 */
export function amendmentPayment({ id, version }: Order, { total, currency }: Pricing): OrderPayment {
  return { key: amendmentKey(id, version), reference: null, amount: total, currency };
}

/**
 * Returns the payment that an interrupted amendment may have reserved, since it is authorised before the
 * order is saved. Its amount is unknown and stands as 0. Returns null if the order cannot have been amended.
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

/** Returns how the payment service refers to the payment. */
export function paymentRef({ id, paymentMethod }: Order, payment: OrderPayment): PaymentRef {
  return { ...payment, orderId: id, paymentMethod };
}
