import { confirmedOrder, openedOrder } from '../../src/domain/placing';
import { pricedOrder } from '../../src/domain/order-transitions';
import { failing, itemOf, LATER, orderIn, payment, priced, pricingOf, requestFor } from './fixtures';

const goods = pricingOf(priced('ps_a', 2), priced('ps_s', 1, 'service'));
const opened = openedOrder(requestFor(), goods);

it('an opened order is pending, at version 1, with its prices and its stock held', () => {
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

it('an opened order of services holds no stock', () => {
  expect(openedOrder(requestFor(), pricingOf(priced('ps_s', 1, 'service'))).reservation).toBe('none');
});

it('a confirmed order has its payment authorised', () => {
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

it('is confirmed once only', () => {
  const completed = orderIn({ status: 'completed' });
  expect(() => confirmedOrder(completed, payment(3_000), LATER)).toThrow(
    failing('InvalidTransition', /completed/),
  );
});
