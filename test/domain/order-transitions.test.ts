import fc from 'fast-check';
import type { Axis, OrderRequest, OrderState } from '../../src/domain/order';
import { FULFILLMENT_STATUSES, ORDER_STATUSES, PAYMENT_STATUSES } from '../../src/domain/order';
import {
  canTransition,
  changeOrder,
  draftOrder,
  INITIAL_STATE,
  InvalidTransition,
  isClosed,
  requestOf,
  TRANSITIONS,
} from '../../src/domain/order-transitions';

const STATES = {
  status: ORDER_STATUSES,
  paymentStatus: PAYMENT_STATUSES,
  fulfillmentStatus: FULFILLMENT_STATUSES,
} as const;
const AXES = Object.keys(STATES) as Axis[];

const request: OrderRequest = {
  orderId: 'ord_1',
  customerId: 'usr_1',
  placedBy: 'usr_2',
  items: [{ productServiceId: 'ps_1', quantity: 1 }],
  note: null,
  shippingAddress: null,
  fingerprint: 'f',
  attemptId: 'a',
  requestId: 'r',
  createdAt: '2026-01-01T00:00:00.000Z',
};
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

it('the request of an order is the one that it was made from', () => {
  expect(requestOf(changeOrder(draft, { status: 'confirmed' }, by))).toEqual(request);
});
