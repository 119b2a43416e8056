import { setTimeout as delay } from 'node:timers/promises';
import { pageOf, type Page } from '../common/pagination';
import type { Order, OrderRequest } from '../domain/order';
import { draftOrder } from '../domain/placing';
import { AppError } from '../errors/app-error';
import type { Principal } from '../role/principal';
import type { OrderWorkflows } from './temporal/order-workflows';
import { keyReused, orderingUnavailable } from './temporal/failures';
import { ORDER_ID } from './order-request';
import { createOrderCommands } from './commands/commands';
import type { OrderFilter, OrderPosition, OrderRepository } from './orders.repository';

export interface Placement {
  /** As it stands; a draft while it is not in MongoDB yet. */
  order: Order;
  /** The outcome is known: confirmed, rejected or closed since. */
  isSettled: boolean;
  /** Another POST placed it before this one. */
  isReplay: boolean;
}

/** MongoDB answers a read by id in milliseconds, or is in trouble. */
const FIND_SOON_MS = 1_000;

export interface OrderServiceDeps {
  orders: OrderRepository;
  workflows: OrderWorkflows;
}

export type OrderService = ReturnType<typeof createOrderService>;

/** Reads orders from MongoDB and has Temporal do everything else: the API never writes an order. */
export function createOrderService({ orders, workflows }: OrderServiceDeps) {
  /** Places the order and waits for the outcome as long as a client would. */
  async function place(request: OrderRequest): Promise<Placement> {
    const order = await workflows.place(request);
    return order ? placement(order, request) : underWay(request);
  }

  /** Hands the order to Temporal and returns at once. */
  async function placeAsync(request: OrderRequest): Promise<Placement> {
    // Temporal forgets closed workflows, MongoDB does not.
    const stored = await findSoon(request.orderId);
    if (stored) return placement(stored, request);
    await workflows.start(request);
    return underWay(request);
  }

  /** What is known of an order that Temporal has accepted, but not finished in time. */
  async function underWay(request: OrderRequest): Promise<Placement> {
    const looking = workflows.find(request.orderId);
    looking.catch(() => undefined); // MongoDB may know it all the same
    const stored = await findSoon(request.orderId);
    if (stored) return placement(stored, request);
    const known = await looking;
    if (known?.isRunning) return placement(draftOrder(known.request), request);
    const ended = await findSoon(request.orderId); // between the two looks
    if (ended) return placement(ended, request);
    throw orderingUnavailable(undefined, request.orderId); // nobody is at work on it: nothing to promise
  }

  /** Placing goes on while MongoDB is down: then the workflow finds out what is stored. */
  function findSoon(id: string): Promise<Order | null> {
    const stored = orders.findById(id).catch(() => null);
    return Promise.race([stored, delay(FIND_SOON_MS, null, { ref: false })]);
  }

  /** @throws {AppError} not_found also when it is somebody else's */
  async function get(id: string, principal: Principal): Promise<Order> {
    const order = await find(id);
    if (!order || !maySee(order, principal)) {
      throw new AppError('not_found', 'There is no order with this id among those that you may see.');
    }
    return order;
  }

  /** MongoDB first; an order that it does not have yet is in Temporal. */
  async function find(id: string): Promise<Order | null> {
    if (!ORDER_ID.test(id)) return null;
    const stored = await orders.findById(id);
    if (stored) return stored;
    const known = await workflows.find(id);
    if (!known) return null;
    return (await orders.findById(id)) ?? draftOrder(known.request); // it may have been saved between the two looks
  }

  /** Newest first. */
  async function list(
    filter: OrderFilter,
    page: { limit: number; after?: OrderPosition },
  ): Promise<Page<Order>> {
    return pageOf(await orders.list(filter, { ...page, limit: page.limit + 1 }), page.limit);
  }

  return { place, placeAsync, get, list, ...createOrderCommands({ workflows, get, find }) };
}

/** @throws {AppError} idempotency_key_reused */
function placement(order: Order, request: OrderRequest): Placement {
  if (order.fingerprint !== request.fingerprint) throw keyReused();
  return { order, isSettled: order.status !== 'pending', isReplay: order.attemptId !== request.attemptId };
}

function maySee(order: Order, { id, role }: Principal): boolean {
  return role === 'ADMIN' || order.customerId === id;
}
