import { paymentRef } from '../../src/domain/order-payment';
import { summaryOf } from '../../src/domain/order-summary';
import {
  INTERRUPTED,
  isOutcome,
  orderAfterPayment,
  paymentTaskOf,
  resumedOrder,
  withoutIntention,
  type PaymentOutcome,
  UNANSWERED,
} from '../../src/domain/intention';
import type { Intention, Order } from '../../src/domain/order';
import { openedOrder } from '../../src/domain/placing';
import {
  answered,
  fulfillment,
  intendedAmendment,
  intendedFulfillment,
  intendedRefund,
  itemOf,
  LATER,
  orderIn,
  owed,
  payment,
  policy,
  priced,
  pricingOf,
  refundOf,
  refused,
  requestFor,
} from './fixtures';

const opened: Order = { ...openedOrder(requestFor(), pricingOf(priced('ps_a', 2))), revision: 1 };
const amending = orderIn({ intention: intendedAmendment() });
const fulfilling = orderIn({ intention: intendedFulfillment() });
const refunding = orderIn({
  paymentStatus: 'captured',
  fulfillmentStatus: 'fulfilled',
  captured: 3_000,
  intention: intendedRefund(1_000),
});

const done: PaymentOutcome = { state: 'done', reference: 'pi_new' };
const failed = (
  state: 'declined' | 'rejected' | 'unanswered',
  type = 'InvalidTransition',
): PaymentOutcome => ({
  state,
  error: { ...refused, type },
});

describe('paymentTaskOf', () => {
  const ref = (amount: number, suffix?: string) => paymentRef(orderIn(), payment(amount, suffix));

  it('authorises the first payment of a pending order, as part of no command', () => {
    expect(paymentTaskOf(opened)).toEqual({
      operation: 'authorize',
      payment: { ...ref(2_000), reference: null },
      key: 'ord_1-1',
      amount: 2_000,
      commandId: null,
    });
  });

  it('authorises the new payment of an intended amendment', () => {
    expect(paymentTaskOf(amending)).toEqual({
      operation: 'authorize',
      payment: { ...ref(5_000, '3'), reference: null },
      key: 'ord_1-3',
      amount: 5_000,
      commandId: 'cmd_1',
    });
  });

  it('captures what an intended fulfillment says, under a key of the payment and the fulfillment', () => {
    expect(paymentTaskOf(fulfilling)).toEqual({
      operation: 'capture',
      payment: ref(3_000),
      key: 'ord_1-1-k1',
      isFinal: true,
      amount: 3_000,
      commandId: 'k1',
    });
  });

  it('refunds the amount of an intended refund, under the key of the refund', () => {
    expect(paymentTaskOf(refunding)).toEqual({
      operation: 'refund',
      payment: ref(3_000),
      key: 'k1',
      amount: 1_000,
      commandId: 'k1',
    });
  });

  it.each([
    ['a confirmed order', orderIn()],
    ['a closed order', orderIn({ status: 'cancelled', fulfillmentStatus: 'cancelled' })],
  ])('is null for %s that intends nothing', (_, order) => {
    expect(paymentTaskOf(order)).toBeNull();
  });
});

describe('a pending order after its payment', () => {
  it('is confirmed with the reference of the payment service', () => {
    expect(orderAfterPayment(opened, done, LATER, policy)).toMatchObject({
      status: 'confirmed',
      paymentStatus: 'authorized',
      payment: { ...payment(2_000), reference: 'pi_new' },
      compensations: [],
      version: 2,
    });
  });

  it('is rejected with nothing to void if the payment was declined', () => {
    expect(orderAfterPayment(opened, failed('declined', 'PaymentDeclined'), LATER, policy)).toMatchObject({
      status: 'rejected',
      paymentStatus: 'declined',
      reservation: 'released',
      rejection: { code: 'payment_declined', detail: 'Not now.' },
      compensations: [],
    });
  });

  it('is rejected with the payment to void if it is unknown whether something is reserved', () => {
    expect(orderAfterPayment(opened, failed('unanswered', 'PaymentUnanswered'), LATER, policy)).toMatchObject(
      {
        status: 'rejected',
        paymentStatus: 'pending',
        reservation: 'released',
        rejection: { code: 'payment_declined', detail: 'Not now.' },
        compensations: [owed({ payment: { ...payment(2_000), reference: null }, since: LATER })],
      },
    );
  });
});

