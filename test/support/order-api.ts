import { randomUUID } from 'node:crypto';
import type { Test } from 'supertest';
import type { OrderLine } from '../../src/domain/order';
import { createOrderPresenter } from '../../src/orders/orders.presenter';
import { orderRoutes } from '../../src/orders/orders.routes';
import { createOrderService } from '../../src/orders/orders.service';
import { createOrderWorkflows } from '../../src/temporal/order-workflows';
import { createUsersRepository } from '../../src/users/users.repository';
import { openTestApi } from './api';
import type { TestApi } from './api';
import { openShop } from './shop';
import type { Shop } from './shop';

/** The whole API of a shop of its own. Workers are started by the tests. */
export interface OrderApi extends TestApi {
  shop: Shop;
  /** Places an order; the key is a new one unless told. */
  place(token: string, body: unknown, headers?: Record<string, string>): Test;
}

export async function openOrderApi(env: NodeJS.ProcessEnv = {}): Promise<OrderApi> {
  const shop = await openShop();
  const api = await openTestApi({
    env,
    db: shop.db,
    routes: (config) => {
      const workflows = createOrderWorkflows(shop.temporal, {
        taskQueue: shop.taskQueue,
        timeoutMs: config.placeOrderTimeoutMs,
      });
      return orderRoutes({
        service: createOrderService({ orders: shop.orders, workflows }),
        present: createOrderPresenter(config.temporal),
        users: createUsersRepository(shop.db.connection),
        prefix: config.http.prefix,
      });
    },
  });
  return {
    ...api,
    shop,
    place: (token, body, headers = {}) =>
      api
        .call('post', '/orders', token)
        .set({ 'Idempotency-Key': randomUUID(), ...headers })
        .send(body as object),
    close: () => shop.close(),
  };
}

export const lines = (...items: [productServiceId: string, quantity: number][]): { items: OrderLine[] } => ({
  items: items.map(([productServiceId, quantity]) => ({ productServiceId, quantity })),
});
