import {
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import { isCancellable, type Cancellation } from '../src/domain/closing';
import type { Order, OrderRequest, OrderStatus } from '../src/domain/order';
import { IdempotencyKeyReused } from '../src/domain/errors';
import { isClosed } from '../src/domain/order-transitions';
import { placeOrderUpdate, type OrderPolicy } from './contract';
import { refusing } from './failures';
import { handleOrderCommands, releaseAndCancel } from './order.commands';
import { createOrderSession, type OrderSession } from './order.entity';
import { cancelledInTemporal, placeOrder } from './order.placing';

/** What the run before hands over. */
interface Continued {
  order: Order;
  /** What placing the order was answered: each repeat of the request is to get the same. */
  placed: Order;
}

/**
 * The life of one order, open until the order is closed and owes nothing. It is placed here, from the workflow's
 * input and not by the update: an update that no worker has accepted is not durable, a started workflow is.
 * @param continued in a run that continues another as new
 */
export async function orderWorkflow(
  request: OrderRequest,
  policy: OrderPolicy,
  continued?: Continued,
): Promise<{ status: OrderStatus }> {
  const session = createOrderSession(request, policy, continued?.order);
  const placed = continued ? Promise.resolve(continued.placed) : session.oneAtATime(() => place(session));
  setHandler(placeOrderUpdate, () => placed, {
    validator: refusing((fingerprint: string) => requireSameRequest(session, fingerprint)),
  });
  handleOrderCommands(session, placed);

  try {
    await placed;
    await expireUnlessBegun(session, policy);
    await condition(() => isFinished(session) || session.history.isFull());
    await condition(() => session.isQuiet());
  } catch (error) {
    if (isCancellation(error)) await cancelIfPossible(session, cancelledInTemporal(request));
    await untilIdle(session);
    if (session.isIdle()) throw error;
  }
  // replay-tested: test/workflows/replay.test.ts
  if (!isFinished(session)) {
    const continued = { order: session.current(), placed: await placed };
    await continueAsNew<typeof orderWorkflow>(request, policy, continued);
  }
  return { status: session.current().status };
}

/** Or until it may go on in another run: what cannot be given back may take long, in a cancelled workflow too. */
async function untilIdle({ isIdle, isQuiet, history }: OrderSession): Promise<void> {
  if (isIdle()) return;
  await CancellationScope.nonCancellable(() => condition(() => isIdle() || (history.isFull() && isQuiet())));
}

async function place(session: OrderSession): Promise<Order> {
  return session.take(await placeOrder(session));
}

/** An order that nobody begins to fulfil is cancelled: the authorisation of its payment will not last for ever. */
async function expireUnlessBegun(
  session: OrderSession,
  { fulfillmentDeadlineMs }: OrderPolicy,
): Promise<void> {
  const isBegun = () => !isCancellable(session.current());
  if (isBegun()) return;
  const deadline = Date.parse(confirmedAt(session.current())) + fulfillmentDeadlineMs;
  const timeLeft = Math.max(1, deadline - Date.now());
  if (await condition(() => isBegun() || session.history.isFull(), timeLeft)) return;
  const { requestId } = session.request;
  await cancelIfPossible(session, { by: 'system', reason: 'expired', requestId });
}

async function cancelIfPossible(session: OrderSession, cancellation: Cancellation): Promise<void> {
  if (!session.isTaken()) return;
  await session.inTurn(async () => {
    // The stored order has the last word: if it may not be cancelled any more, nothing is.
    if (isCancellable(session.current())) await releaseAndCancel(session, cancellation);
  });
}

function confirmedAt({ statusHistory, createdAt }: Order): string {
  return statusHistory.find(({ to }) => to === 'confirmed')?.at ?? createdAt;
}

/** Closed, and nothing owed. */
function isFinished(session: OrderSession): boolean {
  return isClosed(session.current()) && session.compensator.isIdle();
}

function requireSameRequest(session: OrderSession, fingerprint: string): void {
  session.history.requireOpen();
  if (fingerprint === session.request.fingerprint) return;
  throw new IdempotencyKeyReused('Another order was sent with this key.');
}