describe('an intention that is carried out', () => {
  it('amends the order, and the payment that is replaced has to be voided', () => {
    expect(orderAfterPayment(amending, done, LATER, policy)).toMatchObject({
      items: [itemOf(priced('ps_b', 5))],
      total: 5_000,
      note: 'New',
      payment: { ...payment(5_000, '3'), reference: 'pi_new' },
      compensations: [owed({ since: LATER })],
      version: 3,
    });
  });

  it('fulfills the order, and its payment is captured', () => {
    expect(orderAfterPayment(fulfilling, done, LATER, policy)).toMatchObject({
      fulfillments: [fulfillment()],
      paymentStatus: 'captured',
      captured: 3_000,
      version: 3,
    });
  });

  it('refunds the amount', () => {
    expect(orderAfterPayment(refunding, done, LATER, policy)).toMatchObject({
      refunds: [refundOf(1_000, 'k1')],
      refunded: 1_000,
      version: 3,
    });
  });

  it.each([amending, fulfilling, refunding])('is taken off, with the answer to its command', (order) => {
    const { command } = order.intention!;
    const next = orderAfterPayment(order, done, LATER, policy);
    expect(next.intention).toBeNull();
    expect(next.commands).toEqual([{ ...command, at: LATER, version: 3, revision: 3, error: null }]);
  });
});

describe('an intention that is withdrawn', () => {
  const newPayment = { ...payment(5_000, '3'), reference: null };
  const voidNew = owed({ step: 'voidPayment-3', payment: newPayment, since: LATER });

  it.each([amending, fulfilling, refunding])('is taken off, with the refusal of its command', (order) => {
    const next = orderAfterPayment(order, failed('rejected'), LATER, policy);
    expect(next.intention).toBeNull();
    expect(next.commands).toEqual([
      expect.objectContaining({ ...order.intention!.command, version: next.version, error: refused }),
    ]);
  });

  it.each([fulfilling, refunding])(
    'changes nothing that a client can see of a capture or a refund',
    (order) => {
      const { commands: _, ...next } = orderAfterPayment(order, failed('rejected'), LATER, policy);
      const { commands: _before, ...before } = order;
      expect(next).toEqual({ ...before, intention: null });
    },
  );

  it.each(['rejected', 'unanswered'] as const)(
    'has the new payment of an amendment to void if the payment service has %s, since something may be reserved',
    (state) => {
      const { intention: _, ...before } = amending;
      const next = orderAfterPayment(amending, failed(state), LATER, policy);
      const { commands } = next;
      expect(next).toEqual({
        ...before,
        intention: null,
        commands,
        compensations: [voidNew],
      });
    },
  );

  it('has nothing to void if the payment of the amendment was declined', () => {
    const next = orderAfterPayment(amending, failed('declined'), LATER, policy);
    expect(next).toMatchObject({ payment: payment(3_000), compensations: [], version: 2 });
  });

  it('has nothing to void if the new total is 0', () => {
    const free = orderIn({ intention: intendedAmendment({ payment: { ...newPayment, amount: 0 } }) });
    const next = withoutIntention(free, { state: 'rejected', error: refused }, LATER);
    expect(next.compensations).toEqual([]);
  });
});

describe('a payment with another card that is withdrawn', () => {
  const another = { ...payment(2_000, '2'), reference: null, paymentMethod: 'pm_2' };
  const intention: Intention = {
    kind: 'payment',
    command: { id: 'cmd_1', fingerprint: null, attemptId: null },
    since: LATER,
    payment: another,
    by: 'usr_9',
  };
  const unpaid = { ...opened, paymentStatus: 'declined', retryUntil: LATER, intention } as const;

  it('is told of as an attempt that was declined, with nothing to void, and how long to try another', () => {
    const next = orderAfterPayment(unpaid, failed('declined'), LATER, policy);
    expect(next).toMatchObject({ intention: null, compensations: [], version: unpaid.version + 1 });
    expect(next.attempts).toEqual([
      { key: 'ord_1-2', paymentMethod: 'pm_2', at: LATER, outcome: 'declined', reason: refused.message },
    ]);
    expect(next.commands).toMatchObject([{ id: 'cmd_1', error: { ...refused, retryUntil: LATER } }]);
  });

  it.each(['rejected', 'unanswered'] as const)(
    'is told of as unanswered, with the payment to void, if it was %s',
    (state) => {
      const next = orderAfterPayment(unpaid, failed(state), LATER, policy);
      expect(next.attempts).toMatchObject([{ outcome: 'unanswered' }]);
      expect(next.compensations).toMatchObject([{ step: 'voidPayment-2' }]);
      expect(next.commands[0]!.error).toEqual(refused);
    },
  );

  it('has no time to try another card if the order waits for none', () => {
    const placed = { ...unpaid, status: 'confirmed' } as const;
    const [command] = orderAfterPayment(placed, failed('declined'), LATER, policy).commands;
    expect(command!.error).toEqual(refused);
    const endless = { ...unpaid, retryUntil: null };
    const [other] = orderAfterPayment(endless, failed('declined'), LATER, policy).commands;
    expect(other!.error).toEqual(refused);
  });

  it('is withdrawn when another workflow resumes the order', () => {
    const { intention, compensations } = resumedOrder(unpaid, 'run_2', LATER);
    expect(intention).toBeNull();
    expect(compensations).toMatchObject([{ step: 'voidPayment-2' }]);
  });
});

