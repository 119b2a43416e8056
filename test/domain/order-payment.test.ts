import type { Order, Refund } from '../../src/domain/order';
import {
  amendmentPayment,
  capturedForGoods,
  firstPayment,
  firstPaymentKey,
  isCapturable,
  isCurrentPayment,
  paymentRef,
} from '../../src/domain/order-payment';
import { draftOrder } from '../../src/domain/placing';
import { orderIn, payment, priced, pricingOf, refundOf, requestFor } from './fixtures';

it('names the first payment after the order, for its total', () => {
  expect(firstPaymentKey('ord_1')).toBe('ord_1-1');
  expect(firstPayment(orderIn())).toEqual({ ...payment(3_000), reference: null });
});

it('names the payment of an amendment after the revision with which the order intends it', () => {
  const pricing = { ...pricingOf(priced('ps_b', 5)), currency: 'USD' };
  const expected = { ...payment(5_000, '8'), reference: null, currency: 'USD' };
  expect(amendmentPayment(orderIn({ revision: 7 }), pricing)).toEqual(expected);
});

it('tells the payment service the order, the amount and the payment method', () => {
  expect(paymentRef(orderIn(), payment(500, '2'))).toEqual({
    key: 'ord_1-2',
    reference: 'pi_2',
    amount: 500,
    currency: 'EUR',
    orderId: 'ord_1',
    paymentMethod: 'pm_card_visa',
  });
});

it('pays for an amendment with the card that the order is paid with, if that is not the one of its request', () => {
  const pricing = pricingOf(priced('ps_b', 5));
  const another = orderIn({ payment: { ...payment(3_000), paymentMethod: 'pm_2' } });
  const expected = { ...payment(5_000, '3'), reference: null };
  expect(amendmentPayment(another, pricing)).toStrictEqual({ ...expected, paymentMethod: 'pm_2' });
  for (const order of [orderIn(), orderIn({ payment: null })])
    expect(amendmentPayment(order, pricing)).toStrictEqual(expected);
});

it.each<[string, Order, string, boolean]>([
  ['the payment of an order', orderIn(), 'ord_1-1', true],
  ['the payment that an opened order begins with', orderIn({ payment: null, version: 1 }), 'ord_1-1', true],
  ['a payment that was replaced', orderIn({ payment: payment(3_000, '2') }), 'ord_1-1', false],
  [
    'the payment of an order that is not stored',
    { ...orderIn({ payment: null }), version: 0 },
    'ord_1-1',
    false,
  ],
  ['the payment of an order without a price', { ...draftOrder(requestFor()), version: 1 }, 'ord_1-1', false],
])('%s is the current one or not', (_, order, key, expected) => {
  expect(isCurrentPayment(order, key)).toBe(expected);
});

describe('what was captured for goods', () => {
  const refund = (by: string, status: Refund['status'], amount: number): Refund => ({
    ...refundOf(amount, `ref_${by}_${status}`),
    by,
    status,
  });

  it.each<[string, Refund[], number]>([
    [
      'lacks what the system pays back',
      [refund('system', 'succeeded', 400), refund('system', 'pending', 100)],
      2_500,
    ],
    [
      'is not less if others pay back',
      [refund('usr_9', 'succeeded', 500), refund('provider', 'pending', 100)],
      3_000,
    ],
    ['has what the bank has returned of that', [refund('system', 'failed', 700)], 3_000],
    [
      'lacks what others have paid back in its place',
      [refund('system', 'failed', 700), refund('usr_9', 'succeeded', 500)],
      2_500,
    ],
    [
      'lacks no more than was to be paid back',
      [refund('system', 'failed', 700), refund('usr_9', 'succeeded', 900)],
      2_300,
    ],
    [
      'has all that the bank has returned, whatever else the system pays back',
      [refund('system', 'failed', 700), refund('system', 'succeeded', 400)],
      2_600,
    ],
    [
      'has what others were to pay back in its place, and have not',
      [refund('system', 'failed', 700), refund('usr_9', 'failed', 500), refund('provider', 'pending', 500)],
      3_000,
    ],
  ])('%s', (_, refunds, expected) => {
    expect(capturedForGoods(orderIn({ captured: 3_000, refunds }))).toBe(expected);
  });
});

it.each<[string, Partial<Order>, boolean]>([
  ['is authorised', {}, true],
  ['was captured in part', { paymentStatus: 'captured', captured: 1_000 }, true],
  ['is to be confirmed by the customer', { paymentStatus: 'action_required' }, false],
  ['is of nothing', { payment: payment(0) }, false],
  ['is closed', { payment: { ...payment(3_000), isClosed: true } }, false],
  ['is not there yet', { payment: null }, false],
])('of a payment that %s a fulfillment may capture something, or not', (_, fields, expected) => {
  expect(isCapturable(orderIn(fields))).toBe(expected);
});
