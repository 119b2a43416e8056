import type { Order, OrderLine, Fulfillment } from '../../src/domain/order';
import { COMMANDS, orderWorkflowId } from '../../workflows/contract';
import { newCommand } from '../support/commands';
import { openShop, orderRequest, type Shop } from '../support/shop';

/** The most lines that an order can have, and so many shipments of all of them that it exceeds 2 MB. */
const LINES = 100;
const SHIPMENTS = 330;
const MOST_BYTES = 64_000;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** Writes all but the first and the last shipment into the document, since sending each would take minutes. */
async function shipAllButOne(order: Order, items: OrderLine[]): Promise<void> {
  const one: Fulfillment = {
    id: 'ful_0',
    items,
    carrier: null,
    trackingNumber: null,
    fingerprint: 'f',
    attemptId: 'a',
    by: 'usr_1',
    createdAt: order.createdAt,
    deliveredAt: null,
  };
  const shipped = SHIPMENTS - 1;
  await shop.orders.save({
    ...order,
    items: order.items.map((item) => ({ ...item, fulfilledQuantity: shipped })),
    fulfillments: Array.from({ length: shipped }, (_, n) => ({ ...one, id: `ful_${n}` })),
    revision: order.revision + 1,
  });
  await shop.db.connection.collection('product_services').updateMany(
    { _id: { $in: items.map((line) => line.productServiceId) as never[] } },
    {
      $inc: { 'stock.reserved': 1 - shipped },
    },
  );
}

/** Returns the sizes of all payloads of the history, in bytes. */
async function payloadSizes(orderId: string): Promise<number[]> {
  const { events } = await shop.temporal.client.workflow.getHandle(orderWorkflowId(orderId)).fetchHistory();
  return events!.flatMap(sizesIn);
}

function sizesIn(value: unknown): number[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  const { data } = value as { data?: unknown };
  return [...(ArrayBuffer.isView(data) ? [data.byteLength] : []), ...Object.values(value).flatMap(sizesIn)];
}

it('an order of 100 lines and 330 shipments, above 2 MB, can still be fulfilled, delivered and refunded', async () => {
  const products = await Promise.all(
    Array.from({ length: LINES }, () => shop.sell({ available: SHIPMENTS })),
  );
  const lines = products.map(({ id: productServiceId }) => ({ productServiceId, quantity: SHIPMENTS }));
  const request = orderRequest({ items: lines });
  await shop.place(request);
  const each = lines.map(({ productServiceId }) => ({ productServiceId, quantity: 1 }));
  const keyed = (id: string) => ({ ...newCommand(), id, fingerprint: id, attemptId: id });
  const ship = (id: string) =>
    shop.workflows.execute(request, COMMANDS.fulfill, {
      ...keyed(id),
      items: each,
      carrier: null,
      trackingNumber: null,
    });
  await ship('ful_first');
  const begun = (await shop.orders.findById(request.orderId))!;
  await shipAllButOne({ ...begun, fulfillments: [] }, each);
  expect(JSON.stringify(await shop.orders.findById(request.orderId)).length).toBeGreaterThan(2_000_000);

  expect(await ship('ful_last')).toMatchObject({ fulfillmentStatus: 'fulfilled', reservation: 'committed' });
  const delivered = await shop.workflows.execute(request, COMMANDS.deliver, {
    ...newCommand(),
    fulfillmentId: 'ful_last',
  });
  expect((delivered as Order).fulfillments.at(-1)!.deliveredAt).not.toBeNull();
  const refund = { ...keyed('ref_1'), amount: null, reason: 'Too late' };
  const refunded = await shop.workflows.executeAlways(delivered as Order, COMMANDS.refund, refund);
  expect(refunded).toMatchObject({ paymentStatus: 'refunded', refunded: begun.total });
  expect(await shop.stockOf(products[0]!.id)).toEqual({ available: 0, reserved: 0 });
  const sizes = await payloadSizes(request.orderId);
  expect(sizes.length).toBeGreaterThan(10);
  expect(Math.max(...sizes)).toBeLessThan(MOST_BYTES);
});
