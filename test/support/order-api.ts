import { randomUUID } from 'node:crypto';
import pino from 'pino';
import type { Test } from 'supertest';
import type { OrderLine } from '../../src/domain/order';
import { createOrderService, type OrderService } from '../../src/orders/orders.service';
import { createOrderWorkflows } from '../../src/orders/temporal/order-workflows';
import { feedRoutes, outgoingRoutes } from '../../src/api-events';
import { createPasswordChecks } from '../../src/api-identity';
import { privacyRoutes } from '../../src/api-privacy';
import { admitOrders, followDeclineLimit } from '../../src/api-routes';
import { shoppingRoutes } from '../../src/api-shopping';
import type { Route } from '../../src/http/route';
import type { DeclineLimit } from '../../src/payments/declines/decline-limit';
import type { Config } from '../../src/config';
import type { ReportSecurityEvent } from '../../src/security/security-events';
import type { RevokedTokens } from '../../src/users/sessions/revoked-tokens';
import { openTestApi, type TestApi } from './api';
import type { TestDatabase } from './database';
import { HANG_MS } from './eventually';
import { openShop, type Shop, type ShopOptions } from './shop';
import { orderPolicy } from './commands';
import { eventsTaskQueueOf } from './task-queues';

/** The whole API on a shop, which has a worker unless it is the test's own. */
export interface OrderApi extends TestApi {
  shop: Shop;
  service: OrderService;
  declines: DeclineLimit;
  /** Ends what waits for events, as a server does that is about to stop. */
  drain(): void;
  /** Places an order, with a new Idempotency-Key unless the headers have one. */
  place(token: string, body: unknown, headers?: Record<string, string>): Test;
  /** Places an order and returns it as the API shows it to that user. */
  placed(token: string, ...items: Line[]): Promise<OrderBody>;
  /** Fulfills the given items of an order, with a new Idempotency-Key unless the headers have one. */
  fulfill(id: string, items: Line[], headers?: Record<string, string>): Test;
  /** Places an order for a product at 23.79 EUR each, fulfills and delivers all of it, and returns it. */
  completed(token: string, quantity: number): Promise<OrderBody>;
  refund(id: string, body: unknown, headers?: Record<string, string>): Test;
}

/** An order in a response. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the schema of the route checks each response
export type OrderBody = any;

type Line = [productServiceId: string, quantity: number];

/** How long the API waits for a worker, unless a test says otherwise. */
export const PATIENT = { PLACE_ORDER_TIMEOUT_MS: String(HANG_MS), ORDER_COMMAND_TIMEOUT_MS: String(HANG_MS) };

type MoreRoutes = (
  db: TestDatabase,
  config: Config,
  revokedTokens: RevokedTokens,
  report: ReportSecurityEvent,
) => Route[];

export interface OrderApiOptions extends Pick<ShopOptions, 'own'> {
  env?: NodeJS.ProcessEnv;
  /** Returns additional routes. */
  more?: MoreRoutes;
}

export async function openOrderApi({
  own,
  env = {},
  more = () => [],
}: OrderApiOptions = {}): Promise<OrderApi> {
  const shop = await openShop({ own });
  const { api, service, declines, drain } = await openApiOf(shop, { ...PATIENT, ...env }, more);
  const admin = api.tokenOf('ADMIN');
  const post = (path: string, token: string, body: unknown, headers: Record<string, string> = {}) =>
    api
      .call('post', path, token)
      .set(headers)
      .send(body as object);
  const place: OrderApi['place'] = (token, body, headers) =>
    post('/orders', token, body, { 'Idempotency-Key': randomUUID(), ...headers });
  const placed: OrderApi['placed'] = async (token, ...items) =>
    (await place(token, lines(...items)).expect(201)).body.data;
  const fulfill: OrderApi['fulfill'] = (id, items, headers) =>
    post(
      `/orders/${id}/fulfillments`,
      admin,
      { items: lines(...items).items },
      { 'Idempotency-Key': randomUUID(), ...headers },
    );
  return {
    ...api,
    shop,
    service,
    declines,
    drain,
    place,
    placed,
    fulfill,
    refund: (id, body, headers) =>
      post(`/orders/${id}/refunds`, admin, body, { 'Idempotency-Key': randomUUID(), ...headers }),
    async completed(token, quantity) {
      const product = await shop.sell();
      const { id } = await placed(token, [product.id, quantity]);
      const { body } = await fulfill(id, [[product.id, quantity]]).expect(201);
      const [{ id: fulfillmentId }] = body.data.fulfillments;
      await post(`/orders/${id}/fulfillments/${fulfillmentId}/deliver`, admin, undefined).expect(200);
      return (await api.call('get', `/orders/${id}`, token).expect(200)).body.data;
    },
    async close() {
      await api.close();
      await shop.close();
    },
  };
}

/** Opens an API with the routes of orders on a shop. Closing it leaves the shop open. */
export async function openApiOf(
  shop: Shop,
  env: NodeJS.ProcessEnv,
  more: MoreRoutes = () => [],
): Promise<{ api: TestApi; service: OrderService; declines: DeclineLimit; drain(): void }> {
  let service: OrderService;
  let declines: DeclineLimit;
  const draining = new AbortController();
  const api = await openTestApi({
    env,
    db: shop.db,
    routes: (config, revokedTokens, report, outbox) => {
      declines = followDeclineLimit(config, shop.db.mongodb, pino({ level: 'silent' }));
      const workflows = createOrderWorkflows(shop.temporal, {
        taskQueue: shop.taskQueue,
        policy: orderPolicy(shop.taskQueue),
        timeoutMs: config.orders.placeTimeoutMs,
        commandTimeoutMs: config.orders.commandTimeoutMs,
      });
      service = createOrderService({ orders: shop.orders, actions: shop.actions, workflows });
      const admission = admitOrders(
        { ...config, temporal: { ...config.temporal, taskQueue: shop.taskQueue } },
        shop.temporal,
      );
      const shopping = shoppingRoutes(shop.db.connection, { service, config, declines, admission, outbox });
      const { requireRecentSignIn } = createPasswordChecks({
        config,
        connection: shop.db.connection,
        report,
      });
      const privacy = privacyRoutes({
        config: { ...config, temporal: { ...config.temporal, taskQueue: shop.taskQueue } },
        connection: shop.db.connection,
        temporal: shop.temporal,
        requireRecentSignIn,
        lateMs: 1_000,
      });
      const feed = feedRoutes({
        config,
        mongodb: shop.db.mongodb,
        logger: pino({ level: 'silent' }),
        draining: draining.signal,
        orders: service,
      });
      const eventsTaskQueue = eventsTaskQueueOf(shop.taskQueue);
      const outgoing = outgoingRoutes(
        { ...config, temporal: { ...config.temporal, eventsTaskQueue } },
        { connection: shop.db.connection, temporal: shop.temporal, requireRecentSignIn, report },
      );
      return [...shopping, ...privacy, ...feed, ...outgoing, ...more(shop.db, config, revokedTokens, report)];
    },
  });
  const close = async () => {
    draining.abort();
    await declines.close();
    await api.close();
  };
  return { api: { ...api, close }, service: service!, declines: declines!, drain: () => draining.abort() };
}

/** Returns the items of an order with an accepted payment method. */
export const lines = (...items: Line[]): { items: OrderLine[]; paymentMethod: string } => ({
  items: items.map(([productServiceId, quantity]) => ({ productServiceId, quantity })),
  paymentMethod: 'pm_card_visa',
});
