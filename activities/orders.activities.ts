import { log } from '@temporalio/activity';
import { closedOrder, isCancellable, type Cancellation, type Closing } from '../src/domain/closing';
import type { Order, OrderRequest, Pricing } from '../src/domain/order';
import { DuplicateOrder, IdempotencyKeyReused, OrderRejected } from '../src/domain/errors';
import { canTransition } from '../src/domain/order-transitions';
import { pricedOrder } from '../src/domain/placing';
import type { Rejection } from '../src/domain/rejection';
import { stockMoves, type StockMove } from '../src/domain/stock';
import type { Transact } from '../src/mongodb/transaction';
import type { OrderRepository } from '../src/orders/orders.repository';
import type { StockQueue } from '../src/product-service/stock-queue';
import type { StockRepository } from '../src/product-service/stock.repository';

export interface OrderActivityDeps {
  orders: OrderRepository;
  stock: StockRepository;
  stockQueue: StockQueue;
  transact: Transact;
}

export type OrderActivities = ReturnType<typeof createOrderActivities>;

/**
 * Each may run twice, late, or twice at once: the `_id` and the version of the order decide which run counts.
 * Those that take an order save it as the next version and return null, or the stored order if another writer
 * was faster.
 */
export function createOrderActivities(deps: OrderActivityDeps) {
  /** Saves the next version of an order, without moving stock. */
  async function save(next: Order): Promise<Order | null> {
    if (await deps.orders.save(next)) return null;
    return otherThan(next, await deps.orders.findById(next.id));
  }

  const saved =
    (message: string, write = save) =>
    async (next: Order): Promise<Order | null> => {
      const other = await write(next);
      log.info(message, { version: next.version, ...(other && { storedVersion: other.version }) });
      return other;
    };

  return {
    /**
     * Reserves the stock and saves the order as pending, both or neither. Returns the order that an earlier
     * run has opened, or null.
     * @throws {OrderRejected} OutOfStock
     * @throws {IdempotencyKeyReused} the order was made from another request
     */
    async openOrder(order: Order): Promise<Order | null> {
      const stored = await open(deps, order);
      log.info('order opened', { status: stored?.status ?? order.status });
      return stored && requireSameRequest(stored, order);
    },

    confirmOrder: saved('order confirmed'),
    /** Moves the difference in stock, too, both or neither. @throws {OrderRejected} OutOfStock */
    amendOrder: saved('order amended', (next) => saveWithStock(deps, next)),
    /** Takes what is fulfilled out of the stock, too, both or neither. */
    fulfillOrder: saved('order fulfilled', (next) => saveWithStock(deps, next)),
    deliverFulfillment: saved('fulfillment delivered'),
    recordRefund: saved('refund recorded'),
    recordCompensation: saved('compensation recorded'),
    archiveOrder: saved('order archived'),

    /** Returns the order as it is stored. */
    async loadOrder({ orderId }: OrderRequest): Promise<Order> {
      return requireStored(await deps.orders.findById(orderId), orderId);
    },

    /** Rejects the order and releases its stock. One that was never opened is saved as rejected. */
    async rejectOrder(
      request: OrderRequest,
      pricing: Pricing | null,
      rejection: Rejection,
      isDeclined = false,
    ): Promise<Order> {
      const reason = rejection.code;
      const closing: Closing = { to: 'rejected', by: 'system', reason, rejection, isDeclined };
      const order = await close(deps, request, pricing, closing);
      const { status } = order;
      log.info(status === 'rejected' ? 'order rejected' : 'order not rejected', { reason, status });
      return order;
    },

    /** Cancels the order and releases its stock. One that was never opened is saved as cancelled. */
    async cancelOrder(
      request: OrderRequest,
      pricing: Pricing | null,
      cancellation: Cancellation,
    ): Promise<Order> {
      const { by, reason, requestId } = cancellation;
      const closing: Closing = { to: 'cancelled', by, reason, rejection: null, isDeclined: false };
      const order = await close(deps, request, pricing, closing);
      const { status } = order;
      log.info(status === 'cancelled' ? 'order cancelled' : 'order not cancelled', { requestId, status });
      return order;
    },
  };
}

async function open({ orders, stock, stockQueue, transact }: OrderActivityDeps, order: Order) {
  const moves = stockMoves(null, order);
  try {
    await stockQueue(productIdsOf(order), () =>
      transact(async (session) => {
        if (!(await stock.move(moves, session))) throw new OutOfStock(order.id);
        await orders.insert(order, session);
      }),
    );
    return null;
  } catch (error) {
    if (!(error instanceof OutOfStock) && !(error instanceof DuplicateOrder)) throw error;
    // An earlier run of this step may have opened the order, and taken the stock. The read is part of a
    // transaction, so that it returns only what a majority has and what will not be rolled back.
    const opened = await transact((session) => orders.findById(order.id, session));
    if (opened) return opened;
    if (!(error instanceof OutOfStock)) throw error;
    throw new OrderRejected('OutOfStock', await shortage(stock, order, moves));
  }
}

