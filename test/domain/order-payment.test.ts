import {
  amendmentPayment,
  firstPayment,
  firstPaymentKey,
  interruptedPayment,
  paymentRef,
} from '../../src/domain/order-payment';
import { orderIn, payment, priced, pricingOf } from './fixtures';

it('names the first payment after the order, for its total', () => {
  expect(firstPaymentKey('ord_1')).toBe('ord_1-1');
  expect(firstPayment(orderIn())).toEqual({ ...payment(3_000), reference: null });
});

it('names the payment of an amendment after the version that is amended', () => {
  const pricing = { ...pricingOf(priced('ps_b', 5)), currency: 'USD' };
  const expected = { ...payment(5_000, 'v7'), reference: null, currency: 'USD' };
  expect(amendmentPayment(orderIn({ version: 7 }), pricing)).toEqual(expected);
});

it('tells the payment service the order, the amount and the payment method', () => {
  expect(paymentRef(orderIn(), payment(500, 'v2'))).toEqual({
    key: 'ord_1-v2',
    reference: 'pi_v2',
    amount: 500,
    currency: 'EUR',
    orderId: 'ord_1',
    paymentMethod: 'pm_card_visa',
  });
});

it('names the payment of an interrupted amendment as the amendment would', () => {
  const order = orderIn({ status: 'confirmed', paymentStatus: 'authorized', version: 7 });
  expect(interruptedPayment(order)).toEqual({ ...payment(0, 'v7'), reference: null });
});

it.each([
  { status: 'pending', paymentStatus: 'authorized' },
  { status: 'confirmed', paymentStatus: 'captured' },
] as const)('nothing is that cannot have been amended: %j', (state) => {
  expect(interruptedPayment(orderIn(state))).toBeNull();
});
