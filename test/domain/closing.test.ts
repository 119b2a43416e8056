import { type OrderState, FULFILLMENT_STATUSES, ORDER_STATUSES } from '../../src/domain/order';
import {
  archivedOrder,
  cancelledOrder,
  closedOrder,
  isCancellable,
  rejectedBecause,
  requireArchivable,
  requireCancellable,
  type Closing,
} from '../../src/domain/closing';
import { draftOrder, openedOrder, pricedOrder } from '../../src/domain/placing';
import { requireUndoable } from '../../src/domain/undoing';
import {
  command,
  CREATED,
  failing,
  fulfillment,
  itemOf,
  LATER,
  line,
  orderIn,
  owed,
  payment,
  priced,
  pricingOf,
  requestFor,
} from './fixtures';

describe('requireCancellable', () => {
  const states = ORDER_STATUSES.flatMap((status) =>
    FULFILLMENT_STATUSES.map((fulfillmentStatus) => ({ status, fulfillmentStatus })),
  );

  it.each(states)(
    '$status and $fulfillmentStatus: as a whole, only while it is open and nothing is fulfilled',
    (state) => {
      const isOpen = state.status === 'pending' || state.status === 'confirmed';
      const expected = isOpen && state.fulfillmentStatus === 'unfulfilled';
      expect(isCancellable(orderIn(state))).toBe(expected);
      const require = () => requireCancellable(orderIn(state), { unlessBegun: true });
      if (expected) expect(require).not.toThrow();
      else expect(require).toThrow(failing('InvalidTransition', /can no longer be cancelled/));
    },
  );

  it.each([
    [{ status: 'completed', fulfillmentStatus: 'delivered' }, /is completed: .* Have it refunded instead\.$/],
    [
      { status: 'confirmed', fulfillmentStatus: 'partially_fulfilled' },
      /is partially fulfilled: .* Mark its/,
    ],
    [
      { status: 'cancelled', fulfillmentStatus: 'cancelled' },
      /is cancelled: .* There is nothing left to do\.$/,
    ],
    [
      { status: 'rejected', fulfillmentStatus: 'cancelled' },
      /is rejected: .* There is nothing left to do\.$/,
    ],
  ] as const)('names the reason, and what to do, in the message: %j', (state, message) => {
    expect(() => requireCancellable(orderIn(state), { unlessBegun: true })).toThrow(message);
  });

  const sent = [itemOf(priced('ps_a', 2), 2)];
  it('says what to do about an order of which nothing is open', () => {
    const order = orderIn({ fulfillmentStatus: 'fulfilled', items: sent });
    const error = failing(
      'InvalidTransition',
      /is fulfilled: .* Mark its fulfillments as delivered, undo one/,
    );
    expect(() => requireCancellable(order)).toThrow(error);
  });

  it('accepts units that are open, and names how many are', () => {
    const items = [itemOf(priced('ps_a', 3), 1), itemOf(priced('ps_a', 1))];
    const order = orderIn({ fulfillmentStatus: 'partially_fulfilled', items });
    const requiring = (quantity: number, id = 'ps_a') => {
      return () => requireCancellable(order, { items: [line(id, quantity)] });
    };
    expect(requiring(3)).not.toThrow();
    expect(requiring(4)).toThrow(failing('InvalidTransition', /Only 3 of SKU-ps_a are open/));
    expect(requiring(1, 'ps_x')).toThrow(failing('InvalidTransition', /ps_x is not part of this order/));
  });

  it('rejects units of an order that is being placed, or while 20 payments are not settled', () => {
    const items = [line('ps_a')];
    const pending = orderIn({ status: 'pending', paymentStatus: 'pending' });
    expect(() => requireCancellable(pending, { items })).toThrow(/is being placed: cancel all of it/);
    const compensations = Array.from({ length: 20 }, (_, n) => owed({ step: `refundPayment-${n}` }));
    expect(() => requireCancellable(orderIn({ compensations }), { items })).toThrow(
      /20 payments of this order are not settled yet: cancel units when they are, or all that is open now/,
    );
    expect(() => requireCancellable(orderIn({ compensations }))).not.toThrow();
    const sentOrder = orderIn({ compensations, fulfillments: [fulfillment()], items: sent });
    const undo = { ...command, fulfillmentId: 'k1', reason: 'Lost' };
    expect(() => requireUndoable(sentOrder, { ...undo, restock: false })).toThrow(/20 payments of this/);
    expect(() => requireUndoable(sentOrder, { ...undo, restock: true })).not.toThrow();
  });

  it('rejects units of an order whose history is as long as it can be, but not all that is open', () => {
    const order = orderIn();
    const change = { ...order.statusHistory[0]!, from: 'unfulfilled', to: 'unfulfilled' };
    const told = { ...order, statusHistory: Array.from({ length: 1_000 }, () => change) };
    expect(() => requireCancellable(told, { items: [line('ps_a')] })).toThrow(/has 1000 entries/);
    expect(() => requireCancellable(told)).not.toThrow();
  });
});