describe('a pending order whose payment is turned down', () => {
  const patient = { ...policy, retryWindowMs: 60_000 };

  it('waits for another card if the bank has declined this one', () => {
    const next = orderAfterPayment(opened, failed('declined', 'PaymentDeclined'), LATER, patient);
    expect(next).toMatchObject({ status: 'pending', paymentStatus: 'declined' });
    expect(next.attempts).toMatchObject([{ outcome: 'declined', reason: refused.message }]);
  });

  it.each([
    ['the card is not why', failed('declined', 'OutOfStock'), 'out_of_stock', []],
    [
      'it is not known whether it was charged',
      failed('unanswered', 'PaymentDeclined'),
      'payment_declined',
      [{}],
    ],
  ] as const)('is rejected if %s', (_, outcome, code, compensations) => {
    const next = orderAfterPayment(opened, outcome, LATER, patient);
    expect(next).toMatchObject({
      status: 'rejected',
      rejection: { code, detail: refused.message },
      compensations,
    });
  });
});

describe('the card of a customer who is there', () => {
  it('is authorised on session, so that the bank can ask for confirmation', () => {
    const own = { ...opened, placedBy: opened.customerId };
    expect(paymentTaskOf(own)!.payment).toEqual({ ...paymentTaskOf(opened)!.payment, isOnSession: true });
  });
});

it('the refusals of a payment that nobody has answered say what to do', () => {
  expect(INTERRUPTED.error).toEqual({
    type: 'Interrupted',
    message: expect.stringMatching(
      /^This was interrupted.* read the order again, then repeat.*\.$/,
    ) as string,
  });
  expect(UNANSWERED.error).toEqual({
    type: 'PaymentUnanswered',
    message: expect.stringMatching(
      /^The payment service did not respond.* place a new order later\.$/,
    ) as string,
  });
});

describe('resumedOrder', () => {
  it('keeps out what was sent before the revision that it has', () => {
    const order = orderIn({ revision: 7, resumedRevision: 2, commands: [answered('cmd_0')] });
    expect(resumedOrder(order, 'run_1', LATER)).toEqual({ ...order, resumedRevision: 7, resumedBy: 'run_1' });
  });

  it('returns the same order when the step of a run is repeated, also after another write', () => {
    const resumed = orderIn({ revision: 9, resumedRevision: 7, resumedBy: 'run_1' });
    expect(resumedOrder(resumed, 'run_1', LATER)).toBe(resumed);
  });

  it('tells two runs apart that resume it one after the other', () => {
    const resumed = orderIn({ revision: 8, resumedRevision: 7, resumedBy: 'run_1' });
    expect(resumedOrder(resumed, 'run_2', LATER)).toEqual({
      ...resumed,
      resumedRevision: 8,
      resumedBy: 'run_2',
    });
  });

  it('is resumed although nothing was written since its first revision', () => {
    expect(resumedOrder(opened, 'run_1', LATER)).toEqual({
      ...opened,
      resumedRevision: 1,
      resumedBy: 'run_1',
    });
  });

  it('withdraws an interrupted amendment, whose payment has to be voided', () => {
    const next = resumedOrder(amending, 'run_1', LATER);
    expect(next).toMatchObject({
      intention: null,
      payment: payment(3_000),
      compensations: [expect.objectContaining({ step: 'voidPayment-3', state: 'owed' })],
      resumedRevision: 2,
    });
    expect(next.commands).toEqual([
      expect.objectContaining({ id: 'cmd_1', error: expect.objectContaining({ type: 'Interrupted' }) }),
    ]);
  });

  it.each<[Intention['kind'], Order]>([
    ['fulfillment', fulfilling],
    ['refund', refunding],
  ])('leaves an intended %s to be finished, since the money may have moved', (_, order) => {
    expect(resumedOrder(order, 'run_1', LATER)).toEqual({ ...order, resumedRevision: 2, resumedBy: 'run_1' });
  });

  it('leaves a pending order waiting for its payment', () => {
    expect(summaryOf(resumedOrder(opened, 'run_1', LATER)).toPay).toEqual(paymentTaskOf(opened));
  });
});

describe('isOutcome', () => {
  it.each<[string, PaymentOutcome]>([
    ['of a payment that is made', done],
    ['of a payment for which the bank asks the customer', { state: 'action_required', reference: 'pi_1' }],
    ['of a payment that is declined', failed('declined')],
    ['of a payment that is rejected', failed('rejected')],
    ['of a payment that was interrupted', INTERRUPTED],
    ['of a payment of which nothing is known', UNANSWERED],
  ])('knows the answer %s', (_, outcome) => expect(isOutcome(outcome)).toBe(true));

  it.each([
    ['null', null],
    ['a text', 'done'],
    ['an object without a state', {}],
    ['a state that there is not', { state: 'captured', reference: 'pi_1', error: refused }],
    ['a payment without its reference', { state: 'done' }],
    ['a payment with a reference that is no text', { state: 'action_required', reference: { $gt: '' } }],
    ['a declined payment without the reason', { state: 'declined', reference: 'pi_1' }],
    ['a declined payment with a reason that is no text', { state: 'declined', error: { message: 1 } }],
  ])('turns %s down', (_, value) => expect(isOutcome(value)).toBe(false));
});
