import { overdueOrder, waitingSince } from '../../src/domain/overdue';
import type { Order } from '../../src/domain/order';
import { changeOrder } from '../../src/domain/order-transitions';
import { CREATED, fulfillment, itemOf, LATER, orderIn, priced } from './fixtures';

const CONFIRMED = '2026-01-01T01:00:00.000Z';
const SHIPPED = '2026-01-01T02:00:00.000Z';
const UNDONE = '2026-01-01T03:00:00.000Z';

const confirmed = changeOrder(
  orderIn({ status: 'pending' }),
  { status: 'confirmed' },
  { at: CONFIRMED, by: 'system', reason: null },
);
const undone = { at: UNDONE, by: 'usr_9', reason: 'Lost', restock: true };
const items = [itemOf(priced('ps_a', 2), 1)];
const begun: Order = {
  ...confirmed,
  fulfillmentStatus: 'partially_fulfilled',
  items,
  fulfillments: [fulfillment({ createdAt: SHIPPED })],
};

it.each([
  ['its confirmation', confirmed, CONFIRMED],
  ['its last shipment', begun, SHIPPED],
  [
    'the last shipment that was undone',
    { ...confirmed, fulfillments: [fulfillment({ createdAt: SHIPPED, undone })] },
    UNDONE,
  ],
])('an order waits for its next fulfillment since %s', (_, order, since) => {
  expect(waitingSince(order)).toBe(since);
});

it.each<[string, Partial<Order>]>([
  ['being placed', { status: 'pending' }],
  ['closed', { status: 'cancelled' }],
  ['without open units', { items: [itemOf(priced('ps_a', 1), 1)] }],
])('an order that is %s waits for none', (_, fields) => {
  expect(waitingSince({ ...begun, ...fields })).toBeNull();
});

describe('overdueOrder', () => {
  it('says since when the rest of the order is overdue', () => {
    const { version } = begun;
    expect(overdueOrder(begun, SHIPPED, LATER)).toEqual({
      ...begun,
      overdueSince: LATER,
      version: version + 1,
      updatedAt: LATER,
    });
  });

  it.each<[string, Order]>([
    ['is known already', { ...begun, overdueSince: CREATED }],
    ['was shipped meanwhile', { ...begun, fulfillments: [fulfillment({ createdAt: UNDONE })] }],
    ['of which nothing is fulfilled', confirmed],
    ['of which nothing is open', { ...begun, fulfillmentStatus: 'fulfilled' }],
  ])('returns the same order if it %s', (_, order) => {
    expect(overdueOrder(order, SHIPPED, LATER)).toBe(order);
  });
});