describe('requireArchivable', () => {
  it.each(['completed', 'rejected', 'cancelled'] as const)('accepts an order that is %s', (status) => {
    const order = orderIn({ status, compensations: [owed({ state: 'resolved' })] });
    expect(() => requireArchivable(order)).not.toThrow();
  });

  it.each(['pending', 'confirmed'] as const)('rejects an order that is %s', (status) => {
    const message = new RegExp(`is ${status}: only a closed order can be archived`);
    expect(() => requireArchivable(orderIn({ status }))).toThrow(failing('InvalidTransition', message));
  });

  it.each(['owed', 'pending'] as const)('rejects an order with a compensation that is %s', (state) => {
    const order = orderIn({ status: 'cancelled', compensations: [owed({ state })] });
    expect(() => requireArchivable(order)).toThrow(failing('InvalidTransition', /retry or resolve it first/));
  });
});

describe('archivedOrder', () => {
  const order = orderIn({ status: 'completed' });

  it('changes nothing but the version and archivedAt', () => {
    const archived = { ...order, version: 3, updatedAt: LATER, archivedAt: LATER };
    expect(archivedOrder(order, command, LATER)).toEqual(archived);
  });

  it('returns the same order if it is archived already', () => {
    const archived = { ...order, archivedAt: CREATED };
    expect(archivedOrder(archived, command, LATER)).toBe(archived);
  });

  it('rejects an order that is open', () => {
    expect(() => archivedOrder(orderIn(), command, LATER)).toThrow(
      failing('InvalidTransition', /is confirmed/),
    );
  });
});

describe('cancelledOrder', () => {
  const cancelling = { ...command, reason: 'Too late' };

  it('is closed without progress while it is being placed', () => {
    const placed = openedOrder(requestFor({ externalRef: 'PO-1' }), pricingOf(priced('ps_a', 2)));
    const { status, statusHistory, externalRef } = cancelledOrder(placed, cancelling, LATER);
    expect([status, externalRef]).toEqual(['cancelled', 'PO-1']);
    expect(statusHistory.slice(-2).map(({ axis, to }) => [axis, to])).toEqual([
      ['status', 'cancelled'],
      ['fulfillmentStatus', 'cancelled'],
    ]);
  });

  it('tells of units that are cancelled, of the last line first, although no state changes', () => {
    const items = [itemOf(priced('ps_a', 2)), itemOf(priced('ps_a', 2))];
    const next = cancelledOrder(orderIn({ items }), { ...cancelling, items: [line('ps_a')] }, LATER);
    expect(next.items.map(({ cancelledQuantity }) => cancelledQuantity)).toEqual([0, 1]);
    expect(next.statusHistory.at(-1)).toMatchObject({ at: LATER, reason: 'Too late', to: 'unfulfilled' });
  });

  it('is closed by the user who cancels it, with their reason', () => {
    const { status, statusHistory } = cancelledOrder(orderIn(), cancelling, LATER);
    expect(status).toBe('cancelled');
    expect(statusHistory.at(-1)).toMatchObject({ at: LATER, by: 'usr_9', reason: 'Too late' });
  });

  it('rejects an order that cannot be cancelled', () => {
    const cancel = () => cancelledOrder(orderIn({ status: 'completed' }), cancelling, LATER);
    expect(cancel).toThrow(/can no longer be cancelled/);
  });
});

