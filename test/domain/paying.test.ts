import { cardSenderOf, customerWaitOf, howToPay, unpaidBecause } from '../../src/domain/paying';
import type { PaymentAttempt } from '../../src/domain/order';
import { CREATED, LATER, orderIn } from './fixtures';

const waiting = { status: 'pending', paymentStatus: 'action_required' } as const;

it('waits for the customer until a time, and not for a payment that is about to be voided', () => {
  expect(customerWaitOf(orderIn({ ...waiting, payBy: LATER }))).toMatchObject({
    what: 'action',
    until: LATER,
  });
  expect(customerWaitOf(orderIn({ ...waiting, payBy: null }))).toBeNull();
});

it('says what the customer can do about a payment', () => {
  expect(howToPay(waiting)).toMatch(/confirm it at the bank/);
  expect(howToPay({ paymentStatus: 'voided' })).toMatch(/POST \/orders\/\{id\}\/payment/);
});

it('knows who has sent the card only while it is about to be charged', () => {
  const placed = orderIn({ status: 'pending', paymentStatus: 'pending' });
  expect(cardSenderOf(placed)).toBe(placed.placedBy);
  expect(cardSenderOf(orderIn())).toBeNull();
});

it.each<[PaymentAttempt['outcome'], string | null, string, RegExp]>([
  ['declined', 'Your card has expired.', 'payment_declined', /^Your card has expired\.$/],
  ['unanswered', null, 'payment_declined', /use another payment method/],
  ['expired', null, 'payment_action_expired', /use another payment method/],
])('tells of a payment that was %s why the order is not paid', (outcome, reason, code, detail) => {
  const attempt = { key: 'ord_1-1', paymentMethod: 'pm', at: CREATED, outcome, reason };
  expect(unpaidBecause({ attempts: [attempt] })).toEqual({
    code,
    detail: expect.stringMatching(detail) as string,
  });
});
