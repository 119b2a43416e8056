import { sumAmounts } from './money';
import { dueOf, type Order, type OrderPayment, type OrderState, type Pricing, type Refund } from './order';
import { disputedOf, type PaymentRef } from './payment';

/** Returns the key of a new order's payment. */
export function firstPaymentKey(orderId: string): string {
  return `${orderId}-1`;
}

/** Returns the payment of a new order, before it is authorised. */
export function firstPayment({ id, total, currency }: Order): OrderPayment {
  return { key: firstPaymentKey(id), reference: null, amount: total!, currency: currency!, captures: 'once' };
}

/** Returns the payment of an amendment, by the card that the order is paid with. */
export function amendmentPayment(order: Order, { total, currency }: Pricing): OrderPayment {
  const paymentMethod = order.payment?.paymentMethod;
  return intendedPayment(order, { amount: total, currency, ...(paymentMethod && { paymentMethod }) });
}

/** Returns the payment of an attempt with another card. */
export function nextPayment(order: Order, paymentMethod: string): OrderPayment {
  return intendedPayment(order, { amount: dueOf(order)!, currency: order.currency!, paymentMethod });
}

/** Its key has the revision with which the order intends it, so no key is used twice. */
function intendedPayment(
  { id, revision }: Order,
  payment: Pick<OrderPayment, 'amount' | 'currency' | 'paymentMethod'>,
): OrderPayment {
  return { key: `${id}-${revision + 1}`, reference: null, captures: 'once', ...payment };
}

/** Returns the payment that the order has, or the one that it begins with. */
export function currentPayment(order: Order): OrderPayment {
  return order.payment ?? firstPayment(order);
}

/** Returns whether the payment with the key is the one that the order has. One that was replaced is given up. */
export function isCurrentPayment(order: Order, paymentKey: string): boolean {
  return order.version > 0 && order.total !== null && currentPayment(order).key === paymentKey;
}

/** Returns how the payment service refers to the payment. */
export function paymentRef(
  { id, paymentMethod }: Pick<Order, 'id' | 'paymentMethod'>,
  { captures: _captures, isClosed: _isClosed, ...payment }: OrderPayment,
): PaymentRef {
  return { paymentMethod, ...payment, orderId: id };
}

/** Returns what was captured and neither paid back, nor about to be, nor taken back by the bank, in minor units. */
export function leftToRefund(order: Order): number {
  const { captured, refunded, refunds } = order;
  const pending = sumOf(refunds.filter(({ status }) => status === 'pending'));
  return Math.max(0, captured - refunded - pending - disputedOf(order));
}

/** Returns what was captured without what is paid back for cancelled units, in minor units. */
export function capturedForGoods({ captured, refunds }: Order): number {
  const ofSystem = refunds.filter(({ by }) => by === 'system');
  const failed = sumOf(ofSystem.filter(({ status }) => status === 'failed'));
  const made = sumOf(ofSystem) - failed;
  // What others pay back makes up for those that failed at the bank.
  const others = sumOf(refunds.filter(({ by, status }) => by !== 'system' && status === 'succeeded'));
  return captured - made - Math.min(failed, others);
}

/** Returns what refunds are worth together, in minor units. */
export function sumOf(refunds: readonly Pick<Refund, 'amount'>[]): number {
  return sumAmounts(refunds.map(({ amount }) => amount));
}

/** Returns the name of a refund at the payment service: that under which it was requested, or its own if it was made there. */
export function providerKeyOf({ id, providerKey }: Refund): string {
  return providerKey ?? id;
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
