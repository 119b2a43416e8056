import type { AmendOrder } from '../../src/domain/amendment';
import type { FulfillOrder } from '../../src/domain/fulfillment';
import type {
  AnsweredCommand,
  Compensation,
  ErrorRecord,
  Fulfillment,
  IntendedAmendment,
  IntendedFulfillment,
  IntendedRefund,
  Order,
  OrderItem,
  OrderLine,
  OrderPayment,
  OrderRequest,
  PricedItem,
  Pricing,
  Refund,
} from '../../src/domain/order';
import { draftOrder, unfulfilled } from '../../src/domain/placing';
import type { PaymentPolicy } from '../../src/domain/paying';
import type { RefundOrder } from '../../src/domain/refund';

export const CREATED = '2026-01-01T00:00:00.000Z';
export const LATER = '2026-01-02T00:00:00.000Z';

/** That of a shop in which a payment that is turned down ends the order. */
export const policy: PaymentPolicy = { actionDeadlineMs: 1_800_000, retryWindowMs: 0 };

export const line = (productServiceId: string, quantity = 1): OrderLine => ({ productServiceId, quantity });

export function requestFor(fields: Partial<OrderRequest> = {}): OrderRequest {
  return {
    orderId: 'ord_1',
    customerId: 'usr_1',
    placedBy: 'usr_2',
    items: [line('ps_a', 2)],
    paymentMethod: 'pm_card_visa',
    note: null,
    shippingAddress: null,
    fingerprint: 'f',
    attemptId: 'a',
    requestId: 'r',
    createdAt: CREATED,
    ...fields,
  };
}

/** A line at 10.00 for each unit, without tax. */
export function priced(
  productServiceId: string,
  quantity = 1,
  kind: PricedItem['kind'] = 'product',
): PricedItem {
  const total = 1_000 * quantity;
  const price = { unitPrice: 1_000, taxRateBps: 0, priceIncludesTax: false, subtotal: total, tax: 0, total };
  return { productServiceId, sku: `SKU-${productServiceId}`, name: 'A thing', kind, quantity, ...price };
}

export function pricingOf(...items: PricedItem[]): Pricing {
  const sum = (field: 'subtotal' | 'tax' | 'total') => items.reduce((all, item) => all + item[field], 0);
  return { items, currency: 'EUR', subtotal: sum('subtotal'), tax: sum('tax'), total: sum('total') };
}

export function itemOf(item: PricedItem, fulfilledQuantity = 0): OrderItem {
  return { ...unfulfilled(item), fulfilledQuantity };
}

export const payment = (amount: number, suffix = '1'): OrderPayment => ({
  key: `ord_1-${suffix}`,
  reference: `pi_${suffix}`,
  amount,
  currency: 'EUR',
  captures: 'once',
});

/**
 * An order of two units of a product and one of a service, confirmed and authorised unless `fields` say
 * otherwise.
 */
export function orderIn(fields: Partial<Order> = {}): Order {
  return {
    ...draftOrder(requestFor()),
    items: [itemOf(priced('ps_a', 2)), itemOf(priced('ps_s', 1, 'service'))],
    currency: 'EUR',
    subtotal: 3_000,
    tax: 0,
    total: 3_000,
    status: 'confirmed',
    paymentStatus: 'authorized',
    payment: payment(3_000),
    reservation: 'held',
    version: 2,
    revision: 2,
    ...fields,
  };
}

export const command = { id: 'cmd_1', by: 'usr_9', requestId: 'r', seenRevision: 2 };
const keyed = { ...command, id: 'k1', fingerprint: 'f1', attemptId: 'a1' };

export const amending = (fields: Partial<AmendOrder> = {}): AmendOrder => ({
  ...command,
  ifMatch: null,
  ...fields,
});
export const fulfilling = (items: OrderLine[], fields: Partial<FulfillOrder> = {}): FulfillOrder => ({
  ...keyed,
  items,
  carrier: null,
  trackingNumber: null,
  ...fields,
});
export const refunding = (amount: number | null, fields: Partial<RefundOrder> = {}): RefundOrder => ({
  ...keyed,
  amount,
  reason: 'Broken',
  ...fields,
});
export const fulfillment = (fields: Partial<Fulfillment> = {}): Fulfillment => ({
  id: 'k1',
  items: [line('ps_a', 1)],
  carrier: null,
  trackingNumber: null,
  fingerprint: 'f1',
  attemptId: 'a1',
  by: 'usr_9',
  createdAt: LATER,
  deliveredAt: null,
  ...fields,
});
export const refundOf = (amount: number, id: string): Refund => ({
  id,
  amount,
  status: 'succeeded',
  items: [],
  reason: 'Broken',
  fingerprint: `f-${id}`,
  attemptId: 'a',
  by: 'usr_9',
  createdAt: CREATED,
});

export function owed(fields: Partial<Compensation> = {}): Compensation {
  return {
    step: 'voidPayment-1',
    kind: 'void',
    payment: payment(3_000),
    amount: (fields.payment ?? payment(3_000)).amount,
    state: 'owed',
    since: CREATED,
    failure: null,
    resolution: null,
    ...fields,
  };
}

/** Intends to replace the lines of the order by five units at 50.00, with a payment of their own. */
export const intendedAmendment = (fields: Partial<IntendedAmendment> = {}): IntendedAmendment => ({
  kind: 'amendment',
  command: { id: 'cmd_1', fingerprint: null, attemptId: null },
  since: CREATED,
  amendment: { pricing: pricingOf(priced('ps_b', 5)), note: 'New', shippingAddress: null },
  payment: { ...payment(5_000, '3'), reference: null },
  by: 'usr_9',
  ...fields,
});
export const intendedFulfillment = (): IntendedFulfillment => ({
  kind: 'fulfillment',
  command: { id: 'k1', fingerprint: 'f1', attemptId: 'a1' },
  since: LATER,
  fulfillment: fulfillment(),
  capture: { amount: 3_000, isFinal: true },
});
export const intendedRefund = (amount: number): IntendedRefund => ({
  kind: 'refund',
  command: { id: 'k1', fingerprint: 'f-k1', attemptId: 'a' },
  since: LATER,
  refund: refundOf(amount, 'k1'),
});

export const refused: ErrorRecord = { type: 'InvalidTransition', message: 'Not now.' };

/** A command that was carried out at revision 1. */
export const answered = (id: string, fields: Partial<AnsweredCommand> = {}): AnsweredCommand => ({
  id,
  fingerprint: null,
  attemptId: null,
  at: CREATED,
  version: 1,
  revision: 1,
  error: null,
  ...fields,
});

/** Matches an error by its name and its message. */
export const failing = (name: string, message: RegExp) =>
  expect.objectContaining({ name, message: expect.stringMatching(message) }) as Error;
