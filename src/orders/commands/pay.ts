import { isBeingChanged, paymentCheck } from '../../domain/reconciling';
import type { PayOrder } from '../../domain/paying';
import type { Order } from '../../domain/order';
import { currentPayment } from '../../domain/order-payment';
import type { LookAgain } from '../../payments/payment-provider';
import { COMMANDS } from '../../../workflows/contract';
import { commandBy, type Caller, type Content } from '../order-request';
import type { CommandRunner } from './run';

const PAY = { type: COMMANDS.pay, kind: 'pay' };

export function createPay({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<PayOrder>): Promise<Order> =>
    run(id, caller, PAY, content);
}

/** Returns whether the order has answered this payment before, or is about to. */
export function createIsPaymentKnown({ remembering }: CommandRunner) {
  return async (order: Order, caller: Caller, content: Content<PayOrder>): Promise<boolean> => {
    const { id } = commandBy(caller, order, PAY.kind, content);
    const { intention, commands } = await remembering(order, { id });
    return intention?.command.id === id || commands.some((command) => command.id === id);
  };
}

/** Has the payment service asked whether the customer has confirmed the payment, if the order waits for that. */
export function createConfirmPayment({ get, perform }: CommandRunner) {
  return async (id: string, caller: Caller): Promise<Order> => {
    const order = await get(id, caller.principal);
    if (order.paymentStatus !== 'action_required') return order;
    const content = { paymentKey: currentPayment(order).key };
    return perform(
      order,
      COMMANDS.checkPayment,
      commandBy({ ...caller, idempotencyKey: undefined }, order, 'chk', content),
    );
  };
}

/**
 * Has an order brought in line with what the payment service knows of its payment, since something has happened there.
 * @throws {AppError} service_unavailable if it may not be in line yet, and the event must be sent again
 */
export function createLookAgain({ find, perform }: CommandRunner): LookAgain {
  return async ({ eventId, orderId, paymentKey }) => {
    const order = await find(orderId);
    if (!order || order.status === 'rejected') return 'done';
    if (isBeingChanged(order)) return 'busy';
    const command = paymentCheck(order, { id: eventId, by: 'provider', paymentKey });
    const now = await perform(order, COMMANDS.checkPayment, command);
    // A command that came between may have begun to change the order before it was looked at.
    return isBeingChanged(now) ? 'busy' : 'done';
  };
}
