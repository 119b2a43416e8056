import {
  amendmentPayment,
  firstPayment,
  firstPaymentKey,
  interruptedPayment,
  paymentRef,
} from '../../src/domain/order-payment';
import { orderIn, payment, priced, pricingOf } from './fixtures';

it('the payment of a new order is named after it and is all that is to pay', () => {
  expect(firstPaymentKey('ord_1')).toBe('ord_1-1');
  expect(firstPayment(orderIn())).toEqual({ ...payment(3_000), reference: null });
});

it('the payment of an amendment is named after the version that is amended', () => {
  const pricing = { ...pricingOf(priced('ps_b', 5)), currency: 'USD' };
  const expected = { ...payment(5_000, 'v7'), reference: null, currency: 'USD' };
  expect(amendmentPayment(orderIn({ version: 7 }), pricing)).toEqual(expected);
});

it('the payment service is told what the payment is for and how it is paid', () => {
  expect(paymentRef(orderIn(), payment(500, 'v2'))).toEqual({
    key: 'ord_1-v2',
    reference: 'pi_v2',
    amount: 500,
    currency: 'EUR',
    orderId: 'ord_1',
    paymentMethod: 'pm_card_visa',
  });
});

it('what an interrupted amendment may have reserved is named as the amendment would be', () => {
  const order = orderIn({ status: 'confirmed', paymentStatus: 'authorized', version: 7 });
  expect(interruptedPayment(order)).toEqual({ ...payment(0, 'v7'), reference: null });
});

it.each([
  { status: 'pending', paymentStatus: 'authorized' },
  { status: 'confirmed', paymentStatus: 'captured' },
] as const)('nothing is that cannot have been amended: %j', (state) => {
  expect(interruptedPayment(orderIn(state))).toBeNull();
});
