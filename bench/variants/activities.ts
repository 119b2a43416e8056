import type { Connection } from 'mongoose';
import { createOrderWriter } from '../../activities/order-writer';
import { createAuditRecorder } from '../../src/audit/recorder';
import { createCartRepository } from '../../src/carts/carts.repository';
import type { OrderRejected } from '../../src/domain/errors';
import type { Order, OrderPayment, OrderRequest, Pricing } from '../../src/domain/order';
import { confirmedOrder } from '../../src/domain/placing';
import { priceLines } from '../../src/domain/pricing';
import { createTransact } from '../../src/mongodb/transaction';
import { createOrderRepository } from '../../src/orders/orders.repository';
import { createUnpaidOrdersRepository } from '../../src/orders/unpaid-orders.repository';
import { createProductServiceRepository } from '../../src/product-service/product-service.repository';
import { createStockQueue } from '../../src/product-service/stock-queue';
import { createStockRepository } from '../../src/product-service/stock.repository';

export type UsualActivities = ReturnType<typeof createUsualActivities>;

/** The steps of the usual way, one activity each, with our rules and our writes. The workflow holds the order. */
export function createUsualActivities(connection: Connection) {
  const products = createProductServiceRepository(connection);
  const writer = createOrderWriter({
    orders: createOrderRepository(connection),
    stock: createStockRepository(connection),
    stockQueue: createStockQueue(),
    transact: createTransact(connection),
    recordAudit: createAuditRecorder(connection),
    unpaid: createUnpaidOrdersRepository(connection),
    carts: createCartRepository(connection, {
      stock: createStockRepository(connection),
      stockQueue: createStockQueue(),
    }),
    maxUnpaid: { orders: 0, units: 0 },
  });
  return {
    async priceOrder({ items }: OrderRequest): Promise<Pricing> {
      const ids = [...new Set(items.map(({ productServiceId }) => productServiceId))];
      return priceLines(items, await products.findActiveByIds(ids));
    },

    /** Reserves the stock and saves the order, all or nothing. */
    async openOrder(order: Order): Promise<Order> {
      const orReject = (short: OrderRejected): never => {
        throw short;
      };
      return (await writer.insert(order, orReject)).order;
    },

    confirmOrder: (order: Order, payment: OrderPayment): Promise<Order | null> =>
      writer.change(
        order.id,
        (stored, at) => (stored.status === 'pending' ? confirmedOrder(stored, payment, at) : stored),
        order,
      ),
  };
}