/** Saves the next version of an order, and moves its stock. */
async function saveWithStock(deps: OrderActivityDeps, next: Order): Promise<Order | null> {
  const { orders, stock, stockQueue, transact } = deps;
  let moves: StockMove[] = [];
  try {
    return await stockQueue(productIdsOf(next), () =>
      transact(async (session) => {
        const before = requireStored(await orders.findById(next.id, session), next.id);
        if (before.version !== next.version - 1) return otherThan(next, before);
        moves = stockMoves(before, next);
        if (!(await stock.move(moves, session))) throw shortOf(next, moves);
        await requireSaved(orders.save(next, session), next);
        return null;
      }),
    );
  } catch (error) {
    if (!(error instanceof OutOfStock)) throw error;
    throw new OrderRejected('OutOfStock', await shortage(stock, next, moves));
  }
}

/** Inserts or saves the closed order. The insert also keeps out a run of `openOrder` that comes late. */
async function close(
  deps: OrderActivityDeps,
  request: OrderRequest,
  pricing: Pricing | null,
  closing: Closing,
): Promise<Order> {
  const { orders, stock, stockQueue, transact } = deps;
  return stockQueue(productIdsOf(request), () =>
    transact(async (session) => {
      const stored = await orders.findById(request.orderId, session);
      const order = stored ? requireSameRequest(stored, request) : pricedOrder(request, pricing);
      if (!isClosable(order, closing)) return order;

      const closed = closedOrder(order, closing, new Date().toISOString());
      const moves = stored ? stockMoves(stored, closed) : [];
      if (!(await stock.move(moves, session))) throw shortOf(order, moves);
      if (stored) await requireSaved(orders.save(closed, session), closed);
      else await orders.insert(closed, session);
      return closed;
    }),
  );
}

function isClosable(order: Order, { to }: Closing): boolean {
  return to === 'cancelled' ? isCancellable(order) : canTransition('status', order.status, to);
}

class OutOfStock extends Error {}

/**
 * Returns the error for stock that cannot be moved: what is available may run out, what is reserved may not.
 */
function shortOf({ id }: Order, moves: StockMove[]): Error {
  if (moves.some(({ available }) => available < 0)) return new OutOfStock(id);
  return new Error(`The stock lacks what order ${id} has reserved: it was changed by hand.`);
}

async function shortage(stock: StockRepository, order: Order, moves: StockMove[]): Promise<string> {
  const taken = moves.filter((move) => move.available < 0);
  const available = await stock.available(taken.map((move) => move.productServiceId));
  const short = taken.flatMap(({ productServiceId, available: change }) => {
    const left = available.get(productServiceId) ?? 0;
    if (left >= -change) return [];
    const items = order.items.filter((item) => item.productServiceId === productServiceId);
    const ordered = items.reduce((sum, { quantity }) => sum + quantity, 0);
    const held = ordered + change; // by this order, before the amendment
    return [`${items[0]?.sku} (${ordered} ordered, ${left + held} available)`];
  });
  return `Not enough in stock${short.length > 0 ? `: ${short.join(', ')}` : ''}. Nothing was changed; order fewer.`;
}

/** Rejects another request under the same key, also when Temporal has forgotten the workflow of the first. */
function requireSameRequest(order: Order, { fingerprint }: { fingerprint: string }): Order {
  if (order.fingerprint === fingerprint) return order;
  throw new IdempotencyKeyReused('This Idempotency-Key was used for another order.');
}

function requireStored(order: Order | null, id: string): Order {
  if (!order) throw new Error(`Order ${id} is missing in MongoDB.`);
  return order;
}

async function requireSaved(saving: Promise<boolean>, { id }: Order): Promise<void> {
  if (!(await saving)) throw new Error(`Order ${id} was changed by another writer.`);
}

/** Returns the stored order, or null if an earlier run has saved this very version. */
function otherThan(next: Order, stored: Order | null): Order | null {
  const found = requireStored(stored, next.id);
  if (found.version < next.version - 1)
    throw new Error(`Order ${next.id} is behind its workflow: MongoDB has lost versions of it.`);
  return found.version === next.version && found.updatedAt === next.updatedAt ? null : found;
}

function productIdsOf({ items }: Pick<Order | OrderRequest, 'items'>): string[] {
  return items.map((line) => line.productServiceId);
}
