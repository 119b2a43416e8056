import type { Order } from '../../domain/order';
import { customerWaitOf, unpaidBecause } from '../../domain/paying';
import { REJECTION_CODES } from '../../domain/rejection';
import { AppError } from '../../errors/app-error';
import type { ErrorCode } from '../../errors/problems';
import type { Context } from '../../http/context';
import type { ResponseSpec } from '../../http/route';
import type { DeclineLimit } from '../../payments/declines/decline-limit';
import type { Principal } from '../../role/principal';
import { ETAG, orderResponse, orderSender, type OrderRouteDeps } from './responses';

export interface PlaceOrderRouteDeps extends OrderRouteDeps {
  declines: Pick<DeclineLimit, 'requireBelow' | 'track'>;
  /** The path prefix of the API, for Location. */
  prefix: string;
}

const HEADERS = { Location: 'The path of the order', ...ETAG };

/** What is said of an order whose payment was asked for. */
export const PLACED = {
  responses: {
    201: {
      ...orderResponse('The order is placed: it is confirmed, or closed since then, as `status` says'),
      headers: HEADERS,
    },
    202: {
      ...orderResponse(
        'The order is accepted and not paid yet: it is still being placed, or its `paymentAction` says what the customer ' +
          'has to do. Read it at Location',
      ),
      headers: HEADERS,
    },
  } satisfies Record<number, ResponseSpec>,
  outcomeHeaders: { Location: HEADERS.Location },
  errors: [
    'payment_declined',
    'payment_action_failed',
    'payment_action_expired',
  ] satisfies ErrorCode[] as ErrorCode[],
};

/** All that an order can be rejected for, which a look at it tells as the response to placing it did. */
export const REJECTIONS: ErrorCode[] = [...new Set(Object.values(REJECTION_CODES))];

/**
 * Responds with an order whose payment was asked for: 201 if it is placed, 202 if it is not yet, or why it is not.
 * @param needsCard whether the order, which is not rejected, has to be paid with another card
 */
export function placementSender(
  { service, present, prefix }: PlaceOrderRouteDeps,
  needsCard: (order: Order) => boolean = waitsForCard,
) {
  const { send } = orderSender(present);
  return async (ctx: Context, order: Order, principal: Principal, status?: number): Promise<void> => {
    ctx.set('Location', `${prefix}/orders/${order.id}`);
    requirePaid(order, needsCard(order));
    const isWaiting = order.status === 'pending' || order.paymentStatus === 'action_required';
    const action = await service.paymentActionOf(order, principal);
    send(ctx, status ?? (isWaiting ? 202 : 201), order, principal, action);
  };
}

/** Returns whether the order is placed only if another card pays it in time. */
export function waitsForCard(order: Order): boolean {
  return customerWaitOf(order)?.what === 'card';
}

/** The response to an order that is rejected, or needs another card, is the reason: for a replay too. */
function requirePaid(order: Order, needsCard: boolean): void {
  const { id: orderId, rejection, retryUntil, total } = order;
  const why = rejection ?? (needsCard ? unpaidBecause(order) : null);
  if (!why) return;
  const { code, detail, existingOrderId } = why;
  throw new AppError(code, detail, {
    orderId,
    existingOrderId,
    ...(code === 'price_changed' && total !== null && { total }),
    ...(needsCard && retryUntil && { retryUntil }),
  });
}
