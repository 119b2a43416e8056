import {
  owedRefund,
  owedRelease,
  owedVoid,
  pendingCompensations,
  requireUnsettled,
  RESOLVED,
  unsettled,
  VOIDED,
  withDone,
  withOwed,
  withPending,
  withResolved,
} from '../../src/domain/compensation';
import type { Order, PaymentStatus } from '../../src/domain/order';
import { command, CREATED, failing, LATER, orderIn, owed, payment, refundOf } from './fixtures';

const other = owed({ step: 'voidPayment-2', payment: payment(5_000, '2') });
const resolving = { ...command, step: 'voidPayment-1', note: 'Paid back by hand' };

/** A cancelled order whose payment has to be voided. */
const cancelled = (fields: Partial<Order> = {}): Order =>
  orderIn({
    status: 'cancelled',
    fulfillmentStatus: 'cancelled',
    reservation: 'released',
    compensations: [owed(), other],
    ...fields,
  });

it('owedVoid names the step by what the key of the payment adds to the order id', () => {
  expect(owedVoid(payment(3_000), CREATED)).toEqual(owed());
  expect(owedVoid({ ...payment(5_000), key: 'ord_1-2-7b' }, LATER)).toEqual(
    owed({
      step: 'voidPayment-2-7b',
      payment: { ...payment(5_000), key: 'ord_1-2-7b' },
      since: LATER,
    }),
  );
});

it('owedRelease is of what the payment reserves beyond what is captured', () => {
  const order = orderIn({ paymentStatus: 'captured', captured: 1_000 });
  expect(owedRelease(order, CREATED)).toEqual(
    owed({ step: 'releasePayment-1', kind: 'release', amount: 2_000 }),
  );
});

it('owedRefund names the step by the write that owes it', () => {
  expect(owedRefund(orderIn({ revision: 7 }), refundOf(500, 'r1'), CREATED)).toEqual(
    owed({ step: 'refundPayment-8', kind: 'refund', amount: 500, refundId: 'r1' }),
  );
});

it('an operator who comes too late is told not to pay the customer back again', () => {
  const message = expect.stringMatching(
    /^(The payment service|Another operator) has just .* again\.$/,
  ) as string;
  for (const error of [VOIDED, RESOLVED]) expect(error).toEqual({ type: 'InvalidTransition', message });
});

describe('outstanding compensations', () => {
  const [isOwed, isPending, isResolved] = [
    owed({ step: 'a' }),
    owed({ step: 'b', state: 'pending' }),
    owed({ step: 'c', state: 'resolved' }),
  ];
  const order = orderIn({ compensations: [isOwed, isPending, isResolved] });

  it('are those that are not resolved', () => {
    expect(unsettled(order)).toEqual([isOwed, isPending]);
    expect(pendingCompensations(order)).toEqual([isPending]);
  });

  it.each(['a', 'b'])('can be retried or resolved: %s', (step) => {
    expect(() => requireUnsettled(order, { ...command, step })).not.toThrow();
  });

  it.each(['c', 'd'])('are the only ones that can: %s', (step) => {
    const error = failing('NotFound', /no outstanding compensation of this name/);
    expect(() => requireUnsettled(order, { ...command, step })).toThrow(error);
  });
});

describe('withPending', () => {
  const order = cancelled();

  it('records the failure', () => {
    expect(withPending(order, 'voidPayment-1', 'The service is down.')).toEqual({
      ...order,
      compensations: [other, owed({ state: 'pending', failure: 'The service is down.' })],
    });
  });

  it('records another failure', () => {
    const pending = withPending(order, 'voidPayment-1', 'The service is down.');
    const next = withPending(pending, 'voidPayment-1', 'It is busy.');
    expect(next.compensations).toEqual([other, owed({ state: 'pending', failure: 'It is busy.' })]);
  });

  it('is pending again when a retry fails as it did before', () => {
    const before = cancelled({ compensations: [owed({ state: 'owed', failure: 'down' })] });
    expect(withPending(before, 'voidPayment-1', 'down').compensations).toEqual([
      owed({ state: 'pending', failure: 'down' }),
    ]);
  });

  it.each([
    ['the same failure', owed({ state: 'pending', failure: 'down' })],
    ['a compensation that an operator has settled', owed({ state: 'resolved' })],
    ['a compensation that is done', other],
  ])('returns the same order for %s', (_, known) => {
    const before = cancelled({ compensations: [known] });
    expect(withPending(before, 'voidPayment-1', 'down')).toBe(before);
  });
});

it('withOwed adds a compensation, and leaves the version', () => {
  const order = orderIn({ compensations: [other] });
  expect(withOwed(order, owed())).toEqual({
    ...order,
    compensations: [other, owed()],
  });
});

