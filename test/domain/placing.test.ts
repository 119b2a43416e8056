import { orderNumberOf } from '../../src/domain/order-number';
import { INITIAL_STATE } from '../../src/domain/order-transitions';
import {
  confirmedOrder,
  draftOrder,
  isReused,
  openedOrder,
  pricedOrder,
  requestOf,
  unfulfilled,
} from '../../src/domain/placing';
import {
  CREATED,
  failing,
  itemOf,
  LATER,
  line,
  orderIn,
  payment,
  priced,
  pricingOf,
  requestFor,
} from './fixtures';

const goods = pricingOf(priced('ps_a', 2), priced('ps_s', 1, 'service'));
const opened = openedOrder(requestFor(), goods);

const UNTOUCHED = {
  fulfilledQuantity: 0,
  cancelledQuantity: 0,
  cancelledAmount: 0,
  refundedQuantity: 0,
  restockedQuantity: 0,
  writtenOffQuantity: 0,
};

describe('before it is opened, an order', () => {
  const request = requestFor();
  const draft = draftOrder(request);

  it('is a draft: its lines as sent, no prices, version 0', () => {
    const { orderId: id, items: _items, ...rest } = request;
    const unpriced = { sku: null, name: null, kind: null, unitPrice: null, taxRateBps: null };
    const noPrice = { subtotal: null, tax: null, total: null };
    const noLinePrice = { ...noPrice, priceIncludesTax: null };
    expect(draft).toEqual({
      id,
      number: orderNumberOf(id),
      externalRef: null,
      metadata: {},
      ...rest,
      ...INITIAL_STATE,
      items: [{ ...line('ps_a', 2), ...unpriced, ...noLinePrice, ...UNTOUCHED }],
      currency: null,
      ...noPrice,
      reservation: 'none',
      payment: null,
      captured: 0,
      refunded: 0,
      cancelled: 0,
      fulfillments: [],
      refunds: [],
      compensations: [],
      rejection: null,
      archivedAt: null,
      overdueSince: null,
      payBy: null,
      retryUntil: null,
      attempts: [],
      disputes: [],
      statusHistory: [
        { at: CREATED, axis: 'status', from: null, to: 'pending', by: request.placedBy, reason: null },
      ],
      intention: null,
      commands: [],
      version: 0,
      revision: 0,
      resumedRevision: 0,
      resumedBy: null,
      updatedAt: CREATED,
    });
  });

  it('has prices once it is priced', () => {
    const { items: _items, ...totals } = pricingOf(priced('ps_a', 2));
    const items = [itemOf(priced('ps_a', 2))];
    expect(pricedOrder(request, pricingOf(priced('ps_a', 2)))).toEqual({ ...draft, ...totals, items });
    expect(pricedOrder(request, null)).toEqual(draft);
  });

  it('has lines of which nothing is fulfilled', () => {
    expect(unfulfilled(priced('ps_a', 2))).toEqual({ ...priced('ps_a', 2), ...UNTOUCHED });
  });

  it('still has the request that it was made from', () => {
    const order = pricedOrder(request, pricingOf(priced('ps_a', 2)));
    expect(requestOf(confirmedOrder(order, payment(2_000), LATER))).toEqual(request);
  });

  it('still has the total that the client expects, which holds when it is placed after an interruption', () => {
    const expecting = { ...request, expectedTotal: 2_000 };
    expect(requestOf(draftOrder(expecting))).toEqual(expecting);
    expect(pricedOrder(expecting, pricingOf(priced('ps_a', 2)))).not.toHaveProperty('expectedTotal');
  });
});

it('openedOrder is pending, at version 1, with its prices and its stock held', () => {
  expect(opened).toEqual({
    ...pricedOrder(requestFor(), goods),
    items: [itemOf(priced('ps_a', 2)), itemOf(priced('ps_s', 1, 'service'))],
    currency: 'EUR',
    subtotal: 3_000,
    tax: 0,
    total: 3_000,
    status: 'pending',
    paymentStatus: 'pending',
    fulfillmentStatus: 'unfulfilled',
    reservation: 'held',
    payment: null,
    version: 1,
  });
});

it('openedOrder holds no stock for services', () => {
  expect(openedOrder(requestFor(), pricingOf(priced('ps_s', 1, 'service'))).reservation).toBe('none');
});

it('confirmedOrder has its payment authorised', () => {
  const by = { at: LATER, by: 'system', reason: null };
  expect(confirmedOrder(opened, payment(3_000), LATER)).toEqual({
    ...opened,
    status: 'confirmed',
    paymentStatus: 'authorized',
    payment: payment(3_000),
    version: 2,
    updatedAt: LATER,
    statusHistory: [
      ...opened.statusHistory,
      { ...by, axis: 'paymentStatus', from: 'pending', to: 'authorized' },
      { ...by, axis: 'status', from: 'pending', to: 'confirmed' },
    ],
  });
});

it('confirmedOrder rejects an order that is not pending', () => {
  const completed = orderIn({ status: 'completed' });
  expect(() => confirmedOrder(completed, payment(3_000), LATER)).toThrow(
    failing('InvalidTransition', /completed/),
  );
});

it('all that a request says is in the request of its order again, and nothing else', () => {
  const cart = { id: 'crt_1', contentVersion: 3 };
  const full = requestFor({ expectedTotal: 3_000, externalRef: 'PO-1', metadata: { gift: 'yes' }, cart });
  expect(requestOf(draftOrder(full))).toEqual(full);
  expect(Object.keys(requestOf(draftOrder(requestFor()))).sort()).toEqual(Object.keys(requestFor()).sort());
});

it('a key is reused if the order under it was requested otherwise', () => {
  expect(isReused(orderIn(), requestFor())).toBe(false);
  expect(isReused(orderIn(), requestFor({ fingerprint: 'other' }))).toBe(true);
});
