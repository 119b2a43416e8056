import type { Context } from '../../http/context';
import { etagOf } from '../../common/etag';
import { sendData } from '../../http/respond';
import type { ResponseSpec } from '../../http/route';
import type { Order } from '../../domain/order';
import type { Principal } from '../../role/principal';
import type { Caller } from '../command-request';
import type { Addition } from '../commands/commands';
import type { OrderPresenter } from '../orders.presenter';
import type { OrderService } from '../orders.service';
import { orderSchema } from '../schema/view';

/** What the routes of an order need. */
export interface OrderRouteDeps {
  service: OrderService;
  present: OrderPresenter;
}

export const TAG = 'Orders';
export const ETAG = { ETag: 'The version of the order' };
export const REPLAYED = { 'Idempotent-Replayed': '`true` when another request with this key was first' };

export function orderResponse(description: string): ResponseSpec {
  return { description, data: orderSchema, headers: ETAG };
}

/** Puts the order on the request's log line. */
export function logOrder(ctx: Context, orderId: string): void {
  ctx.state.logFields = { orderId };
}

/** Who calls, to do something to that order. */
export function callerOf(ctx: Context, orderId: string, principal: Principal): Caller {
  logOrder(ctx, orderId);
  return { principal, requestId: ctx.state.requestId };
}

/** Answers with an order and its version. */
export function orderSender(present: OrderPresenter) {
  const send = (ctx: Context, status: number, order: Order, principal: Principal): void => {
    ctx.set('ETag', etagOf(order.version));
    sendData(ctx, status, present(order, principal));
  };
  return {
    send,
    /** 201, the first time and every time. */
    sendAddition(ctx: Context, { order, isReplay }: Addition, principal: Principal): void {
      if (isReplay) ctx.set('Idempotent-Replayed', 'true');
      send(ctx, 201, order, principal);
    },
  };
}
