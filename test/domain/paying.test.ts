import {
  actionRequiredOrder,
  cardSenderOf,
  customerWaitOf,
  givenUpOrder,
  howToPay,
  isBeingPlaced,
  lapsedOrder,
  pay,
  turnedDownOrder,
  unpaidBecause,
  withAttempt,
} from '../../src/domain/paying';
import type { Intention, Order, PaymentAttempt } from '../../src/domain/order';
import {
  command,
  CREATED,
  failing,
  intendedAmendment,
  intendedRefund,
  LATER,
  orderIn,
  owed,
  payment,
  policy,
} from './fixtures';

const waiting = { status: 'pending', paymentStatus: 'action_required' } as const;
/** An order of which one card was turned down, and another may be tried until later. */
const declined = orderIn({
  status: 'pending',
  paymentStatus: 'declined',
  payment: { ...payment(3_000), isClosed: true },
  retryUntil: LATER,
  attempts: [{ key: 'ord_1-1', paymentMethod: 'pm', at: CREATED, outcome: 'declined', reason: 'No.' }],
});
const intendedPayment: Intention = {
  kind: 'payment',
  command: { id: 'cmd_1', fingerprint: null, attemptId: null },
  since: CREATED,
  payment: { ...payment(3_000, '3'), reference: null },
  by: 'usr_7',
};
const another = { ...command, fingerprint: 'f', attemptId: 'a', paymentMethod: 'pm_2' };
const lastChange = ({ statusHistory }: Order) => statusHistory.at(-1);

describe('an order waits for its customer', () => {
  it('until a time, and not for a payment that is about to be voided', () => {
    const until = { until: LATER, paymentKey: 'ord_1-1' };
    expect(customerWaitOf(orderIn({ ...waiting, payBy: LATER }))).toEqual({ what: 'action', ...until });
    expect(customerWaitOf(orderIn({ ...waiting, payBy: null }))).toBeNull();
    expect(customerWaitOf(declined)).toEqual({ what: 'card', ...until });
  });

  it('not any more once it is closed', () => {
    for (const status of ['cancelled', 'rejected'] as const)
      expect(customerWaitOf(orderIn({ ...waiting, payBy: LATER, status }))).toBeNull();
  });
});

it('is being placed while nothing is known of its first payment', () => {
  const unpaid = { status: 'pending', paymentStatus: 'pending' } as const;
  expect(isBeingPlaced(unpaid)).toBe(true);
  expect(isBeingPlaced({ ...unpaid, status: 'rejected' })).toBe(false);
  expect(isBeingPlaced(waiting)).toBe(false);
});

it('says what the customer can do about a payment', () => {
  expect(howToPay(waiting)).toMatch(/confirm it at the bank/);
  expect(howToPay({ paymentStatus: 'voided' })).toMatch(/POST \/orders\/\{id\}\/payment/);
});

it('knows who has sent the card only while it is about to be charged', () => {
  const placed = orderIn({ status: 'pending', paymentStatus: 'pending' });
  expect(cardSenderOf(placed)).toBe(placed.placedBy);
  expect(cardSenderOf(orderIn())).toBeNull();
  expect(cardSenderOf({ ...declined, intention: intendedPayment })).toBe('usr_7');
  for (const intention of [intendedAmendment(), intendedRefund(100)])
    expect(cardSenderOf(orderIn({ intention }))).toBeNull();
});

it.each<[PaymentAttempt['outcome'], string | null, string, RegExp]>([
  ['declined', 'Your card has expired.', 'payment_declined', /^Your card has expired\.$/],
  ['unanswered', null, 'payment_declined', /use another payment method/],
  ['failed', null, 'payment_action_failed', /use another payment method/],
  ['expired', null, 'payment_action_expired', /use another payment method/],
])('tells of a payment that was %s why the order is not paid', (outcome, reason, code, detail) => {
  const attempt = { key: 'ord_1-1', paymentMethod: 'pm', at: CREATED, outcome, reason };
  expect(unpaidBecause({ attempts: [attempt] })).toEqual({
    code,
    detail: expect.stringMatching(detail) as string,
  });
});

