import type { Order, OrderRequest } from '../../src/domain/order';
import { COMMANDS, orderWorkflowId } from '../../workflows/contract';
import { newCommand } from '../support/commands';
import { expectConsistency } from '../support/consistency';
import { eventually } from '../support/eventually';
import { createOperator, type Operator } from '../../tools/chaos/operator';
import { openShop, orderRequest, type Shop } from '../support/shop';

const AVAILABLE = 10;

let shop: Shop;
let operator: Operator;
beforeAll(async () => {
  shop = await openShop();
  operator = createOperator(shop.temporal);
});
afterAll(() => shop.close());

/** Places an order of two units of a product that no other order has. */
async function placed(): Promise<{ request: OrderRequest; productId: string }> {
  const { id: productId } = await shop.sell({ available: AVAILABLE });
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: 2 }] });
  await shop.place(request);
  return { request, productId };
}

const amend = (request: OrderRequest, productServiceId: string, quantity: number, note: string) =>
  shop.workflows.execute(request, COMMANDS.amend, {
    ...newCommand(),
    ifMatch: null,
    items: [{ productServiceId, quantity }],
    note,
  });

async function settled({ orderId }: OrderRequest): Promise<Order> {
  let order!: Order;
  await eventually(async () => {
    order = (await shop.orders.findById(orderId))!;
    expect(order).toMatchObject({ compensations: [], intention: null });
  });
  return order;
}

/** Resets the workflow and waits until it has seen every update again. */
async function reset(request: OrderRequest, to: 'first' | 'last'): Promise<void> {
  const workflowId = orderWorkflowId(request.orderId);
  await operator.reset(workflowId, to);
  // A command waits for those that came before it.
  await shop.workflows.execute(request, COMMANDS.amend, {
    ...newCommand(),
    ifMatch: null,
    note: 'after the reset',
  });
}

describe.each(['first', 'last'] as const)('a reset to the %s workflow task', (to) => {
  it('does not carry out an amendment that was out of stock, though the stock has risen', async () => {
    const { request, productId } = await placed();
    await expect(amend(request, productId, 60, 'Many')).rejects.toMatchObject({ code: 'out_of_stock' });
    const before = await settled(request);
    await shop.db.connection
      .collection('product_services')
      .updateOne({ _id: productId as never }, { $inc: { 'stock.available': 100 } });
    await reset(request, to);
    const after = await settled(request);
    expect(after).toMatchObject({ items: before.items, total: before.total, payment: before.payment });
    await expectConsistency(shop, { productId, initial: AVAILABLE + 100, orders: [after] });
  });

  it('leaves the last of two amendments as it is', async () => {
    const { request, productId } = await placed();
    await amend(request, productId, 5, 'First');
    await amend(request, productId, 1, 'Second');
    const before = await settled(request);
    await reset(request, to);
    const after = await settled(request);
    expect(after).toMatchObject({ items: before.items, payment: before.payment });
    expect(after.commands.map(({ id }) => id)).toEqual([...new Set(after.commands.map(({ id }) => id))]);
    await expectConsistency(shop, { productId, initial: AVAILABLE, orders: [after] });
  });

  it('does not carry out a fulfillment that was turned down', async () => {
    const { request, productId } = await placed();
    const items = [{ productServiceId: productId, quantity: 3 }];
    const content = { items, carrier: null, trackingNumber: null };
    const command = { ...newCommand(), fingerprint: 'f', attemptId: 'a', ...content };
    await expect(shop.workflows.execute(request, COMMANDS.fulfill, command)).rejects.toMatchObject({
      code: 'invalid_transition',
    });
    await amend(request, productId, 3, 'Now three');
    await settled(request);
    await reset(request, to);
    const after = await settled(request);
    expect(after).toMatchObject({ fulfillments: [], captured: 0, fulfillmentStatus: 'unfulfilled' });
    await expectConsistency(shop, { productId, initial: AVAILABLE, orders: [after] });
  });
});
