import { log } from '@temporalio/activity';
import { DuplicateOrder, IdempotencyKeyReused } from '../src/domain/order';
import type { Order, OrderRequest, OrderStatus, Pricing } from '../src/domain/order';
import { canTransition, changeOrder, pricedOrder } from '../src/domain/order-transitions';
import { OrderRejected } from '../src/domain/rejection';
import type { Rejection } from '../src/domain/rejection';
import { holdsOf } from '../src/domain/stock';
import type { Hold } from '../src/domain/stock';
import type { Transact } from '../src/mongodb/transaction';
import type { OrderRepository } from '../src/orders/orders.repository';
import type { StockQueue } from '../src/product-service/stock-queue';
import type { StockRepository } from '../src/product-service/stock.repository';
import type { CancelOrder } from '../workflows/contract';

export interface OrderActivityDeps {
  orders: OrderRepository;
  stock: StockRepository;
  stockQueue: StockQueue;
  transact: Transact;
}

export type OrderActivities = ReturnType<typeof createOrderActivities>;

/** Every one may run twice, late, or beside itself: the order's `_id` and version decide which run counts. */
export function createOrderActivities(deps: OrderActivityDeps) {
  const { orders } = deps;
  return {
    /** Reserves the stock and saves the order as pending, both or neither. @throws {OrderRejected} OutOfStock */
    async openOrder(request: OrderRequest, pricing: Pricing): Promise<Order> {
      const holds = holdsOf(pricing);
      const reservation = holds.length > 0 ? 'held' : 'none';
      const opened: Order = { ...pricedOrder(request, pricing), reservation, version: 1 };
      const order = await open(deps, opened, holds);
      log.info('order opened', { status: order.status });
      return requireSameRequest(order, request);
    },

    /** Confirms the order in the version given; when a run before did, answers with what is stored. */
    async confirmOrder(_request: OrderRequest, order: Order): Promise<Order> {
      const confirmed = changeOrder(
        order,
        { status: 'confirmed' },
        { at: now(), by: 'system', reason: null },
      );
      const stands = (await orders.save(confirmed)) ? confirmed : await orders.findById(order.id);
      if (!stands) throw new Error(`Order ${order.id} is gone from MongoDB.`);
      log.info('order confirmed', { status: stands.status });
      return stands;
    },

    /** Saves the order as rejected, or turns the pending one into it and releases its stock. */
    async rejectOrder(request: OrderRequest, pricing: Pricing | null, rejection: Rejection): Promise<Order> {
      const reason = rejection.code;
      const order = await close(deps, request, pricing, { to: 'rejected', by: 'system', reason, rejection });
      log.info('order rejected', { reason });
      return order;
    },

    /** Cancels the order and releases its stock; one that was never opened is saved as cancelled. */
    async cancelOrder(request: OrderRequest, pricing: Pricing | null, command: CancelOrder): Promise<Order> {
      const { by, reason, requestId } = command;
      const order = await close(deps, request, pricing, { to: 'cancelled', by, reason, rejection: null });
      log.info('order cancelled', { requestId, status: order.status });
      return order;
    },
  };
}

async function open(deps: OrderActivityDeps, order: Order, holds: Hold[]): Promise<Order> {
  const { orders, stock, stockQueue, transact } = deps;
  const productIds = holds.map((hold) => hold.productServiceId);
  try {
    await stockQueue(productIds, () =>
      transact(async (session) => {
        if (!(await stock.reserve(holds, session))) throw new OutOfStock(order.id);
        await orders.insert(order, session);
      }),
    );
    return order;
  } catch (error) {
    if (!(error instanceof OutOfStock) && !(error instanceof DuplicateOrder)) throw error;
    // An earlier run of this very step may have opened the order, and may be what took the stock.
    // Read in a transaction: only what a majority has, and so will never be taken back.
    const opened = await transact((session) => orders.findById(order.id, session));
    if (opened) return opened;
    if (!(error instanceof OutOfStock)) throw error;
    throw new OrderRejected('OutOfStock', await shortage(stock, order, holds));
  }
}

interface Closing {
  to: Extract<OrderStatus, 'rejected' | 'cancelled'>;
  by: string;
  reason: string | null;
  rejection: Rejection | null;
}

/** Inserting the closed order also shuts the door on a run of `openOrder` that comes late. */
async function close(
  deps: OrderActivityDeps,
  request: OrderRequest,
  pricing: Pricing | null,
  { to, by, reason, rejection }: Closing,
): Promise<Order> {
  const { orders, stock, stockQueue, transact } = deps;
  const productIds = request.items.map((line) => line.productServiceId);
  return stockQueue(productIds, () =>
    transact(async (session) => {
      const stored = await orders.findById(request.orderId, session);
      const order = stored ? requireSameRequest(stored, request) : pricedOrder(request, pricing);
      if (!canTransition('status', order.status, to)) return order;

      const held = order.reservation === 'held';
      const reservation = held ? 'released' : order.reservation;
      const change = { status: to, fulfillmentStatus: 'cancelled' } as const;
      const closed = changeOrder({ ...order, reservation, rejection }, change, { at: now(), by, reason });

      if (held) await stock.release(holdsOf(order), session);
      if (!stored) await orders.insert(closed, session);
      else if (!(await orders.save(closed, session))) throw new Error(`Order ${order.id} changed meanwhile.`);
      return closed;
    }),
  );
}

class OutOfStock extends Error {}

async function shortage(stock: StockRepository, order: Order, holds: Hold[]): Promise<string> {
  const available = await stock.available(holds.map((hold) => hold.productServiceId));
  const short = holds.flatMap(({ productServiceId, quantity }) => {
    const left = available.get(productServiceId) ?? 0;
    const sku = order.items.find((item) => item.productServiceId === productServiceId)?.sku;
    return left < quantity ? [`${sku} (${quantity} ordered, ${left} available)`] : [];
  });
  return `Not enough in stock${short.length > 0 ? `: ${short.join(', ')}` : ''}. Nothing is reserved; order fewer.`;
}

/** After Temporal has forgotten a closed order, only its document knows which request its key was used for. */
function requireSameRequest(order: Order, request: OrderRequest): Order {
  if (order.fingerprint === request.fingerprint) return order;
  throw new IdempotencyKeyReused('Another order was placed with this key.');
}

function now(): string {
  return new Date().toISOString();
}
