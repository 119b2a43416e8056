import { amendedOrder } from '../../src/domain/amendment';
import { owedVoid, withOwed } from '../../src/domain/compensation';
import { deliveredOrder, fulfilledOrder } from '../../src/domain/fulfillment';
import type { Order } from '../../src/domain/order';
import { createOrderService, type OrderService } from '../../src/orders/orders.service';
import { COMMANDS } from '../../workflows/contract';
import { activitiesOn } from '../support/activities';
import { expectConsistency } from '../support/consistency';
import { openShop, orderRequest, type Shop } from '../support/shop';

/**
 * Orders whose workflow has missed a write, as when Temporal dies just after an update has written the order.
 */
let shop: Shop;
let service: OrderService;
beforeAll(async () => {
  shop = await openShop();
  service = createOrderService(shop);
});
afterAll(() => shop.close());

const ADMIN = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;
const by = { by: 'usr_admin', requestId: 'test', seenVersion: 0 };
const nowIso = () => new Date().toISOString();

async function placed(unitPrice = 1_999) {
  const { id: productId } = await shop.sell({ unitPrice });
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: 3 }] });
  const order = (await shop.workflows.place(request))!;
  const shipment = (id: string, quantity: number) => ({
    ...by,
    id: `${order.id}-${id}`,
    fingerprint: id,
    attemptId: id,
    carrier: null,
    trackingNumber: null,
    items: [{ productServiceId: productId, quantity }],
  });
  return { productId, request, order, shipment };
}

const read = (id: string): Promise<Order> => service.get(id, ADMIN.principal);
const content = (productId: string, quantity: number) => ({
  items: [{ productServiceId: productId, quantity }],
  carrier: null,
  trackingNumber: null,
});

it('amends the version that is read, and rejects an earlier one', async () => {
  const { order } = await placed();
  const lost = { ...by, ifMatch: null, note: 'lost' };
  await activitiesOn(shop.db).amendOrder(
    amendedOrder(order, lost, { pricing: null, payment: null }, nowIso()),
  );
  const { version, note } = await read(order.id);
  expect([version, note]).toEqual([3, 'lost']);
  const stale = service.amend(order.id, ADMIN, { ifMatch: [2], note: 'stale' });
  await expect(stale).rejects.toMatchObject({ code: 'precondition_failed', headers: { ETag: '"3"' } });
  expect(await service.amend(order.id, ADMIN, { ifMatch: [3], note: 'mine' })).toMatchObject({
    note: 'mine',
    version: 4,
  });
});

it('delivers a fulfillment that is read', async () => {
  const { order, productId, shipment } = await placed();
  const first = await service.fulfill(order.id, ADMIN, content(productId, 1), 'first');
  const lost = fulfilledOrder(first.order, shipment('lost', 2), nowIso());
  await activitiesOn(shop.db).fulfillOrder(lost);
  const { fulfillments } = await read(order.id);
  expect(fulfillments).toHaveLength(2);
  for (const { id: fulfillmentId } of fulfillments.reverse()) {
    await service.deliver(order.id, ADMIN, { fulfillmentId });
  }
  const completed = await read(order.id);
  expect(completed).toMatchObject({ status: 'completed', captured: 7_136 });
  await expectConsistency(shop, { productId, initial: 100, orders: [completed] });
});

it('rejects a delivery that is read, and completes the order with the other one', async () => {
  const { order, productId } = await placed();
  await service.fulfill(order.id, ADMIN, content(productId, 1), 'first');
  const { order: fulfilled } = await service.fulfill(order.id, ADMIN, content(productId, 2), 'second');
  const [first, second] = fulfilled.fulfillments.map(({ id: fulfillmentId }) => ({ fulfillmentId }));
  await activitiesOn(shop.db).deliverFulfillment(deliveredOrder(fulfilled, { ...by, ...first! }, nowIso()));
  await expect(service.deliver(order.id, ADMIN, first!)).rejects.toMatchObject({
    code: 'invalid_transition',
  });
  expect(await service.deliver(order.id, ADMIN, second!)).toMatchObject({ status: 'completed' });
});

it('rejects cancelling a free order whose fulfillment is read', async () => {
  const { order, shipment } = await placed(0);
  await activitiesOn(shop.db).fulfillOrder(fulfilledOrder(order, shipment('lost', 3), nowIso()));
  await expect(service.cancel(order.id, ADMIN, { reason: null })).rejects.toMatchObject({
    code: 'invalid_transition',
    message: expect.stringContaining('fulfilled'),
  });
});

it('retries a compensation that is read', async () => {
  const { order } = await placed();
  const payment = { key: `${order.id}-v9`, reference: null, amount: 1, currency: 'EUR' };
  await activitiesOn(shop.db).recordCompensation(withOwed(order, owedVoid(payment, nowIso()), nowIso()));
  const step = { step: 'voidPayment-v9' };
  expect(await service.retryCompensation(order.id, ADMIN, step)).toMatchObject({ compensations: [] });
  expect(await read(order.id)).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized' });
});

it('ignores a seenVersion that does not exist', async () => {
  const { order, request } = await placed();
  const seen = { ...by, seenVersion: 99 };
  const amended = await shop.workflows.execute(request, COMMANDS.amend, {
    ...seen,
    ifMatch: [2],
    note: 'x',
  });
  expect(amended).toMatchObject({ version: 3, note: 'x' });
  const delivery = { ...seen, fulfillmentId: 'ful_none' };
  const rejected = shop.workflows.execute(request, COMMANDS.deliver, delivery);
  await expect(rejected).rejects.toMatchObject({ code: 'not_found' });
  expect(await read(order.id)).toMatchObject({ version: 3 });
});
