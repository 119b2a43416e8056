import type { Order, OrderPayment, OrderState, Pricing, Refund } from './order';
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
  { captures: _captures, isClosed: _isClosed, ...payment }: OrderPayment,
): PaymentRef {
  return { ...payment, orderId: id, paymentMethod };
}

/** Returns what was captured and neither refunded nor is about to be, in minor units. */
export function leftToRefund({ captured, refunded, refunds }: Order): number {
  const pending = sum(refunds.filter(({ status }) => status === 'pending'));
  return captured - refunded - pending;
}

/** Returns what was captured without what is paid back for cancelled units, in minor units. */
export function capturedForGoods({ captured, refunds }: Order): number {
  return captured - sum(refunds.filter(({ by, status }) => by === 'system' && status !== 'failed'));
}

function sum(refunds: readonly Refund[]): number {
  return refunds.reduce((total, { amount }) => total + amount, 0);
}

/** Returns the state of the payment of which something was captured. */
export function paidStatus({ captured, refunded }: Order): OrderState['paymentStatus'] {
  if (refunded === 0) return 'captured';
  return refunded === captured ? 'refunded' : 'partially_refunded';
}

/** Returns whether a fulfillment may capture something of the payment. */
export function isCapturable({ payment, paymentStatus, captured }: Order): boolean {
  if (!payment || payment.amount === 0 || payment.isClosed) return false;
  return paymentStatus === 'authorized' || captured > 0;
}
