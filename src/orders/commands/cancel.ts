import { isCancellable, type CancelOrder } from '../../domain/closing';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import type { Caller, Content } from '../order-request';
import { unless, type CommandRunner } from './run';

const CANCEL = { type: COMMANDS.cancel, kind: 'can' };

export function createCancel({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<CancelOrder>): Promise<Order> =>
    run(id, caller, CANCEL, content);
}

/**
 * Cancels an order because the payment service has ended the authorisation with that key, unless the order
 * now uses another payment or can no longer be cancelled.
 * @throws {AppError} service_unavailable if the order may still be open, and the event must be sent again
 */
export function createAuthorizationEnded({ find, perform }: CommandRunner) {
  return async (orderId: string, paymentKey: string): Promise<void> => {
    const order = await find(orderId);
    if (!order || !isCancellable(order) || order.captured > 0) return; // what was captured cannot lapse
    const { requestId, revision: seenRevision } = order;
    const id = `voided-${paymentKey}`;
    const command = { id, by: 'system', reason: 'payment_voided', requestId, seenRevision, paymentKey };
    await perform(order, COMMANDS.cancel, command).catch(unless('invalid_transition'));
  };
}
