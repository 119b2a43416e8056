import { WorkflowNotFoundError } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { Order, OrderRequest } from '../../../src/domain/order';
import { isClosed } from '../../../src/domain/order-transitions';
import { closedOrderWorkflowId, orderWorkflowId } from '../../../workflows/contract';
import { expectConsistency } from '../../support/consistency';
import { recordHistory } from '../../support/histories';
import { openShop, orderRequest, type Shop } from '../../support/shop';
import type { TestWorker } from '../../support/worker';
import { customerOf, type Answer, type Customer } from './commands';
import { AVAILABLE, ORDERED, type Life } from './lives';
import { createSaboteur, type Fault, type Saboteur } from './saboteur';

/** A shop whose steps can be spoiled. */
export interface SpoiledShop {
  shop: Shop;
  saboteur: Saboteur;
  startWorker(): Promise<TestWorker>;
}

export async function openSpoiledShop(): Promise<SpoiledShop> {
  const shop = await openShop({ timeoutMs: 100_000 });
  const saboteur = createSaboteur();
  return { shop, saboteur, startWorker: () => shop.startWorker(saboteur.sabotage) };
}

/** What matters of an order, without what differs from one to the next. */
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
    items: order.items.map(({ quantity, fulfilledQuantity }) => `${fulfilledQuantity} of ${quantity}`),
    paid: order.payment?.amount ?? null,
    fulfillments: order.fulfillments.map(({ items, deliveredAt }) => ({
      items: items.length,
      isDelivered: !!deliveredAt,
    })),
    refunds: order.refunds.map(({ amount }) => amount),
    rejection: order.rejection?.code ?? null,
    owed: order.compensations.map(({ state }) => state),
    isArchived: order.archivedAt !== null,
    history: order.statusHistory.map(
      ({ axis, from, to, by, reason }) => `${axis}: ${from} to ${to} by ${by.slice(0, 4)} (${reason})`,
    ),
  };
}

/** Where an order is when nothing more happens to it. */
export interface Rest {
  order: Partial<Gist>;
  /** The status of its workflow, and of the one for what comes after that. */
  workflow: string;
  afterwards: string;
}

/** One order of a product of its own. */
export interface Saga {
  orderId: string;
  productId: string;
  customer: Customer;
  make(move: number): Promise<Answer>;
  spoil(step: string, fault: Fault): void;
  /** Those that were spoiled indeed. */
  spoiledSteps(): string[];
  /** Waits until it owes nothing. */
  settled(): Promise<void>;
  /** Waits until it stands still, or no longer; the rest that is expected ends the waiting. */
  rest(expected?: Rest): Promise<Rest>;
  /** Keeps its histories for the replay test, see `recordHistory`. */
  record(name: string): Promise<void>;
  /** Lets go of what was held back, and fails unless ledger, stock and order agree. */
  end(): Promise<void>;
}

export async function beginSaga({ shop, saboteur }: SpoiledShop, life: Life): Promise<Saga> {
  const { id: productId } = await shop.sell({ available: AVAILABLE });
  const request = orderRequest({
    items: [{ productServiceId: productId, quantity: ORDERED }],
    ...life.request,
  });
  const { orderId } = request;
  const customer = customerOf(shop, request);
  const faults = new Map<string, Fault>();
  saboteur.plan(orderId, { authorizing: life.authorizing, faults });
  return {
    orderId,
    productId,
    customer,
    make: (move) => life.moves[move]!.make(customer, productId),
    spoil: (step, fault) => void faults.set(step, fault),
    spoiledSteps: () => saboteur.spoiledStepsOf(orderId),
    settled: () => until(async () => (await customer.stored())?.compensations.length === 0),
    rest: (expected) => restOf(shop, request, expected),
    async record(name) {
      const { client } = shop.temporal;
      await recordHistory(name, client.workflow.getHandle(orderWorkflowId(orderId)));
      const afterwards = closedOrderWorkflowId(orderId);
      if ((await statusOf(shop, afterwards)) === 'never begun') return;
      await recordHistory(`${name}-afterwards`, client.workflow.getHandle(afterwards));
    },
    async end() {
      await saboteur.endLife(orderId);
      await expectConsistency(shop, {
        productId,
        initial: AVAILABLE,
        orders: [(await customer.stored())!],
      });
    },
  };
}

async function restOf(shop: Shop, { orderId }: OrderRequest, expected?: Rest): Promise<Rest> {
  let rest!: Rest;
  await until(async () => {
    const order = (await shop.orders.findById(orderId))!;
    const workflow = await statusOf(shop, orderWorkflowId(orderId));
    const afterwards = await statusOf(shop, closedOrderWorkflowId(orderId));
    rest = { order: gistOf(order), workflow, afterwards };
    const usual = isClosed(order) ? 'COMPLETED' : 'RUNNING';
    const isIdle = workflow === (expected?.workflow ?? usual) && afterwards !== 'RUNNING';
    return isIdle && order.compensations.length === 0;
  });
  return rest;
}

const PATIENCE_MS = 90_000;
const PAUSE_MS = 250;

/** Gives up after a while: what is checked then tells what is wrong. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await delay(PAUSE_MS)) {
    if (await isSo()) return;
  }
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

/** What was answered, in one word. */
export function wordOf(answer: Answer): string {
  return typeof answer === 'string' ? answer : answer.status;
}
