import { amendmentPayment, firstPayment, firstPaymentKey, paymentRef } from '../../src/domain/order-payment';
import { orderIn, payment, priced, pricingOf } from './fixtures';

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
