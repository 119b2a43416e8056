import { setTimeout as delay } from 'node:timers/promises';
import { pageOf, type Page } from '../common/pagination';
import { unsettled } from '../domain/compensation';
import type { Order, OrderRequest } from '../domain/order';
import { currentPayment } from '../domain/order-payment';
import { customerWaitOf, isBeingPlaced } from '../domain/paying';
import type { PaymentAction } from '../domain/payment';
import { draftOrder } from '../domain/placing';
import { ORDER_ID } from '../domain/order-id';
import { AppError } from '../errors/app-error';
import type { PaymentActionRepository } from '../payments/actions.repository';
import { isCustomer, type Principal } from '../role/principal';
import { createAmend } from './commands/amend';
import { createArchive } from './commands/archive';
import { createCancel } from './commands/cancel';
import { createResolveCompensation, createRetryCompensation } from './commands/compensations';
import { createCorrectFulfillment } from './commands/correct-fulfillment';
import { createDeliver } from './commands/deliver';
import { createFulfill } from './commands/fulfill';
import { createConfirmPayment, createIsPaymentKnown, createLookAgain, createPay } from './commands/pay';
import { createRefund } from './commands/refund';
import { createCommandRunner } from './commands/run';
import { createUndoFulfillment } from './commands/undo-fulfillment';
import { canBeOrderOf } from './order-request';
import type { OrderFilter, OrderPosition } from './order-filter';
import { orderPages } from './order-pages';
import type { OrderRepository } from './orders.repository';
import { keyReused, orderingUnavailable } from './temporal/failures';
import type { OrderWorkflows } from './temporal/order-workflows';

export interface Placement {
  /** The order as it stands; a draft while it is not in MongoDB yet. */
  order: Order;
  /** Whether the outcome is known: the order is confirmed, rejected, closed since then, or waits for its customer. */
  isSettled: boolean;
  /** Whether an earlier POST placed the order. */
  isReplay: boolean;
}

/** An order, as far as MongoDB or Temporal know it. */
interface Known {
  order: Order;
  /** It was never saved, and its workflow has ended, so nobody is working on it. */
  isAbandoned: boolean;
}

/** MongoDB answers a read by id in milliseconds, or is in trouble. */
const FIND_SOON_MS = 1_000;

export interface OrderServiceDeps {
  orders: OrderRepository;
  workflows: OrderWorkflows;
  actions: Pick<PaymentActionRepository, 'find'>;
}

export type OrderService = ReturnType<typeof createOrderService>;