describe('another card', () => {
  it.each<[string, Partial<Order>, string, RegExp]>([
    [
      'the customer may still confirm the first payment',
      waiting,
      'InvalidTransition',
      /confirm it at the bank: only if/,
    ],
    [
      'the order is being placed',
      { status: 'pending', paymentStatus: 'pending' },
      'InvalidTransition',
      /nothing to pay/,
    ],
    [
      'the order is paid',
      {},
      'InvalidTransition',
      /confirmed and its payment authorized: there is nothing to pay/,
    ],
    [
      'the payment before is not voided yet',
      { ...declined, compensations: [owed()] },
      'PaymentUnsettled',
      /still being given up/,
    ],
    ['its time is over', { ...declined, retryUntil: CREATED }, 'InvalidTransition', /is over/],
  ])('cannot be tried while %s', (_, fields, name, message) => {
    expect(() => pay(orderIn(fields), another, CREATED)).toThrow(failing(name, message));
  });

  it('can be tried while a refund is owed', () => {
    const owing = { ...declined, compensations: [owed({ kind: 'refund', step: 'refundPayment-2' })] };
    expect(pay(owing, another, CREATED)).toMatchObject({ intention: { kind: 'payment', by: 'usr_9' } });
  });

  it('is not waited for any more when its time is over, and nothing is voided, since nothing is reserved', () => {
    expect(givenUpOrder(declined, LATER, LATER)).toMatchObject({
      status: 'rejected',
      paymentStatus: 'declined',
      rejection: { code: 'payment_declined', detail: 'No.' },
      compensations: [],
    });
  });

  it.each<[string, Partial<Order>]>([
    ['is being charged', { ...declined, intention: intendedPayment }],
    ['is not waited for', {}],
    ['is not waited for until then', { ...declined, retryUntil: CREATED }],
    ['is not what is waited for', { ...waiting, payBy: LATER, attempts: declined.attempts }],
  ])('is not given up when it %s', (_, fields) => {
    const order = orderIn(fields);
    expect(givenUpOrder(order, LATER, LATER)).toBe(order);
  });
});

describe('the customer reads', () => {
  const PATIENT = { ...policy, retryWindowMs: 60_000 };
  const expired = { outcome: 'expired', reason: 'Late.' } as const;
  const first = { ...payment(3_000), paymentMethod: 'pm_1' };
  const attempt = { key: 'ord_1-1', paymentMethod: 'pm_1', at: CREATED };
  const opened = orderIn({ status: 'pending', paymentStatus: 'pending', payment: null });
  const asked = actionRequiredOrder(opened, first, CREATED, policy);

  it('that the payment waits, and until when', () => {
    expect(asked).toMatchObject({ payment: first, payBy: '2026-01-01T00:30:00.000Z' });
    expect(asked.attempts).toEqual([{ ...attempt, outcome: 'action_required', reason: null }]);
    expect(lastChange(asked)).toEqual({
      at: CREATED,
      axis: 'paymentStatus',
      from: 'pending',
      to: 'action_required',
      by: 'system',
      reason: null,
    });
  });

  it('that a payment was turned down, and why, as the end of the attempt that waited', () => {
    const late = turnedDownOrder(asked, first, expired, LATER, PATIENT);
    expect(late).toMatchObject({ payment: { isClosed: true }, payBy: null });
    expect(late.retryUntil).toBe('2026-01-02T00:01:00.000Z');
    expect(late.attempts).toEqual([{ ...attempt, ...expired }]);
    expect(lastChange(late)).toMatchObject({
      to: 'declined',
      by: 'system',
      reason: 'payment_action_expired',
    });
  });

  it('how the last attempt ended of an order that is rejected, unless the first card was plainly turned down', () => {
    const rejected = turnedDownOrder(asked, first, expired, LATER, policy);
    expect(rejected).toMatchObject({ status: 'rejected', attempts: [{ ...attempt, ...expired }] });
    const plain = turnedDownOrder(opened, first, { outcome: 'declined', reason: 'No.' }, CREATED, policy);
    expect(plain).toMatchObject({ status: 'rejected', rejection: { code: 'payment_declined' } });
    expect(plain.attempts).toEqual([]);
  });

  it('that nothing is reserved any more of an order that is confirmed, which is paid again without a time limit', () => {
    const lapsed = lapsedOrder(orderIn(), LATER);
    expect(lapsed).toMatchObject({ status: 'confirmed', payment: { key: 'ord_1-1', isClosed: true } });
    expect(lapsed.attempts).toEqual([
      {
        key: 'ord_1-1',
        paymentMethod: 'pm_card_visa',
        at: LATER,
        outcome: 'lapsed',
        reason: 'The payment service does not reserve it any more.',
      },
    ]);
    expect(lastChange(lapsed)).toMatchObject({
      to: 'voided',
      by: 'provider',
      reason: 'authorization_lapsed',
    });
    const again = actionRequiredOrder(lapsed, payment(3_000, '2'), LATER, policy);
    const late = turnedDownOrder(again, payment(3_000, '2'), expired, LATER, PATIENT);
    expect(late).toMatchObject({ status: 'confirmed', retryUntil: null, compensations: [{ kind: 'void' }] });
    expect(late.attempts.map(({ key, outcome }) => [key, outcome])).toEqual([
      ['ord_1-1', 'lapsed'],
      ['ord_1-2', 'expired'],
    ]);
  });

  it('when each attempt began', () => {
    const one = withAttempt(orderIn(), payment(1, '1'), {
      outcome: 'action_required',
      reason: null,
      at: CREATED,
    });
    const two = withAttempt(one, payment(1, '2'), { outcome: 'declined', reason: 'No.', at: LATER });
    const end = withAttempt(two, payment(1, '1'), { outcome: 'authorized', reason: null, at: LATER });
    expect(end.attempts.map(({ key, at, outcome }) => [key, at, outcome])).toEqual([
      ['ord_1-2', LATER, 'declined'],
      ['ord_1-1', CREATED, 'authorized'],
    ]);
  });
});
