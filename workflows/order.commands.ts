import { setHandler } from '@temporalio/workflow';
import { amendedOrder, needsPayment, type AmendOrder } from '../src/domain/amendment';
import {
  archivedOrder,
  requireCancellable,
  type Cancellation,
  type CancelOrder,
} from '../src/domain/closing';
import { madeBefore } from '../src/domain/command';
import {
  inNextVersion,
  owedVoid,
  requireUnsettled,
  withOwed,
  type ResolveCompensation,
  type RetryCompensation,
} from '../src/domain/compensation';
import { deliveredOrder, fulfilledOrder, type FulfillOrder } from '../src/domain/fulfillment';
import type { Order, OrderPayment } from '../src/domain/order';
import { amendmentPayment } from '../src/domain/order-payment';
import { isClosed } from '../src/domain/order-transitions';
import { requestOf } from '../src/domain/placing';
import { refundAmount, refundedOrder, type RefundOrder } from '../src/domain/refund';
import { COMMANDS, type CommandDone } from './contract';
import { isDeclined, refusing, atVersion } from './failures';
import { type OrderSession, now } from './order.entity';
import { steps } from './order.steps';

/** What may happen to an order for as long as it is open. */
export function handleOrderCommands(session: OrderSession, placed: Promise<unknown>): void {
  session.on(COMMANDS.cancel, (_order, command) => cancelOrder(session, command), 'undone');
  session.on(COMMANDS.amend, (order, command) => amendOrder(session, order, command));
  session.on(COMMANDS.fulfill, (order, command) => fulfillOrder(session, order, command));
  session.on(COMMANDS.deliver, (order, command) => {
    const delivered = deliveredOrder(order, command, now());
    const { deliverFulfillment } = isClosed(delivered) ? session.closing : steps;
    return session.commit(delivered, deliverFulfillment);
  });
  handleOperatorCommands(session, placed);
  handleClosedOrderCommands(session);
}

/** What may happen to it afterwards too. */
export function handleClosedOrderCommands(session: OrderSession): void {
  session.on(COMMANDS.refund, (order, command) => refundOrder(session, order, command));
  session.on(COMMANDS.archive, async (order, command) => {
    if (!order.archivedAt) await session.commit(archivedOrder(order, command, now()), steps.archiveOrder);
  });
}

/** An operator's word on a compensation. @param ready when the order is known */
function handleOperatorCommands(session: OrderSession, ready: Promise<unknown>): void {
  const { compensator, current, history } = session;
  const validator = refusing((command: RetryCompensation) => {
    history.requireOpen();
    if (session.isTaken() && !session.isBehind(command)) requireUnsettled(current(), command);
  });
  const tell = async (command: RetryCompensation, resolve?: ResolveCompensation): Promise<CommandDone> => {
    history.note();
    await ready;
    if (session.isBehind(command)) await session.oneAtATime(session.catchUp);
    refusing(requireUnsettled)(current(), command);
    await compensator.tell(command.step, resolve);
    return { version: current().version };
  };
  setHandler(COMMANDS.retryCompensation.update, (command) => tell(command), { validator });
  setHandler(COMMANDS.resolveCompensation.update, (command) => tell(command, command), { validator });
}

/** Releases its stock first; what is reserved of the payment is owed from then on. Returns the order as it is stored. */
export async function releaseAndCancel(
  session: OrderSession,
  cancellation: Cancellation,
  { cancelOrder: cancel }: Pick<OrderSession['undo'], 'cancelOrder'> = session.undo,
): Promise<Order> {
  session.display.say('Cancelling: releasing the stock.');
  return session.take(await cancel(session.request, null, cancellation));
}

async function cancelOrder(session: OrderSession, command: CancelOrder): Promise<void> {
  const stored = await releaseAndCancel(session, command, session.closing);
  if (stored.status !== 'cancelled') requireCancellable(stored);
}

/** The new payment is authorised before anything is changed, and the old one given back when all is. */
async function amendOrder(session: OrderSession, order: Order, command: AmendOrder): Promise<void> {
  const { items } = command;
  const pricing = items ? await steps.priceOrder({ ...requestOf(order), items }) : null;
  let payment = needsPayment(order, pricing) ? amendmentPayment(order, pricing) : null;
  try {
    if (payment) payment = await session.payments.authorize(order, payment);
    await session.commit(amendedOrder(order, command, { pricing, payment }, now()), steps.amendOrder);
  } catch (error) {
    await session.untilCommitted(() => withdrawAmendment(session, order, payment, error));
    throw atVersion(error, session.current().version);
  }
}

/** Makes owed what may be reserved, in a version that keeps out a run of `amendOrder` that comes late. */
async function withdrawAmendment(
  session: OrderSession,
  { version }: Order,
  payment: OrderPayment | null,
  error: unknown,
): Promise<void> {
  const order = session.current();
  const isReserved =
    payment && payment.amount > 0 && !isDeclined(error) && order.payment?.key !== payment.key;
  if (!isReserved && order.version > version) return;
  const next = isReserved ? withOwed(order, owedVoid(payment, now()), now()) : inNextVersion(order, now());
  await session.commit(next, steps.recordCompensation);
}

/** The first fulfillment captures the payment: under the payment's key, so that it happens once. */
async function fulfillOrder(session: OrderSession, order: Order, command: FulfillOrder): Promise<void> {
  if (madeBefore(order.fulfillments, command)) return;
  if (order.paymentStatus === 'authorized') await session.payments.capture(order, order.payment!);
  await session.commit(fulfilledOrder(order, command, now()), steps.fulfillOrder);
}

async function refundOrder(session: OrderSession, order: Order, command: RefundOrder): Promise<void> {
  if (madeBefore(order.refunds, command)) return;
  await session.payments.refund(order, command.id, refundAmount(order, command));
  await session.commit(refundedOrder(order, command, now()), steps.recordRefund);
}