describe('withDone', () => {
  it('takes the compensation off, and the payment of a cancelled order is voided', () => {
    const order = cancelled();
    const by = { at: LATER, by: 'system', reason: null, axis: 'paymentStatus' };
    expect(withDone(order, 'voidPayment-1', true, LATER)).toEqual({
      ...order,
      compensations: [other],
      paymentStatus: 'voided',
      statusHistory: [...order.statusHistory, { ...by, from: 'authorized', to: 'voided' }],
      version: 3,
      updatedAt: LATER,
    });
  });

  it.each<[boolean, PaymentStatus[]]>([
    [true, ['authorized', 'voided']],
    [false, ['declined']],
  ])('tells what became of a payment that was being authorised: authorised %s', (was, steps) => {
    const order = cancelled({ paymentStatus: 'pending', payment: null });
    const done = withDone(order, 'voidPayment-1', was, LATER);
    expect(done).toMatchObject({ paymentStatus: steps.at(-1), version: 3, updatedAt: LATER });
    expect(done.statusHistory.slice(order.statusHistory.length).map(({ to }) => to)).toEqual(steps);
  });

  it('returns the same order when the compensation is gone', () => {
    const order = cancelled({ compensations: [other] });
    expect(withDone(order, 'voidPayment-1', true, LATER)).toBe(order);
  });

  it('returns the same order, with the note, when an operator has settled the compensation', () => {
    const resolved = withResolved(cancelled(), resolving, LATER);
    expect(withDone(resolved, 'voidPayment-1', true, LATER)).toBe(resolved);
  });

  it('leaves the payment status and the version of a confirmed order, which has another payment', () => {
    const order = orderIn({ compensations: [owed()], payment: payment(5_000, '2') });
    expect(withDone(order, 'voidPayment-1', true, LATER)).toEqual({
      ...order,
      compensations: [],
    });
  });

  it('leaves the payment status of a cancelled order for an earlier payment', () => {
    const order = cancelled({ payment: payment(5_000, '2') });
    expect(withDone(order, 'voidPayment-1', true, LATER)).toMatchObject({
      paymentStatus: 'authorized',
      version: 2,
    });
    expect(withDone(order, 'voidPayment-2', true, LATER)).toMatchObject({
      paymentStatus: 'voided',
      version: 3,
    });
  });

  it('leaves the payment status of a confirmed order even for its own payment', () => {
    const order = orderIn({ compensations: [owed()] });
    expect(withDone(order, 'voidPayment-1', true, LATER).paymentStatus).toBe('authorized');
  });

  it.each(['voided', 'captured', 'declined'] as const)(
    'leaves a payment that is %s already',
    (paymentStatus) => {
      const order = cancelled({ paymentStatus });
      expect(withDone(order, 'voidPayment-1', true, LATER)).toMatchObject({ paymentStatus, version: 2 });
    },
  );
});

describe('a compensation that pays back or releases', () => {
  const back = owed({ step: 'refundPayment-r1', kind: 'refund', amount: 500, refundId: 'r1' });
  const order = orderIn({
    paymentStatus: 'captured',
    captured: 3_000,
    refunds: [
      { ...refundOf(500, 'r1'), status: 'pending' },
      { ...refundOf(700, 'r2'), status: 'pending' },
    ],
    compensations: [back],
  });

  it('makes its refund, and no other, when it is done', () => {
    const next = withDone(order, back.step, true, LATER);
    expect(next.refunds.map(({ status }) => status)).toEqual(['succeeded', 'pending']);
    expect(next).toMatchObject({ refunded: 500, paymentStatus: 'partially_refunded', version: 3 });
  });

  it('leaves a refund that was made before as it is', () => {
    const refunds = [refundOf(500, 'r1')];
    const next = withDone({ ...order, refunds, refunded: 500 }, back.step, true, LATER);
    expect(next).toMatchObject({ refunds, refunded: 500 });
  });

  it('leaves the state of the payment, which was captured in part, when the rest is released', () => {
    const release = owed({ step: 'releasePayment-1', kind: 'release' });
    const before = cancelled({ paymentStatus: 'authorized', compensations: [release] });
    expect(withDone(before, release.step, true, LATER)).toMatchObject({
      paymentStatus: 'authorized',
      version: 2,
    });
  });

  it('voids a payment that waited for the customer', () => {
    const before = cancelled({ paymentStatus: 'action_required' });
    expect(withDone(before, 'voidPayment-1', true, LATER).paymentStatus).toBe('voided');
  });
});

describe('withResolved', () => {
  it('keeps the compensation with the note, and the payment is voided', () => {
    const order = cancelled({ compensations: [other, owed({ state: 'pending', failure: 'down' })] });
    const resolution = { note: resolving.note, by: 'usr_9', at: LATER };
    const resolved = withResolved(order, resolving, LATER);
    expect(resolved).toMatchObject({ paymentStatus: 'voided', version: 3, updatedAt: LATER });
    expect(resolved.compensations).toEqual([other, owed({ state: 'resolved', failure: 'down', resolution })]);
    expect(resolved.statusHistory.at(-1)).toEqual({
      at: LATER,
      by: 'usr_9',
      reason: null,
      axis: 'paymentStatus',
      from: 'authorized',
      to: 'voided',
    });
  });

  it('returns the same order when the compensation is gone', () => {
    const order = cancelled({ compensations: [other] });
    expect(withResolved(order, resolving, LATER)).toBe(order);
  });

  it('treats a payment without a known outcome as authorised', () => {
    const order = cancelled({ paymentStatus: 'pending', payment: null });
    expect(withResolved(order, resolving, LATER)).toMatchObject({ paymentStatus: 'voided', version: 3 });
  });
});
