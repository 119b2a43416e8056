import {
  CancellationScope,
  condition,
  isCancellation,
  setHandler,
  setWorkflowOptions,
  sleep,
} from '@temporalio/workflow';
import { isCancellable } from '../src/domain/closing';
import { ORDER_KEY_REUSED } from '../src/domain/errors';
import type { CustomerWait } from '../src/domain/paying';
import type { OrderRequest, OrderStatus } from '../src/domain/order';
import { moveSignal, placeOrderUpdate, type Beginning, type OrderPolicy } from './contract';
import { asFailure } from './failures';
import { handleOrderCommands, handleQueries } from './order.commands';
import type { Story } from './order.display';
import { createOrderEntity, type OrderEntity } from './order.entity';
import { onItsVersion, PINNED } from './versions';

/**
 * The life of one order, open until the order is closed and owes nothing. It is placed here, from the workflow's
 * input and not by the update: an update that no worker has accepted is not durable, a started workflow is.
 */
export async function orderWorkflow(
  request: OrderRequest,
  policy: OrderPolicy,
  beginning: Beginning = 'place',
  story?: Story,
): Promise<{ status: OrderStatus }> {
  const order = createOrderEntity(request, policy, beginning, story);
  const begun = order.begin(); // before the first command has its turn
  handleOrderCommands(order);
  handleQueries(order);
  setHandler(moveSignal, order.lookForVersion);
  setHandler(placeOrderUpdate, () => begun.then(() => ({ version: order.current()!.version })), {
    validator: (fingerprint) => requireSameRequest(order, fingerprint),
  });

  try {
    await Promise.race([begun, CancellationScope.current().cancelRequested]);
    if (beginning === 'resume') await lookAgain(order);
    // One of them may still be at work when the other one has seen the end of this run, which is then put off.
    while (!isOver(order)) await Promise.all([keepDeadlines(order, policy), awaitCustomer(order)]);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await order.cancelBySystem('The workflow was cancelled.');
    // What cannot be voided yet may take long: a cancelled workflow continues as new, too.
    await CancellationScope.nonCancellable(() => condition(() => order.isIdle() || order.canContinueAsNew()));
    if (order.isIdle()) throw error;
  }
  // replay-tested: test/workflows/replay.test.ts
  if (!order.isFinished())
    await onItsVersion<typeof orderWorkflow>()(request, policy, 'continue', order.story());
  return { status: order.current()!.status };
}

// It lives for weeks: its code may change without patches, and it moves to another version when nothing is under way.
setWorkflowOptions({ versioningBehavior: PINNED }, orderWorkflow);

/** Whether this run has nothing more to wait for: the order is finished, or the next run can take over. */
function isOver(order: OrderEntity): boolean {
  return order.isFinished() || order.canContinueAsNew();
}

/** How long after it was resumed an order is looked at again: a worker that was frozen may still have written. */
const LOOK_AGAIN = '60s';

async function lookAgain(order: OrderEntity): Promise<void> {
  if (!(await condition(() => isOver(order), LOOK_AGAIN))) await order.lookAgain();
}

/**
 * Waits until the order is finished, and meanwhile for its fulfillments. If nothing of it is fulfilled in time, it is
 * cancelled, since the authorisation of its payment will lapse; if only a part is, the order says that it is overdue.
 */
async function keepDeadlines(order: OrderEntity, { fulfillmentDeadlineMs }: OrderPolicy): Promise<void> {
  let passed: string | null = null;
  let alarm: Alarm | undefined;
  while (!isOver(order)) {
    const since: string | null = order.current()!.waitingSince;
    const isNews = () => isOver(order) || order.current()!.waitingSince !== since;
    if (since === null || since === passed) {
      await condition(isNews);
      continue;
    }
    const deadline = Date.parse(since) + fulfillmentDeadlineMs;
    if (!alarm || alarm.hasRung || alarm.at > deadline) alarm = setAlarm(deadline);
    const { at } = alarm;
    const current: Alarm = alarm;
    await condition(() => isNews() || current.hasRung);
    if (isNews() || at < deadline) continue;
    passed = since;
    if (isCancellable(order.current()!)) await order.cancelBySystem('expired');
    else await order.markOverdue(since);
  }
}

interface Alarm {
  /** In milliseconds since 1970. */
  at: number;
  hasRung: boolean;
}

/**
 * Rings at that time. It is not taken back: a deadline is put off by each fulfillment, and one timer that looks again when
 * it fires costs less than one that is cancelled and set anew each time.
 */
function setAlarm(at: number): Alarm {
  const alarm: Alarm = { at, hasRung: false };
  const ringing = CancellationScope.nonCancellable(() => sleep(Math.max(1, at - Date.now())));
  void ringing.then(() => (alarm.hasRung = true));
  return alarm;
}

/** How long after a payment has begun to wait for the customer the payment service is asked, at first and at most. */
const FIRST_QUESTION_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;
/** What the Temporal UI calls the timers. */
const UNTIL_QUESTION = 'Until the payment service is asked again';
const UNTIL_TOO_LATE = {
  action: 'Time for the customer to confirm the payment',
  card: 'Time for another card',
};

/**
 * Waits with the order for its customer: to confirm the payment at the bank, which the payment service is asked about at
 * growing intervals, as its event may be lost; or to try another card.
 */
async function awaitCustomer(order: OrderEntity): Promise<void> {
  let pause = FIRST_QUESTION_MS;
  let last: string | undefined;
  while (!isOver(order)) {
    const wait = order.current()!.awaits;
    const isNews = () => isOver(order) || nameOf(order.current()!.awaits) !== nameOf(wait);
    if (!wait) {
      await condition(isNews);
      continue;
    }
    if (last !== wait.paymentKey) [last, pause] = [wait.paymentKey, FIRST_QUESTION_MS];
    const timeLeft = Math.max(1, Date.parse(wait.until) - Date.now());
    const isLast = wait.what === 'card' || timeLeft <= pause;
    const summary = isLast ? UNTIL_TOO_LATE[wait.what] : UNTIL_QUESTION;
    if (await condition(isNews, isLast ? timeLeft : pause, { summary })) continue;
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    if (wait.what === 'card') await order.giveUpPayment(wait);
    else await order.askAgain(wait, isLast);
  }
}

function nameOf(wait: CustomerWait | undefined): string | undefined {
  return wait && `${wait.what} ${wait.paymentKey} ${wait.until}`;
}

function requireSameRequest({ request, requireOpen }: OrderEntity, fingerprint: string): void {
  requireOpen();
  if (fingerprint === request.fingerprint) return;
  throw asFailure(ORDER_KEY_REUSED);
}
