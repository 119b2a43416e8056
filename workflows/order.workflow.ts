import {
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  setHandler,
} from '@temporalio/workflow';
import { isCancellable, type CancelOrder } from '../src/domain/closing';
import { IdempotencyKeyReused, type Order, type OrderRequest, type OrderStatus } from '../src/domain/order';
import { isClosed } from '../src/domain/order-transitions';
import { placeOrderUpdate, type OrderPolicy } from './contract';
import { refusing } from './failures';
import { handleOrderCommands, releaseAndCancel } from './order.commands';
import { createOrderSession, type OrderSession } from './order.entity';
import { cancelledInTemporal, placeOrder } from './order.placing';

/**
 * The life of one order, open until the order is closed and owes nothing. It is placed here, from the workflow's
 * input and not by the update: an update that no worker has accepted is not durable, a started workflow is.
 * @param policy absent for orders of before payments were taken
 * @param carried the order, in a run that continues another as new
 * @param answer what placing it was answered, in such a run: each repeat of the request is to get the same
 */
export async function orderWorkflow(
  request: OrderRequest,
  policy?: OrderPolicy,
  carried?: Order,
  answer?: Order,
): Promise<{ status: OrderStatus }> {
  const session = createOrderSession(request, policy, carried);
  const placed = carried ? Promise.resolve(answer ?? carried) : session.oneAtATime(() => place(session));
  setHandler(placeOrderUpdate, () => placed, {
    validator: refusing((fingerprint: string) => requireSameRequest(session, fingerprint)),
  });
  handleOrderCommands(session, placed);

  try {
    await placed;
    if (policy) await expireUnlessBegun(session, policy);
    await condition(() => isFinished(session) || session.history.isFull());
    await condition(() => session.isQuiet());
  } catch (error) {
    if (isCancellation(error)) await cancelIfPossible(session, cancelledInTemporal(request));
    await untilIdle(session);
    if (session.isIdle()) throw error;
  }
  // replay-tested: test/workflows/replay.test.ts
  if (!isFinished(session)) {
    await continueAsNew<typeof orderWorkflow>(request, policy, session.current(), await placed);
  }
  return { status: session.current().status };
}

/** Or until it may go on in another run: what cannot be given back may take long, in a cancelled workflow too. */
async function untilIdle({ isIdle, isQuiet, history }: OrderSession): Promise<void> {
  if (isIdle()) return;
  let isOver: () => boolean;
  if (patched('cancelled-continues-as-new')) {
    isOver = () => isIdle() || (history.isFull() && isQuiet()); // replay-tested: replay.test.ts
  } else {
    isOver = isIdle;
  }
  await CancellationScope.nonCancellable(() => condition(isOver));
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

async function cancelIfPossible(session: OrderSession, command: CancelOrder): Promise<void> {
  if (!session.isTaken()) return;
  await session.perform(
    command,
    () => undefined,
    async (order) => {
      // The stored order has the last word: if it may not be cancelled any more, nothing is.
      if (isCancellable(order)) await releaseAndCancel(session, command);
    },
  );
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
