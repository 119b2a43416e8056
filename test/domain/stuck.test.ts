import type { Order } from '../../src/domain/order';
import { needOf } from '../../src/domain/stuck';
import { CREATED, intendedFulfillment, LATER, orderIn, owed } from './fixtures';

const EARLIER = new Date(Date.parse(CREATED) - 1).toISOString();
const waiting = { status: 'pending', paymentStatus: 'action_required', updatedAt: CREATED } as const;
const another = { status: 'pending', paymentStatus: 'declined', updatedAt: CREATED } as const;

it.each<[string, Partial<Order>, ReturnType<typeof needOf>]>([
  ['that is being placed', { status: 'pending', paymentStatus: 'pending', updatedAt: CREATED }, 'resume'],
  ['that waits for its customer', { ...waiting, payBy: LATER }, 'resume'],
  ['whose customer did not confirm in time', { ...waiting, payBy: CREATED }, 'look'],
  ['that waits for another card', { ...another, retryUntil: LATER }, 'resume'],
  ['that got no other card in time', { ...another, retryUntil: CREATED }, 'look'],
  ['with an intention', { intention: { ...intendedFulfillment(), since: CREATED } }, 'look'],
  ['with a debt', { compensations: [owed({ since: CREATED })] }, 'resume'],
  [
    'with a debt that keeps failing',
    { compensations: [owed({ since: CREATED, state: 'pending' })] },
    'resume',
  ],
  [
    'with a debt that an operator settled',
    { compensations: [owed({ since: CREATED, state: 'resolved' })] },
    null,
  ],
  ['that is confirmed', { status: 'confirmed', paymentStatus: 'authorized', updatedAt: CREATED }, null],
  ['that is rejected', { status: 'rejected', updatedAt: CREATED }, null],
])('an order %s, needs to be helped: %s', (_, fields, need) => {
  const order = orderIn(fields);
  expect(needOf(order, CREATED)).toBe(need);
  expect(needOf(order, EARLIER)).toBeNull(); // it may still be under way
});
