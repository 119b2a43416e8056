import { requireUndoable, undoneOrder } from '../../src/domain/undoing';
import type { Order } from '../../src/domain/order';
import { command, failing, fulfillment, itemOf, LATER, line, orderIn, owed, priced } from './fixtures';

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

it('the lines of a product share what is available, and the last of them gets its units back first', () => {
  const items = [itemOf(priced('ps_a', 2), 2), itemOf(priced('ps_a', 2), 2)];
  const order = {
    ...shipped(),
    items,
    fulfillments: [fulfillment({ id: 'ful_1', items: [line('ps_a', 3)] })],
  };
  const lines = undoneOrder(order, lost, LATER, new Map([['ps_a', 2]])).items;
  expect(lines[0]).toMatchObject({ fulfilledQuantity: 1, writtenOffQuantity: 1, cancelledQuantity: 0 });
  expect(lines[1]).toMatchObject({ fulfilledQuantity: 0, writtenOffQuantity: 2, cancelledQuantity: 1 });
});

it('a line of which nothing was in the fulfillment is left as it is', () => {
  const other = itemOf(priced('ps_b', 1), 1);
  const items = [itemOf(priced('ps_a', 2), 2), other];
  const undone = undoneOrder({ ...shipped(), items }, lost, LATER, new Map());
  expect(undone.items[1]).toEqual(other);
});

it('the undoing of a fulfillment is told in the history, although the order may stay in its state', () => {
  const order = { ...shipped(), fulfillmentStatus: 'unfulfilled' as const };
  const { statusHistory } = undoneOrder(order, { ...lost, restock: true }, LATER);
  expect(statusHistory.at(-1)).toMatchObject({ at: LATER, by: 'usr_9', reason: 'Lost' });
});

it('a fulfillment of which units were refunded cannot be undone', () => {
  const items = [{ ...itemOf(priced('ps_a', 2), 2), refundedQuantity: 1 }];
  const undo = () => requireUndoable({ ...shipped(), items }, lost);
  expect(undo).toThrow(
    failing('InvalidTransition', /^Units of SKU-ps_a were refunded.*mark it as delivered/),
  );
});

describe('an order of which 20 payments are not settled', () => {
  const order = { ...shipped(), compensations: Array.from({ length: 20 }, () => owed()) };

  it('does not lose goods, which it would owe as well', () => {
    const advice = /not settled yet: undo this fulfillment when they are\.$/;
    expect(() => requireUndoable(order, lost)).toThrow(failing('InvalidTransition', advice));
  });

  it('gets goods back', () => {
    expect(() => requireUndoable(order, { ...lost, restock: true })).not.toThrow();
  });
});
