import {
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import { isCancellable, type Cancellation } from '../src/domain/closing';
import { IdempotencyKeyReused } from '../src/domain/errors';
import type { Order, OrderRequest, OrderStatus } from '../src/domain/order';
import { isClosed } from '../src/domain/order-transitions';
import { placeOrderUpdate, type OrderPolicy } from './contract';
import { rejecting } from './failures';
import { handleOrderCommands, releaseAndCancel } from './order.commands';
import { createOrderEntity, type OrderEntity } from './order.entity';
import { cancelledInTemporal, placeOrder } from './order.placing';

/** What a run hands to the one that continues it. */
interface Continued {
  order: Order;
  /** The result of placing the order, which each repeat of the request gets. */
  placed: Order;
}

/**
 * The life of one order, open until the order is closed and its compensations are settled. It is placed here,
 * from the workflow's input and not by the update: an update that no worker has accepted is not durable, a
 * started workflow is.
 */
export async function orderWorkflow(
  request: OrderRequest,
  policy: OrderPolicy,
  continued?: Continued,
): Promise<{ status: OrderStatus }> {
  const entity = createOrderEntity(request, policy, continued?.order);
  const placed = continued ? Promise.resolve(continued.placed) : entity.start(() => placeOrder(entity));
  setHandler(placeOrderUpdate, () => placed, {
    validator: rejecting((fingerprint: string) => requireSameRequest(entity, fingerprint)),
  });
  handleOrderCommands(entity);

  try {
    await placed;
    await expireUnlessBegun(entity, policy);
    await condition(() => isFinished(entity) || entity.canContinueAsNew());
  } catch (error) {
    if (isCancellation(error)) await cancelIfPossible(entity, cancelledInTemporal(request));
    // What cannot be voided yet may take long: a cancelled workflow continues as new, too.
    await CancellationScope.nonCancellable(() =>
      condition(() => entity.isIdle() || entity.canContinueAsNew()),
    );
    if (entity.isIdle()) throw error;
  }
  // replay-tested: test/workflows/replay.test.ts
  if (!isFinished(entity)) {
    await continueAsNew<typeof orderWorkflow>(request, policy, {
      order: entity.current(),
      placed: await placed,
    });
  }
  return { status: entity.current().status };
}

/** Cancels an order of which nothing is fulfilled in time: the authorisation of its payment will lapse. */
async function expireUnlessBegun(entity: OrderEntity, { fulfillmentDeadlineMs }: OrderPolicy): Promise<void> {
  const isBegun = () => !isCancellable(entity.current());
  if (isBegun()) return;
  const deadline = Date.parse(confirmedAt(entity.current())) + fulfillmentDeadlineMs;
  const timeLeft = Math.max(1, deadline - Date.now());
  if (await condition(() => isBegun() || entity.canContinueAsNew(), timeLeft)) return;
  const { requestId } = entity.request;
  await cancelIfPossible(entity, { by: 'system', reason: 'expired', requestId });
}

async function cancelIfPossible(entity: OrderEntity, cancellation: Cancellation): Promise<void> {
  if (!entity.isStarted()) return;
  await entity.inTurn(async () => {
    if (isCancellable(entity.current())) await releaseAndCancel(entity, cancellation);
  });
}

function confirmedAt({ statusHistory, createdAt }: Order): string {
  return statusHistory.find(({ to }) => to === 'confirmed')?.at ?? createdAt;
}

function isFinished(entity: OrderEntity): boolean {
  return isClosed(entity.current()) && entity.isIdle();
}

function requireSameRequest(entity: OrderEntity, fingerprint: string): void {
  entity.requireOpen();
  if (fingerprint === entity.request.fingerprint) return;
  throw new IdempotencyKeyReused('This Idempotency-Key was used for another order.');
}
