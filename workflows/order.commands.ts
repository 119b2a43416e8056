import { setHandler } from '@temporalio/workflow';
import { amendedOrder, needsPayment, type AmendOrder } from '../src/domain/amendment';
import {
  archivedOrder,
  requireCancellable,
  type ArchiveOrder,
  type Cancellation,
  type CancelOrder,
} from '../src/domain/closing';
import { madeBefore } from '../src/domain/command';
import { inNextVersion, owedVoid, withOwed } from '../src/domain/compensation';
import {
  deliveredOrder,
  fulfilledOrder,
  type DeliverFulfillment,
  type FulfillOrder,
} from '../src/domain/fulfillment';
import type { Order, OrderPayment } from '../src/domain/order';
import { amendmentPayment } from '../src/domain/order-payment';
import { isClosed } from '../src/domain/order-transitions';
import { requestOf } from '../src/domain/placing';
import { refundAmount, refundedOrder, type RefundOrder } from '../src/domain/refund';
import { COMMANDS } from './contract';
import { amendmentFailure, isDeclined } from './failures';
import { now, type OrderEntity } from './order.entity';
import { steps } from './order.steps';

/** Handles the commands on an order whose workflow is open. */
export function handleOrderCommands(entity: OrderEntity): void {
  entity.handle(COMMANDS.cancel, (_order, command) => cancelOrder(entity, command), 'compensated');
  entity.handle(COMMANDS.amend, (order, command) => amendOrder(entity, order, command));
  entity.handle(COMMANDS.fulfill, (order, command) => fulfillOrder(entity, order, command));
  entity.handle(COMMANDS.deliver, (order, command) => deliverFulfillment(entity, order, command));
  handleOperatorCommands(entity);
  handleClosedOrderCommands(entity);
}

/** Handles the commands that are possible after the order's own workflow has ended, too. */
export function handleClosedOrderCommands(entity: OrderEntity): void {
  entity.handle(COMMANDS.refund, (order, command) => refundOrder(entity, order, command));
  entity.handle(COMMANDS.archive, (order, command) => archiveOrder(entity, order, command));
}

/** Handles the commands of operators, which take effect while a compensation is under way. */
function handleOperatorCommands(entity: OrderEntity): void {
  const { retryCompensation: retry, resolveCompensation: resolve } = COMMANDS;
  setHandler(retry.update, entity.retryCompensation, { validator: entity.validator(retry) });
  setHandler(resolve.update, entity.resolveCompensation, { validator: entity.validator(resolve) });
}

/**
 * Releases the stock first. What is reserved of the payment is a compensation from then on. Returns the order
 * as it is stored, which is not cancelled if it has been fulfilled in the meantime.
 */
export async function releaseAndCancel(
  entity: OrderEntity,
  cancellation: Cancellation,
  { cancelOrder: cancel }: Pick<OrderEntity['undo'], 'cancelOrder'> = entity.undo,
): Promise<Order> {
  entity.say('Cancelling: releasing the stock.');
  return entity.adopt(await cancel(entity.request, null, cancellation));
}

async function cancelOrder(entity: OrderEntity, command: CancelOrder): Promise<void> {
  const stored = await releaseAndCancel(entity, command, entity.closing);
  if (stored.status !== 'cancelled') requireCancellable(stored);
}

/** Authorises the new payment before anything changes, and has the old one voided when everything has. */
async function amendOrder(entity: OrderEntity, order: Order, command: AmendOrder): Promise<void> {
  const { items } = command;
  const pricing = items ? await steps.priceOrder({ ...requestOf(order), items }) : null;
  let payment = needsPayment(order, pricing) ? amendmentPayment(order, pricing) : null;
  try {
    if (payment) payment = await entity.payments.authorize(order, payment);
    await entity.commit(amendedOrder(order, command, { pricing, payment }, now()), steps.amendOrder);
  } catch (error) {
    await entity.untilCommitted(() => withdrawAmendment(entity, order, payment, error));
    throw amendmentFailure(error, entity.current().version);
  }
}

/** Has what may be reserved voided, in a version that keeps out a run of `amendOrder` that comes late. */
async function withdrawAmendment(
  entity: OrderEntity,
  { version }: Order,
  payment: OrderPayment | null,
  error: unknown,
): Promise<void> {
  const order = entity.current();
  const isReserved =
    payment && payment.amount > 0 && !isDeclined(error) && order.payment?.key !== payment.key;
  if (!isReserved && order.version > version) return;
  const next = isReserved ? withOwed(order, owedVoid(payment, now()), now()) : inNextVersion(order, now());
  await entity.commit(next, steps.recordCompensation);
}

/** Captures the payment with the first fulfillment, under the payment's key, so that it happens once. */
async function fulfillOrder(entity: OrderEntity, order: Order, command: FulfillOrder): Promise<void> {
  if (madeBefore(order.fulfillments, command)) return;
  if (order.paymentStatus === 'authorized') await entity.payments.capture(order, order.payment!);
  await entity.commit(fulfilledOrder(order, command, now()), steps.fulfillOrder);
}

async function deliverFulfillment(
  entity: OrderEntity,
  order: Order,
  command: DeliverFulfillment,
): Promise<void> {
  const delivered = deliveredOrder(order, command, now());
  await entity.commit(delivered, (isClosed(delivered) ? entity.closing : steps).deliverFulfillment);
}

async function refundOrder(entity: OrderEntity, order: Order, command: RefundOrder): Promise<void> {
  if (madeBefore(order.refunds, command)) return;
  await entity.payments.refund(order, command.id, refundAmount(order, command));
  await entity.commit(refundedOrder(order, command, now()), steps.recordRefund);
}

async function archiveOrder(entity: OrderEntity, order: Order, command: ArchiveOrder): Promise<void> {
  if (order.archivedAt) return;
  await entity.commit(archivedOrder(order, command, now()), steps.archiveOrder);
}
