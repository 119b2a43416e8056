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
  INITIAL_STATE,
  isClosed,
  TRANSITIONS,
} from '../../src/domain/order-transitions';
import { InvalidTransition } from '../../src/domain/errors';
import { draftOrder } from '../../src/domain/placing';
import { requestFor } from './fixtures';

const STATES = {
  status: ORDER_STATUSES,
  paymentStatus: PAYMENT_STATUSES,
  fulfillmentStatus: FULFILLMENT_STATUSES,
} as const;
const AXES = Object.keys(STATES) as Axis[];

const draft = draftOrder(requestFor());
const by = { at: '2026-01-02T00:00:00.000Z', by: 'system', reason: 'why' };

describe.each(AXES)('the states of %s', (axis) => {
  const table = TRANSITIONS[axis] as Record<string, readonly string[]>;

  it('lead to states of the table only', () => {
    expect(Object.keys(table).sort()).toEqual([...STATES[axis]].sort());
    expect(
      Object.values(table)
        .flat()
        .filter((to) => !(to in table)),
    ).toEqual([]);
  });

  it('are all reachable from the first state', () => {
    const reached = new Set<string>([INITIAL_STATE[axis]]);
    for (const state of reached) table[state]!.forEach((to) => reached.add(to));
    expect([...reached].sort()).toEqual(Object.keys(table).sort());
  });

  it('never recur, but for what is shipped anew after it was undone, refunded, or paid with another card', () => {
    const leadsTo = (from: string, to: string, seen = new Set<string>()): boolean =>
      table[from]!.some((next) => next === to || (!seen.has(next) && leadsTo(next, to, seen.add(next))));
    const recurring = Object.keys(table).filter((state) => leadsTo(state, state));
    expect(recurring).toEqual(
      {
        status: [],
        paymentStatus: [
          'action_required',
          'authorized',
          'captured',
          'partially_refunded',
          'refunded',
          'declined',
          'voided',
        ],
        fulfillmentStatus: ['unfulfilled', 'partially_fulfilled', 'fulfilled'],
      }[axis],
    );
  });
});

it('makes just these changes', () => {
  const changes = AXES.flatMap((axis) =>
    Object.entries(TRANSITIONS[axis]).map(([from, to]) => `${axis} ${from}: ${to.join(' ')}`.trimEnd()),
  );
  expect(changes).toEqual([
    'status pending: confirmed rejected cancelled',
    'status confirmed: completed cancelled',
    'status completed:',
    'status rejected:',
    'status cancelled:',
    'paymentStatus pending: authorized action_required declined',
    'paymentStatus action_required: authorized declined voided',
    'paymentStatus authorized: captured voided',
    'paymentStatus captured: partially_refunded refunded',
    'paymentStatus partially_refunded: refunded captured',
    'paymentStatus refunded: partially_refunded captured',
    'paymentStatus declined: authorized action_required',
    'paymentStatus voided: authorized action_required',
    'fulfillmentStatus unfulfilled: partially_fulfilled fulfilled cancelled',
    'fulfillmentStatus partially_fulfilled: fulfilled delivered unfulfilled',
    'fulfillmentStatus fulfilled: delivered partially_fulfilled unfulfilled cancelled',
    'fulfillmentStatus delivered:',
    'fulfillmentStatus cancelled:',
  ]);
});

describe('changeOrder', () => {
  it('says what the order is, and what it cannot become', () => {
    expect(() => changeOrder({ ...draft, status: 'completed' }, { status: 'cancelled' }, by)).toThrow(
      "The order's status is completed: it cannot become cancelled.",
    );
  });

  it('keeps the internal note with each change', () => {
    const { statusHistory } = changeOrder(draft, { status: 'cancelled' }, { ...by, internalNote: 'Told' });
    expect(statusHistory.at(-1)).toMatchObject({ to: 'cancelled', internalNote: 'Told' });
  });

  it('changes several axes in one version, with one history entry each', () => {
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

  it('keeps the reason of a change that changes no state, if it is told', () => {
    const told = changeOrder(draft, {}, { ...by, isTold: true });
    const state = { from: 'unfulfilled', to: 'unfulfilled' };
    expect(told.statusHistory).toEqual([
      ...draft.statusHistory,
      { ...by, axis: 'fulfillmentStatus', ...state },
    ]);
    expect(changeOrder(draft, { status: 'cancelled' }, { ...by, isTold: true }).statusHistory).toHaveLength(
      2,
    );
  });

  it('allows what the table allows, keeps the order where it is, and rejects the rest', () => {
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