describe('closedOrder', () => {
  const cancelled: Closing = {
    to: 'cancelled',
    by: 'usr_9',
    reason: 'No',
    rejection: null,
    isDeclined: false,
  };
  const rejection = { code: 'payment_declined', detail: 'No funds' } as const;
  const rejected: Closing = { ...cancelled, to: 'rejected', reason: 'payment_declined', rejection };
  const pricing = pricingOf(priced('ps_a', 2));
  const opened = openedOrder(requestFor(), pricing);
  const changes = (from: OrderState, to: Partial<OrderState>) =>
    Object.entries(to).map(([axis, state]) => ({
      at: LATER,
      by: 'usr_9',
      reason: 'No',
      axis,
      from: from[axis as keyof OrderState],
      to: state,
    }));

  it('cancels a confirmed order: the stock is released, and the authorised payment has to be voided', () => {
    const order = orderIn();
    const closed = { ...order.payment!, isClosed: true } as const;
    expect(cancelledOrder(order, { ...command, reason: 'No' }, LATER)).toEqual({
      ...order,
      items: order.items.map((item) => {
        return { ...item, cancelledQuantity: item.quantity, cancelledAmount: item.total! };
      }),
      cancelled: 3_000,
      payment: closed,
      status: 'cancelled',
      fulfillmentStatus: 'cancelled',
      reservation: 'released',
      compensations: [owed({ since: LATER })],
      statusHistory: [
        ...order.statusHistory,
        ...changes(order, { status: 'cancelled', fulfillmentStatus: 'cancelled' }),
      ],
      version: 3,
      updatedAt: LATER,
    });
  });

  it('waits for no other card any more if it was pending', () => {
    const declined = orderIn({
      status: 'pending',
      paymentStatus: 'declined',
      retryUntil: LATER,
      payBy: LATER,
    });
    expect(cancelledOrder(declined, { ...command, reason: null }, LATER)).toMatchObject({
      status: 'cancelled',
      retryUntil: null,
      payBy: null,
      cancelled: 3_000,
      compensations: [],
    });
  });

  it('has a payment to void whose authorisation has no outcome yet', () => {
    expect(closedOrder(opened, rejected, LATER)).toMatchObject({
      status: 'rejected',
      paymentStatus: 'pending',
      reservation: 'released',
      rejection,
      version: 2,
      compensations: [owed({ payment: { ...payment(2_000), reference: null }, since: LATER })],
    });
  });

  it('has no declined payment to void', () => {
    expect(closedOrder(opened, { ...rejected, isDeclined: true }, LATER)).toMatchObject({
      status: 'rejected',
      paymentStatus: 'declined',
      reservation: 'released',
      compensations: [],
    });
  });

  it('has nothing to void when the amount was 0, and its payment is voided', () => {
    const free = orderIn({ payment: payment(0) });
    const next = cancelledOrder(free, { ...command, reason: null }, LATER);
    expect(next).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', compensations: [] });
  });

  it.each([
    ['it was never priced', draftOrder(requestFor())],
    ['it was never opened', pricedOrder(requestFor(), pricing)],
    ['there is nothing to pay', { ...opened, total: 0 }],
  ])('has nothing to void when %s', (_, order) => {
    const next = closedOrder(order, cancelled, LATER);
    expect(next).toMatchObject({ status: 'cancelled', paymentStatus: 'pending', compensations: [] });
  });

  it('keeps earlier compensations', () => {
    const before = owed({ step: 'voidPayment-0' });
    const next = cancelledOrder(orderIn({ compensations: [before] }), { ...command, reason: null }, LATER);
    expect(next.compensations).toEqual([before, owed({ since: LATER })]);
    const declined = { ...rejected, isDeclined: true };
    expect(closedOrder({ ...opened, compensations: [before] }, declined, LATER).compensations).toEqual([
      before,
    ]);
  });

  it.each(['none', 'released', 'committed'] as const)('releases no stock that is %s', (reservation) => {
    expect(closedOrder({ ...opened, reservation }, cancelled, LATER).reservation).toBe(reservation);
  });
});

it('an order that is rejected is closed by the system, and another order can have its reference', () => {
  const rejection = { code: 'out_of_stock', detail: 'none left' } as const;
  const placed = openedOrder(requestFor({ externalRef: 'PO-1' }), pricingOf(priced('ps_a', 2)));
  const { externalRef, statusHistory } = closedOrder(placed, rejectedBecause(rejection), LATER);
  expect(externalRef).toBeNull();
  expect(statusHistory.at(-1)).toMatchObject({ by: 'system', reason: 'out_of_stock' });
});

it('an order whose payment was declined before has nothing to void', () => {
  const placed = openedOrder(requestFor(), pricingOf(priced('ps_a', 2)));
  const rejection = { code: 'payment_declined', detail: 'No.' } as const;
  const declined = { ...placed, paymentStatus: 'declined' } as const;
  expect(closedOrder(declined, rejectedBecause(rejection), LATER).compensations).toEqual([]);
});
