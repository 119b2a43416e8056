import type { Dispute, Order } from '../../src/domain/order';
import { obstacleOf, refusalOf } from '../../src/domain/erasing';
import { CREATED, intendedRefund, orderIn, owed } from './fixtures';

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
});
