import type { Context } from '../../http/context';
import { etagOf } from '../../common/etag';
import type { Order } from '../../domain/order';
import { sendData } from '../../http/respond';
import type { ResponseSpec } from '../../http/route';
import type { Principal } from '../../role/principal';
import type { Addition } from '../commands/run';
import type { Caller } from '../order-request';
import type { OrderPresenter } from '../orders.presenter';
import type { OrderService } from '../orders.service';
import { orderSchema } from '../schema/view';

export interface OrderRouteDeps {
  service: OrderService;
  present: OrderPresenter;
}

export const TAG = 'Orders';
export const ETAG = { ETag: 'The version of the order' };
export const REPLAYED = { 'Idempotent-Replayed': '`true` if an earlier request with this key did it' };

export function orderResponse(description: string): ResponseSpec {
  return { description, data: orderSchema, headers: ETAG };
}

/** Puts the order on the request's log line. */
export function logOrder(ctx: Context, orderId: string): void {
  ctx.state.logFields = { orderId };
}

/** Returns the caller of a command on that order, and adds the order to the request's log line. */
export function callerOf(ctx: Context, orderId: string, principal: Principal): Caller {
  logOrder(ctx, orderId);
  return { principal, requestId: ctx.state.requestId };
}

/** Responds with an order and its version. */
export function orderSender(present: OrderPresenter) {
  const send = (ctx: Context, status: number, order: Order, principal: Principal): void => {
    ctx.set('ETag', etagOf(order.version));
    sendData(ctx, status, present(order, principal));
  };
  return {
    send,
    /** The status is 201 for a replay too. */
    sendAddition(ctx: Context, { order, isReplay }: Addition, principal: Principal): void {
      if (isReplay) ctx.set('Idempotent-Replayed', 'true');
      send(ctx, 201, order, principal);
    },
  };
}
