import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Order, OrderRequest, OrderStatus, Pricing } from '../src/domain/order';
import { canTransition, isClosed } from '../src/domain/order-transitions';
import { isRejectionType, REJECTION_CODES } from '../src/domain/rejection';
import type { Rejection } from '../src/domain/rejection';
import { Compensations } from './compensation';
import { cancelOrderUpdate, FAILURES, placeOrderUpdate, SEARCH_ATTRIBUTES } from './contract';
import type { CancelOrder } from './contract';
import { steps, undo } from './order.steps';
import { serial } from './serial';

/**
 * The life of one order, open until the order is closed. It is placed here, from the workflow's input and not by
 * the update: an update that no worker has accepted is not durable, a started workflow is.
 */
export async function orderWorkflow(request: OrderRequest): Promise<{ status: OrderStatus }> {
  const oneAtATime = serial();
  let order: Order | undefined;
  const settle = async (step: Promise<Order>): Promise<Order> => showOrder((order = await step));

  const placed = oneAtATime(() => settle(placeOrder(request)));
  const cancel = (command: CancelOrder): Promise<Order> => {
    setCurrentDetails('Cancelling: releasing the stock.');
    return settle(CancellationScope.nonCancellable(() => undo.cancelOrder(request, null, command)));
  };

  setHandler(placeOrderUpdate, () => placed, {
    validator: (fingerprint) => requireSameRequest(request, fingerprint),
  });
  const cancelIfPossible = (command: CancelOrder) =>
    oneAtATime(() => {
      requireCancellable(order);
      return cancel(command);
    });
  setHandler(cancelOrderUpdate, cancelIfPossible, {
    validator: (_command) => order && requireCancellable(order),
  });

  try {
    await placed;
    await condition(() => isClosed(order!));
  } catch (error) {
    const isOpen = () => order && !isClosed(order);
    if (isCancellation(error)) await oneAtATime(async () => isOpen() && cancel(cancelledInTemporal(request)));
    throw error;
  } finally {
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
  return { status: order!.status };
}

/** Prices, opens and confirms the order; when a step says no, what was done is undone and the order closed. */
async function placeOrder(request: OrderRequest): Promise<Order> {
  const compensations = new Compensations<Rejection | CancelOrder>();
  let pricing: Pricing | null = null;
  let order: Order | undefined;
  compensations.add('closeOrder', async (cause) => {
    const close =
      'code' in cause ? undo.rejectOrder(request, pricing, cause) : undo.cancelOrder(request, pricing, cause);
    order = await close;
  });
  try {
    setCurrentDetails('Fetching the product details and computing the totals.');
    pricing = await steps.priceOrder(request);
    setCurrentDetails('Reserving the stock and saving the order.');
    order = await steps.openOrder(request, pricing);
    if (order.status !== 'pending') return order; // placed by an earlier run that Temporal has forgotten
    setCurrentDetails('Confirming the order.');
    return await steps.confirmOrder(request, order);
  } catch (error) {
    setCurrentDetails('The order cannot be placed: releasing what it held.');
    await compensations.run(isCancellation(error) ? cancelledInTemporal(request) : rejectionOf(error));
    return order!;
  }
}

function showOrder(order: Order): Order {
  const { orderStatus, currency, orderTotal } = SEARCH_ATTRIBUTES;
  upsertSearchAttributes([
    { key: orderStatus, value: order.status },
    { key: currency, value: order.currency },
    { key: orderTotal, value: order.total },
  ]);
  const why = order.rejection ? `: ${order.rejection.code} (${order.rejection.detail})` : '';
  setCurrentDetails(`The order is **${order.status}**${why}.`);
  return order;
}

/** @throws the error itself when it is no reason to reject an order */
function rejectionOf(error: unknown): Rejection {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || !isRejectionType(cause.type)) throw error;
  return { code: REJECTION_CODES[cause.type], detail: cause.message };
}

function requireSameRequest(request: OrderRequest, fingerprint: string): void {
  if (fingerprint === request.fingerprint) return;
  throw ApplicationFailure.nonRetryable(
    'Another order was sent with this key.',
    FAILURES.idempotencyKeyReused,
  );
}

function requireCancellable(order: Order | undefined): void {
  if (order && canTransition('status', order.status, 'cancelled')) return;
  const reason = order
    ? `The order is ${order.status}: it can no longer be cancelled.`
    : 'There is no order.';
  throw ApplicationFailure.nonRetryable(reason, FAILURES.invalidTransition);
}

function cancelledInTemporal({ requestId }: OrderRequest): CancelOrder {
  return { by: 'system', reason: 'The workflow was cancelled.', requestId };
}
