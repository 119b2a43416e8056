import { WorkflowNotFoundError } from '@temporalio/client';
import type { Order, OrderRequest } from '../../../src/domain/order';
import { isClosed } from '../../../src/domain/order-transitions';
import { closedOrderWorkflowId, orderWorkflowId } from '../../../workflows/contract';
import { expectConsistency } from '../../support/consistency';
import { repeat } from '../../support/eventually';
import { recordHistory } from '../../support/histories';
import { openShop, orderRequest, type Shop } from '../../support/shop';
import type { TestWorker } from '../../support/worker';
import { customerOf, type Result, type Customer } from './commands';
import { AVAILABLE, ORDERED, type Scenario } from './scenarios';
import { createFaultInjector, type Fault, type FaultInjector } from './fault-injector';

/** Longer than elsewhere, because many orders wait at a time. */
const PAUSE_MS = 250;

/** A shop whose steps can be made to fail. */
export interface FaultyShop {
  shop: Shop;
  injector: FaultInjector;
  startWorker(): Promise<TestWorker>;
}

export async function openFaultyShop(): Promise<FaultyShop> {
  const shop = await openShop({ own: true });
  const injector = createFaultInjector();
  return { shop, injector, startWorker: () => shop.startWorker(injector.sabotage) };
}

/** The part of an order that does not differ from one order to the next. */
export type Gist = ReturnType<typeof gistOf>;

export function gistOf(order: Order) {
  const { status, paymentStatus, fulfillmentStatus, reservation, total, captured, refunded, version } = order;
  return {
    status,
    paymentStatus,
    fulfillmentStatus,
    reservation,
    total,
    captured,
    refunded,
    version,
    items: order.items.map((item) => ({
      ordered: item.quantity,
      fulfilled: item.fulfilledQuantity,
      cancelled: item.cancelledQuantity,
      refunded: item.refundedQuantity,
      writtenOff: item.writtenOffQuantity,
    })),
    paid: order.payment?.amount ?? null,
    fulfillments: order.fulfillments.map(({ items, carrier, deliveredAt, undone }) => ({
      items: items.length,
      carrier,
      isDelivered: !!deliveredAt,
      isUndone: !!undone,
    })),
    refunds: order.refunds.map(({ amount, status }) => ({ amount, status })),
    rejection: order.rejection?.code ?? null,
    owed: order.compensations.map(({ state }) => state),
    isArchived: order.archivedAt !== null,
    history: order.statusHistory.map(
      ({ axis, from, to, by, reason }) => `${axis}: ${from} to ${to} by ${by.slice(0, 4)} (${reason})`,
    ),
  };
}

/** The state of an order when nothing more happens to it. */
export interface Rest {
  order: Partial<Gist>;
  /** The status of its workflow, and of the workflow for commands after that. */
  workflow: string | object;
  afterwards: string;
}

/** One order of a product that no other order has. */
export interface Saga {
  orderId: string;
  productId: string;
  customer: Customer;
  make(move: number): Promise<Result>;
  inject(step: string, fault: Fault): void;
  /** Returns the steps at which a fault was injected. */
  faultySteps(): string[];
  /** Waits until no compensation is outstanding, and the workflow of a closed order has ended. */
  settled(): Promise<void>;
  /** Waits until the order is at rest. */
  rest(expected?: Rest): Promise<Rest>;
  /** Records its histories for the replay test, see `recordHistory`. */
  record(name: string): Promise<void>;
  /** Releases what was held back, and fails unless ledger, stock and order agree. */
  end(): Promise<void>;
}

export async function beginSaga({ shop, injector }: FaultyShop, scenario: Scenario): Promise<Saga> {
  const { id: productId } = await shop.sell({ available: AVAILABLE });
  const request = orderRequest({
    items: [{ productServiceId: productId, quantity: ORDERED }],
    ...scenario.request,
  });
  const { orderId } = request;
  const { inlinePayments = false } = scenario;
  const customer = customerOf(shop.withPolicy({ inlinePayments }), shop, request);
  const faults = new Map<string, Fault>();
  injector.plan(orderId, { authorizing: scenario.authorizing, faults });
  return {
    orderId,
    productId,
    customer,
    async make(move) {
      const { make, isSentAgain = false } = scenario.moves[move]!;
      for (;;) {
        const result = await make(customer, productId);
        if (!isSentAgain || result !== 'service_unavailable') return result;
      }
    },
    inject: (step, fault) => void faults.set(step, fault),
    faultySteps: () => injector.faultyStepsOf(orderId),
    async settled() {
      const attempt = async () => {
        const order = await customer.stored();
        if (order?.compensations.length !== 0) return undefined;
        // A command that came before its end would be one more for this workflow, not for that of a closed order.
        const isOver = !isClosed(order) || (await statusOf(shop, orderWorkflowId(orderId))) !== 'RUNNING';
        return isOver || undefined;
      };
      await repeat(attempt, () => `${orderId} is not settled.`, PAUSE_MS);
    },
    rest: (expected) => restOf(shop, request, expected),
    async record(name) {
      const { client } = shop.temporal;
      await recordHistory(name, client.workflow.getHandle(orderWorkflowId(orderId)));
      const afterwards = closedOrderWorkflowId(orderId);
      if ((await statusOf(shop, afterwards)) === 'never begun') return;
      await recordHistory(`${name}-afterwards`, client.workflow.getHandle(afterwards));
    },
    async end() {
      await injector.endScenario(orderId);
      await expectConsistency(shop, {
        productId,
        initial: AVAILABLE,
        orders: [(await customer.stored())!],
      });
    },
  };
}

function restOf(shop: Shop, { orderId }: OrderRequest, expected?: Rest): Promise<Rest> {
  let last: Rest | undefined;
  const attempt = async () => {
    const order = (await shop.orders.findById(orderId))!;
    const workflow = await statusOf(shop, orderWorkflowId(orderId));
    const afterwards = await statusOf(shop, closedOrderWorkflowId(orderId));
    last = { order: gistOf(order), workflow, afterwards };
    const wanted = expected?.workflow ?? (isClosed(order) ? 'COMPLETED' : 'RUNNING');
    const isThere = typeof wanted === 'string' ? workflow === wanted : workflow !== 'RUNNING';
    const isIdle = isThere && afterwards !== 'RUNNING';
    return isIdle && order.compensations.length === 0 ? last : undefined;
  };
  return repeat(attempt, () => `The order is not at rest: ${JSON.stringify(last)}`, PAUSE_MS);
}

async function statusOf({ temporal }: Shop, workflowId: string): Promise<string> {
  try {
    const { status } = await temporal.client.workflow.getHandle(workflowId).describe();
    return status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'never begun';
    throw error;
  }
}

/** Returns the status of the order, or the code of the problem. */
export function outcomeOf(result: Result): string {
  return typeof result === 'string' ? result : result.status;
}
