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
  return { key: `${id}-v${version}`, reference: null, amount: total, currency };
}

/** What the payment service is asked about. */
export function paymentRef({ id, paymentMethod }: Order, payment: OrderPayment): PaymentRef {
  return { ...payment, orderId: id, paymentMethod: paymentMethod! };
}
