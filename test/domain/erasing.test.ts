import type { Dispute, Order } from '../../src/domain/order';
import { erasedOrder, isErased, obstacleOf, refusalOf } from '../../src/domain/erasing';
import {
  answered,
  CREATED,
  fulfillment,
  intendedRefund,
  LATER,
  orderIn,
  owed,
  payment,
  refundOf,
} from './fixtures';

const dispute = (status: Dispute['status']): Dispute => ({
  id: 'dp_1',
  amount: 100,
  status,
  reason: 'fraudulent',
  at: CREATED,
});

describe('what stands in the way of erasing an order', () => {
  it.each<[string, Partial<Order>, ReturnType<typeof obstacleOf>]>([
    ['is pending', { status: 'pending' }, 'open'],
    ['is confirmed', { status: 'confirmed' }, 'open'],
    ['is completed', { status: 'completed' }, null],
    ['is cancelled', { status: 'cancelled' }, null],
    ['is rejected', { status: 'rejected' }, null],
    ['is being refunded', { status: 'completed', intention: intendedRefund(100) }, 'owing'],
    ['has a payment to void', { status: 'cancelled', compensations: [owed()] }, 'owing'],
    ['is disputed', { status: 'completed', disputes: [dispute('opened')] }, 'disputed'],
    ['has lost a dispute', { status: 'completed', disputes: [dispute('lost')] }, null],
    ['has won a dispute', { status: 'completed', disputes: [dispute('won')] }, null],
  ])('of one that %s', (_what, fields, obstacle) => {
    expect(obstacleOf(orderIn(fields))).toBe(obstacle);
  });
});

it('says which orders are in the way, and what to do about each kind', () => {
  const open = Array.from({ length: 7 }, (_, n) => orderIn({ number: `N${n}` }));
  const disputed = orderIn({ number: 'D1', status: 'completed', disputes: [dispute('opened')] });
  expect(refusalOf([...open, disputed])).toBe(
    'Orders are open: cancel them, or wait until they are completed (N0, N1, N2, N3, N4 and 2 more). ' +
      'Orders are disputed at the bank: wait until it has decided (D1). Then repeat the request.',
  );
  expect(refusalOf([orderIn({ status: 'completed' })])).toBeNull();
  expect(refusalOf([orderIn({ number: 'O1', status: 'completed', intention: intendedRefund(100) })])).toBe(
    'Orders owe the customer money: wait until it is paid back, or have the staff settle it (O1). Then repeat the request.',
  );
  expect(refusalOf(open.slice(0, 5))).toContain('(N0, N1, N2, N3, N4).');
});

it('leaves nothing of what people have entered, and what happened and what it cost', () => {
  const PERSONAL = 'personal';
  const paid = { ...payment(3_000), paymentMethod: PERSONAL };
  const undone = { at: LATER, by: 'usr_9', reason: PERSONAL, restock: true };
  const order = orderIn({
    status: 'cancelled',
    externalRef: PERSONAL,
    metadata: { gift: PERSONAL },
    note: PERSONAL,
    paymentMethod: PERSONAL,
    payment: paid,
    rejection: { code: 'payment_declined', detail: PERSONAL },
    fulfillments: [
      fulfillment({ carrier: PERSONAL, trackingNumber: PERSONAL, fingerprint: PERSONAL }),
      fulfillment({ id: 'k2', undone }),
    ],
    refunds: [{ ...refundOf(100, 'k3'), reason: PERSONAL, internalNote: PERSONAL }],
    compensations: [
      owed({ payment: paid, failure: PERSONAL, resolution: { note: PERSONAL, by: 'usr_9', at: LATER } }),
      owed({ step: 'voidPayment-2' }),
    ],
    attempts: [
      { key: 'ord_1-1', paymentMethod: PERSONAL, at: CREATED, outcome: 'declined', reason: PERSONAL },
    ],
  });
  const erased = erasedOrder(order, LATER);
  expect(JSON.stringify(erased)).not.toContain(PERSONAL);
  expect(erased).toMatchObject({
    total: order.total,
    version: order.version + 1,
    payment: { key: paid.key, amount: 3_000, paymentMethod: 'erased' },
    rejection: { code: 'payment_declined' },
    attempts: [{ key: 'ord_1-1', at: CREATED, outcome: 'declined', reason: null }],
    fulfillments: [{ id: 'k1' }, { id: 'k2', undone: { at: LATER, by: 'usr_9' } }],
    refunds: [{ id: 'k3', amount: 100 }],
    compensations: [{ resolution: { by: 'usr_9', at: LATER } }, { resolution: null }],
  });
});

it('keeps the reasons of ours in the history, and none that people gave', () => {
  const change = { at: LATER, axis: 'status', from: 'confirmed', to: 'cancelled', reason: 'Why' } as const;
  const statusHistory = ['system', 'provider', 'usr_9'].map((by) => ({ ...change, by }));
  const { statusHistory: erased } = erasedOrder(orderIn({ status: 'cancelled', statusHistory }), LATER);
  expect(erased).toEqual([
    { ...change, by: 'system' },
    { ...change, by: 'provider' },
    { ...change, by: 'usr_9', reason: null },
  ]);
});

it('forgets the answers to commands, and adds nothing that was not there', () => {
  const order = orderIn({ status: 'cancelled', commands: [answered('k1')] });
  const { commands, rejection, payment: kept } = erasedOrder(order, LATER);
  expect([commands, rejection]).toEqual([[], null]);
  expect(kept).not.toHaveProperty('paymentMethod');
  expect(isErased(erasedOrder(order, LATER))).toBe(true);
  expect(isErased(order)).toBe(false);
});
