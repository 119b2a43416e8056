import { undoneOrder } from '../../src/domain/undoing';
import type { Order } from '../../src/domain/order';
import { command, fulfillment, itemOf, LATER, line, orderIn, priced } from './fixtures';

const shipped = (): Order =>
  orderIn({
    fulfillmentStatus: 'fulfilled',
    paymentStatus: 'captured',
    captured: 2_000,
    total: 2_000,
    items: [itemOf(priced('ps_a', 2), 2)],
    fulfillments: [fulfillment({ id: 'ful_1', items: [line('ps_a', 2)] })],
  });
const lost = { ...command, fulfillmentId: 'ful_1', reason: 'Lost', restock: false };

it.each([
  ['replaced as far as there are others', new Map([['ps_a', 1]]), 1],
  ['cancelled if there are no others', new Map<string, number>(), 2],
  ['replaced if there are enough', undefined, 0],
])('goods that are lost are %s', (_what, available, cancelledQuantity) => {
  const [item] = undoneOrder(shipped(), lost, LATER, available).items;
  expect(item).toMatchObject({ fulfilledQuantity: 0, writtenOffQuantity: 2, cancelledQuantity });
});

it('goods that come back are open again', () => {
  const [item] = undoneOrder(shipped(), { ...lost, restock: true }, LATER).items;
  expect(item).toMatchObject({ fulfilledQuantity: 0, writtenOffQuantity: 0, cancelledQuantity: 0 });
});
