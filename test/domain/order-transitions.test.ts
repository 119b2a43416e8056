import fc from 'fast-check';
import {
  type Axis,
  type OrderState,
  FULFILLMENT_STATUSES,
  ORDER_STATUSES,
  PAYMENT_STATUSES,
} from '../../src/domain/order';
import {
  canTransition,
  changeOrder,
  draftOrder,
  INITIAL_STATE,
  InvalidTransition,
  isClosed,
  pricedOrder,
  requestOf,
  TRANSITIONS,
  unfulfilled,
} from '../../src/domain/order-transitions';
import { CREATED, itemOf, line, priced, pricingOf, requestFor } from './fixtures';

const STATES = {
  status: ORDER_STATUSES,
  paymentStatus: PAYMENT_STATUSES,
  fulfillmentStatus: FULFILLMENT_STATUSES,
} as const;
const AXES = Object.keys(STATES) as Axis[];

const request = requestFor();
const draft = draftOrder(request);
const by = { at: '2026-01-02T00:00:00.000Z', by: 'system', reason: 'why' };

describe.each(AXES)('the states of %s', (axis) => {
  const table = TRANSITIONS[axis] as Record<string, readonly string[]>;

  it('are closed: every transition leads to a state of the table', () => {
    expect(Object.keys(table).sort()).toEqual([...STATES[axis]].sort());
    expect(
      Object.values(table)
        .flat()
        .filter((to) => !(to in table)),
    ).toEqual([]);
  });

  it('are all reachable from the first', () => {
    const reached = new Set<string>([INITIAL_STATE[axis]]);
    for (const state of reached) table[state]!.forEach((to) => reached.add(to));
    expect([...reached].sort()).toEqual(Object.keys(table).sort());
  });

  it('never come back', () => {
    const leadsTo = (from: string, to: string, seen = new Set<string>()): boolean =>
      table[from]!.some((next) => next === to || (!seen.has(next) && leadsTo(next, to, seen.add(next))));
    expect(Object.keys(table).filter((state) => leadsTo(state, state))).toEqual([]);
  });
});

describe('changeOrder', () => {
  it('changes several axes in one version, with one entry of history each', () => {
    const cancelled = changeOrder(draft, { status: 'cancelled', fulfillmentStatus: 'cancelled' }, by);
    expect(cancelled).toEqual({
      ...draft,
      status: 'cancelled',
      fulfillmentStatus: 'cancelled',
      version: 1,
      updatedAt: by.at,
      statusHistory: [
        ...draft.statusHistory,
        { ...by, axis: 'status', from: 'pending', to: 'cancelled' },
        { ...by, axis: 'fulfillmentStatus', from: 'unfulfilled', to: 'cancelled' },
      ],
    });
    expect(draft.statusHistory).toHaveLength(1);
  });

  it('allows what the table allows, leaves the order where it is, and refuses the rest', () => {
    const state = fc.record({
      status: fc.constantFrom(...ORDER_STATUSES),
      paymentStatus: fc.constantFrom(...PAYMENT_STATUSES),
      fulfillmentStatus: fc.constantFrom(...FULFILLMENT_STATUSES),
    });
    fc.assert(
      fc.property(state, state, (from, to) => {
        const order = { ...draft, ...from };
        const allowed = AXES.every((axis) => from[axis] === to[axis] || canMove(axis, from, to));
        if (!allowed) expect(() => changeOrder(order, to, by)).toThrow(InvalidTransition);
        else expect(changeOrder(order, to, by)).toMatchObject(to);
      }),
    );
  });

  function canMove<A extends Axis>(axis: A, from: OrderState, to: OrderState): boolean {
    return canTransition(axis, from[axis], to[axis]);
  }
});

it.each([
  ['pending', false],
  ['confirmed', false],
  ['completed', true],
  ['rejected', true],
  ['cancelled', true],
] as const)('an order that is %s is closed: %s', (status, closed) => {
  expect(isClosed({ status })).toBe(closed);
});

describe('an order', () => {
  it('begins as a draft: its lines as sent, no prices, in no version yet', () => {
    const { orderId: id, items: _items, ...rest } = request;
    const unpriced = { sku: null, name: null, kind: null, unitPrice: null, taxRateBps: null };
    const noPrice = { subtotal: null, tax: null, total: null };
    expect(draft).toEqual({
      id,
      ...rest,
      ...INITIAL_STATE,
      items: [{ ...line('ps_a', 2), ...unpriced, ...noPrice, fulfilledQuantity: 0 }],
      currency: null,
      ...noPrice,
      reservation: 'none',
      payment: null,
      captured: 0,
      refunded: 0,
      fulfillments: [],
      refunds: [],
      compensations: [],
      rejection: null,
      archivedAt: null,
      statusHistory: [
        { at: CREATED, axis: 'status', from: null, to: 'pending', by: request.placedBy, reason: null },
      ],
      version: 0,
      updatedAt: CREATED,
    });
  });

  it('has its prices when it got that far', () => {
    const { items: _items, ...totals } = pricingOf(priced('ps_a', 2));
    const items = [itemOf(priced('ps_a', 2))];
    expect(pricedOrder(request, pricingOf(priced('ps_a', 2)))).toEqual({ ...draft, ...totals, items });
    expect(pricedOrder(request, null)).toEqual(draft);
  });

  it('has nothing fulfilled of a new line', () => {
    expect(unfulfilled(priced('ps_a', 2))).toEqual({ ...priced('ps_a', 2), fulfilledQuantity: 0 });
  });

  it('tells the request that it was made from', () => {
    const order = pricedOrder(request, pricingOf(priced('ps_a', 2)));
    expect(requestOf(changeOrder(order, { status: 'confirmed' }, by))).toEqual(request);
  });
});
