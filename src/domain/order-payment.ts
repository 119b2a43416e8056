import type { Order, OrderPayment, Pricing } from './order';
import type { PaymentRef } from './payment';

/** Returns the key of a new order's payment. */
export function firstPaymentKey(orderId: string): string {
  return `${orderId}-1`;
}

/** Returns the payment of a new order, before it is authorised. */
export function firstPayment({ id, total, currency }: Order): OrderPayment {
  return { key: firstPaymentKey(id), reference: null, amount: total!, currency: currency!, captures: 'once' };
}

/**
 * Returns the payment of an amendment. Its key has the revision with which the order intends it, so no key is
 * used twice.
 */
export function amendmentPayment({ id, revision }: Order, { total, currency }: Pricing): OrderPayment {
  return { key: `${id}-${revision + 1}`, reference: null, amount: total, currency, captures: 'once' };
}

/** Returns how the payment service refers to the payment. */
export function paymentRef(
  { id, paymentMethod }: Pick<Order, 'id' | 'paymentMethod'>,
  { captures: _, ...payment }: OrderPayment,
): PaymentRef {
  return { ...payment, orderId: id, paymentMethod };
}