/** Reads orders from MongoDB and has Temporal do everything else: the API never writes an order. */
export function createOrderService({ orders, workflows, actions }: OrderServiceDeps) {
  /**
   * Places the order and waits for the outcome as long as a client would.
   * @param withinMs how long this client would, in milliseconds
   */
  async function place(request: OrderRequest, withinMs?: number): Promise<Placement> {
    const isPlaced = await workflows.place(request, withinMs);
    const stored = isPlaced ? await orders.findById(request.orderId).catch(() => null) : null;
    if (!stored) return underWay(request);
    const placed = placement(stored, request);
    if (placed.isReplay) await resumeIfInterrupted(stored, request);
    return placed;
  }

  /** Hands the order to Temporal and returns at once. */
  async function placeAsync(request: OrderRequest): Promise<Placement> {
    // Temporal forgets closed workflows, MongoDB does not.
    const stored = await findSoon(request.orderId);
    const placed = stored && placement(stored, request);
    if (!stored || !placed?.isSettled) {
      await workflows.start(request); // also if an operator has terminated the workflow of a pending order
      return underWay(request);
    }
    await resumeIfInterrupted(stored, request);
    return placed;
  }

  /** An operator may have terminated the workflow: Temporal repeats its answers, but does not run it again by that. */
  async function resumeIfInterrupted(stored: Order, request: OrderRequest): Promise<void> {
    const isWaiting = customerWaitOf(stored) !== null;
    const isUnfinished = isWaiting || stored.intention !== null || unsettled(stored).length > 0;
    if (isUnfinished) await workflows.start(request).catch(() => undefined); // the next request tries again
  }

  /** Returns what is known of an order that Temporal has accepted but not finished in time. */
  async function underWay(request: OrderRequest): Promise<Placement> {
    const finding = workflows.find(request.orderId);
    finding.catch(() => undefined); // MongoDB may know the order all the same
    const stored = await findSoon(request.orderId);
    if (stored) return placement(stored, request);
    const known = await finding;
    if (known?.isRunning) return placement(draftOrder(known.request), request);
    const ended = await findSoon(request.orderId); // it may have been saved meanwhile
    if (ended) return placement(ended, request);
    throw orderingUnavailable(undefined, request.orderId); // no workflow runs, so there is nothing to promise
  }

  /** Placing continues while MongoDB is away: the workflow then finds out what is stored. */
  function findSoon(id: string): Promise<Order | null> {
    const stored = orders.findById(id).catch(() => null);
    return Promise.race([stored, delay(FIND_SOON_MS, null, { ref: false })]);
  }

  /** @throws {AppError} not_found, also when it is another user's order */
  async function get(id: string, principal: Principal): Promise<Order> {
    return (await visible(id, principal)).order;
  }

  /**
   * Returns the order to someone who wants to read it.
   * @throws {AppError} service_unavailable if it was never saved and its workflow has ended
   */
  async function read(id: string, principal: Principal): Promise<Order> {
    const { order, isAbandoned } = await visible(id, principal);
    if (isAbandoned) throw abandoned(id);
    return order;
  }

  /** @throws {AppError} not_found, also when it is another user's order */
  async function visible(id: string, caller: Principal): Promise<Known> {
    const isStaff = caller.role === 'ADMIN';
    const customers = [caller.id, ...(caller.guests ?? [])];
    const canBeOwn = customers.some((customerId) => canBeOrderOf(customerId, id));
    const known = isStaff || canBeOwn ? await lookUp(id) : null;
    if (known && (isStaff || isCustomer(caller, known.order.customerId))) return known;
    throw new AppError('not_found', 'Order not found, or you do not have access to it.');
  }

  /** Looks in MongoDB first: an order that it does not have yet is in Temporal. */
  async function lookUp(id: string): Promise<Known | null> {
    if (!ORDER_ID.test(id)) return null;
    const stored = await orders.findById(id);
    if (stored) return { order: stored, isAbandoned: false };
    const known = await workflows.find(id);
    if (!known) return null;
    const saved = await orders.findById(id); // it may have been saved meanwhile
    if (saved) return { order: saved, isAbandoned: false };
    return { order: draftOrder(known.request), isAbandoned: !known.isRunning };
  }

  async function find(id: string): Promise<Order | null> {
    return (await lookUp(id))?.order ?? null;
  }

  /** Returns what the customer has to do for the payment: it is their secret, which is shown to nobody else. */
  async function paymentActionOf(order: Order, caller: Principal): Promise<PaymentAction | null> {
    if (order.paymentStatus !== 'action_required') return null;
    if (!isCustomer(caller, order.customerId) || caller.scopes) return null;
    return actions.find(currentPayment(order).key);
  }

  /** Whether there is an order with this id, as that of a request may be repeated. */
  async function isKnown(id: string): Promise<boolean> {
    return (await find(id)) !== null;
  }

  async function list(
    filter: OrderFilter | null,
    page: { limit: number; after?: OrderPosition },
  ): Promise<Page<Order>> {
    if (!filter) return { entries: [], more: false };
    return pageOf(await orders.list(filter, { ...page, limit: page.limit + 1 }), page.limit);
  }

  /** Yields all orders that match, a page at a time. */
  async function* pages(filter: OrderFilter | null): AsyncGenerator<Order[], void> {
    if (filter) yield* orderPages(orders, filter);
  }

  const runner = createCommandRunner({ workflows, get, find, findAnswer: orders.findAnswer });
  return {
    place,
    placeAsync,
    isKnown,
    read,
    list,
    pages,
    amend: createAmend(runner),
    cancel: createCancel(runner),
    fulfill: createFulfill(runner),
    undoFulfillment: createUndoFulfillment(runner),
    correctFulfillment: createCorrectFulfillment(runner),
    deliver: createDeliver(runner),
    refund: createRefund(runner),
    archive: createArchive(runner),
    retryCompensation: createRetryCompensation(runner),
    resolveCompensation: createResolveCompensation(runner),
    pay: createPay(runner),
    isPaymentKnown: createIsPaymentKnown(runner),
    confirmPayment: createConfirmPayment(runner),
    lookAgain: createLookAgain(runner),
    paymentActionOf,
  };
}

/** @throws {AppError} idempotency_key_reused */
function placement(order: Order, request: OrderRequest): Placement {
  if (order.fingerprint !== request.fingerprint) throw keyReused();
  return { order, isSettled: !isBeingPlaced(order), isReplay: order.attemptId !== request.attemptId };
}

/** The error for an order that Temporal knows only as the request of a workflow that has ended, for example by hand. */
function abandoned(orderId: string): AppError {
  return new AppError(
    'service_unavailable',
    'This order was accepted, but its workflow ended before the order was saved, so nobody is working on it: repeat the ' +
      'POST with the same Idempotency-Key to place it, or cancel it.',
    { orderId },
  );
}
