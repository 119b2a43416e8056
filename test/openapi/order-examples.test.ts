import { isDeepStrictEqual } from 'node:util';
import { ORDER_EVENT_EXAMPLES } from '../../src/events/events.schema';
import type { EventView } from '../../src/events/events.presenter';
import { exampleOf } from '../../src/openapi/example';
import type { Route } from '../../src/http/route';
import { eventually } from '../support/eventually';
import { openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';
import { keepRelaying } from '../support/relay';

/** The examples of requests are sent, and what comes back is compared with the examples of responses. */
let api: OrderApi;
let relay: ReturnType<typeof keepRelaying>;
let productId: string;
let sku: string;
/** Another one, of which there is nothing. */
let soldOut: { id: string; sku: string };
beforeAll(async () => {
  api = await openOrderApi();
  relay = keepRelaying(api.db.connection);
  await relay.following;
  ({ id: productId, sku } = await api.shop.sell({ name: 'T-shirt, M' }));
});
afterAll(async () => {
  await relay.stop();
  await api.close();
});

/** The product of the examples, from the demo data. */
const DEMO_PRODUCT = 'ps_01HZX0000000000000TSHRTM00';
/** What differs from one order to the next. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, '<time>'],
  [/^[0-9A-Z]{5}-[0-9A-Z]{5}$/, '<number>'],
  [/^(ord|ful|ref|usr|evt_ord)_\w+$/, '<id>'],
  [/^order-ord_\w+$/, '<workflow>'],
  [/\/order-ord_\w+$/, '<temporal>'],
  [/\/actions\/\w+$/, '<page>'],
];

const routeOf = (operationId: string): Route =>
  api.routes.find((route) => route.operationId === operationId)!;
const requestOf = (operationId: string): object =>
  JSON.parse(
    JSON.stringify(exampleOf(routeOf(operationId).body!)).replaceAll(DEMO_PRODUCT, productId),
  ) as object;

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, masked(part)]));
  if (value === DEMO_PRODUCT || value === productId) return '<product>';
  if (value === 'TSHIRT-M' || value === sku) return '<sku>';
  const [, name] = VARIABLE.find(([pattern]) => typeof value === 'string' && pattern.test(value)) ?? [];
  return name ?? value;
}

function expectExample(operationId: string, status: number, order: OrderBody, name?: string): void {
  const { example, examples, data } = routeOf(operationId).responses[status]!;
  expect(masked(order)).toEqual(masked(name ? examples![name] : (example ?? exampleOf(data!))));
}

const place = async (change = {}, headers = {}): Promise<OrderBody> => {
  const { body } = await api.place(customer(), { ...requestOf('placeOrder'), ...change }, headers);
  placed.push(body.data?.id ?? body.orderId);
  return body.data ?? body;
};
const placed: string[] = [];
let token: string;
/** Each order is of another customer, whose declined payments would be counted. */
const customer = (): string => (token = api.tokenOf('CUSTOMER'));
const send = async (
  operationId: string,
  path: string,
  role: 'customer' | 'admin' = 'admin',
): Promise<OrderBody> => {
  const { method, body, ifMatch } = routeOf(operationId);
  const by = role === 'admin' ? api.tokenOf('ADMIN') : token;
  const sent = api.call(method, `/orders/${path}`, by).set(ifMatch === 'required' ? { 'If-Match': '*' } : {});
  if (routeOf(operationId).idempotency) void sent.set('Idempotency-Key', `${path}/${operationId}`);
  const answer = await (body ? sent.send(requestOf(operationId)) : sent);
  return answer.body.data ?? answer.body;
};
const read = (id: string): Promise<OrderBody> => send('getOrder', id, 'customer');

describe('the examples of orders are what the API sends', () => {
  it('when one is placed', async () => {
    const order = await place();
    expectExample('placeOrder', 201, order);
    expectExample('getOrder', 200, await read(order.id), 'OrderConfirmed');
  });

  it('when nothing is known yet but what was asked for', async () => {
    const order = await place({}, { Prefer: 'respond-async' });
    expect(order.status).toBe('pending');
    expectExample('getOrder', 200, order, 'OrderPending');
  });

  it('when the customer has to confirm the payment', async () => {
    const order = await place({ paymentMethod: 'pm_card_threeDSecure2Required' });
    expectExample('placeOrder', 202, order);
    expectExample('getOrder', 200, await read(order.id), 'OrderActionRequired');
  });

  it('when it is rejected', async () => {
    const { id, sku: ofIt } = (soldOut = await api.shop.sell({ available: 0, name: 'T-shirt, M' }));
    const { orderId } = await place({ items: [{ productServiceId: id, quantity: 2 }] });
    const text = JSON.stringify(await read(orderId))
      .replaceAll(ofIt, 'TSHIRT-M')
      .replaceAll(id, productId);
    expectExample('getOrder', 200, JSON.parse(text), 'OrderRejected');
  });

  it('when it is amended', async () => {
    const { id } = await place();
    expectExample('amendOrder', 200, await send('amendOrder', id, 'customer'));
  });

  it('when it is cancelled', async () => {
    const { id } = await place();
    expectExample('cancelOrder', 200, await send('cancelOrder', `${id}/cancel`, 'customer'));
    expectExample('getOrder', 200, await read(id), 'OrderCancelled');
  });

  it('when it is fulfilled and a fulfillment is corrected, or comes back', async () => {
    const { id } = await place();
    const fulfilled = await send('fulfillOrder', `${id}/fulfillments`);
    expectExample('fulfillOrder', 201, fulfilled);
    expectExample('getOrder', 200, fulfilled, 'OrderFulfilled');
    const path = `${id}/fulfillments/${fulfilled.fulfillments[0].id}`;
    expectExample('correctFulfillment', 200, await send('correctFulfillment', path));
    const other = await place();
    const { fulfillments } = await send('fulfillOrder', `${other.id}/fulfillments`);
    const undone = await send('undoFulfillment', `${other.id}/fulfillments/${fulfillments[0].id}`);
    expectExample('undoFulfillment', 200, undone);
  });

  it('when it is delivered and refunded', async () => {
    const { id } = await place();
    const { fulfillments } = await send('fulfillOrder', `${id}/fulfillments`);
    const delivered = await send('deliverFulfillment', `${id}/fulfillments/${fulfillments[0].id}/deliver`);
    expectExample('deliverFulfillment', 200, delivered);
    expectExample('getOrder', 200, delivered, 'OrderCompleted');
    const refunded = await send('refundOrder', `${id}/refunds`);
    expectExample('refundOrder', 201, refunded);
    expectExample('getOrder', 200, refunded, 'OrderRefunded');
  });
});

it('the examples of events are what the API sends of these orders', async () => {
  const admin = api.tokenOf('ADMIN');
  const all: OrderBody[] = [];
  for (const id of placed) {
    const { version } = (await api.call('get', `/orders/${id}`, admin).expect(200)).body.data;
    await eventually(async () => {
      const { data } = (await api.call('get', `/orders/${id}/events?limit=100`, admin).expect(200)).body;
      expect(data.at(-1)?.version).toBe(version);
      all.push(...data);
    });
  }
  const text = JSON.stringify(all).replaceAll(soldOut.sku, 'TSHIRT-M').replaceAll(soldOut.id, productId);
  const shown = (event: object) => masked({ ...event, position: '<position>' }) as EventView<object>;
  const events = (JSON.parse(text) as object[]).map(shown);
  for (const example of Object.values(ORDER_EVENT_EXAMPLES).map(shown)) {
    const alike = events.filter(({ types }) => isDeepStrictEqual(types, example.types));
    const same = alike.find((event) => isDeepStrictEqual(event, example));
    expect(same ?? alike[0]).toEqual(example);
  }
});
