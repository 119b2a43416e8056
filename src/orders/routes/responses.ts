import type { Context } from '../../http/context';
import { etagOf } from '../../common/etag';
import type { Order } from '../../domain/order';
import { ORDER_ID } from '../../domain/order-id';
import type { PaymentAction } from '../../domain/payment';
import { sendData } from '../../http/respond';
import type { Identification, ResponseSpec } from '../../http/route';
import type { Principal } from '../../role/principal';
import type { UserStanding } from '../../users/users.repository';
import type { Caller } from '../order-request';
import type { OrderPresenter } from '../orders.presenter';
import type { OrderService } from '../orders.service';
import type { OrderView } from '../order-view';
import { orderSchema } from '../schema/view';
import { orderWorkflowId } from '../../../workflows/contract';

export interface OrderRouteDeps {
  service: OrderService;
  present: OrderPresenter;
  /** How guests are identified, who have ordered without an account. */
  guests: Identification;
  users: {
    standingOf(id: string): Promise<UserStanding | null>;
    findByEmail(email: string): Promise<{ id: string } | null>;
    findUnconfirmed(email: string): Promise<{ id: string } | null>;
    /** Returns the ids of those who have ordered with the address, without an account. */
    guestsOf(email: string): Promise<string[]>;
  };
}

export const TAG = 'Orders';
export const ETAG = { ETag: 'The version of the order' };

export function orderResponse(description: string, example?: OrderView): ResponseSpec {
  return { description, data: orderSchema, headers: ETAG, example };
}

/** Puts the order on the request's log line. What stands in the place of an id may be personal, and is not logged. */
export function logOrder(ctx: Context, orderId: string): void {
  if (ORDER_ID.test(orderId)) ctx.state.logFields = { orderId, workflowId: orderWorkflowId(orderId) };
}

/** What a route knows of who sends a command, and under which conditions. */
export type Sent = Pick<Caller, 'principal' | 'idempotencyKey' | 'ifMatch'>;

/** Returns the caller of a command on that order, and adds the order to the request's log line. */
export function callerOf(ctx: Context, orderId: string, sent: Sent): Caller {
  const { principal, idempotencyKey, ifMatch } = sent;
  logOrder(ctx, orderId);
  const onRepeat = () => tellRepeat(ctx);
  const { requestId } = ctx.state;
  return { principal, idempotencyKey, ifMatch, requestId, address: ctx.ip, onRepeat };
}

/** Says that the outcome is that of an earlier request with the same Idempotency-Key. */
export function tellRepeat(ctx: Context): void {
  ctx.set('Idempotent-Replayed', 'true');
}

/** Responds with an order and its version. */
export function orderSender(present: OrderPresenter) {
  return {
    send(
      ctx: Context,
      status: number,
      order: Order,
      principal: Principal,
      action?: PaymentAction | null,
    ): void {
      ctx.set('ETag', etagOf(order.version));
      sendData(ctx, status, present(order, principal, action));
    },
  };
}
