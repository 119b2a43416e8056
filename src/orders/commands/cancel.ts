import { isCancellable, requireCancellable, type CancelOrder } from '../../domain/closing';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import { commandBy, type Caller, type Content } from '../order-request';
import { late, orProblem, unless, type CommandRunner } from './run';

export function createCancel({ get, send }: CommandRunner) {
  return async (id: string, caller: Caller, { reason }: Content<CancelOrder>): Promise<Order> => {
    const order = await get(id, caller.principal);
    const command = { reason, ...commandBy(caller, order) };
    const answer = await send(order, COMMANDS.cancel, command);
    if (answer !== 'late') return answer;
    const now = await get(id, caller.principal);
    if (wasCancelledBy(now, command.by)) return now; // too late for our answer
    orProblem(now, () => requireCancellable(now));
    throw late(id);
  };
}

/**
 * Cancels an order because the payment service has ended the authorisation with that key, unless the order
 * now uses another payment or can no longer be cancelled.
 * @throws {AppError} service_unavailable if the order may still be open, and the event must be sent again
 */
export function createAuthorizationEnded({ find, complete }: CommandRunner) {
  return async (orderId: string, paymentKey: string): Promise<void> => {
    const order = await find(orderId);
    if (!order || !isCancellable(order)) return;
    const { requestId, revision: seenRevision } = order;
    const id = `voided-${paymentKey}`;
    const command = { id, by: 'system', reason: 'payment_voided', requestId, seenRevision, paymentKey };
    await complete(order, COMMANDS.cancel, command).catch(unless('invalid_transition'));
  };
}

function wasCancelledBy({ statusHistory }: Order, user: string): boolean {
  return statusHistory.some(({ axis, to, by }) => axis === 'status' && to === 'cancelled' && by === user);
}
