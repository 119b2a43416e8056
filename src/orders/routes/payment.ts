import type { Order } from '../../domain/order';
import { isUnpaid } from '../../domain/paying';
import { AppError } from '../../errors/app-error';
import type { Context } from '../../http/context';
import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { orderIdParams, payOrderBody, type PayOrderBody } from '../schema/requests';
import { payerOf, paymentOutcomeOf } from './payer';
import { placementSender, PLACED, REJECTIONS, waitsForCard, type PlaceOrderRouteDeps } from './placement';
import { callerOf, logOrder, TAG, type Sent } from './responses';

/** Has orders paid with another card and responds with what comes of it. Returns the order. */
export function cardPayer(deps: PlaceOrderRouteDeps) {
  const send = placementSender(deps, (order) => waitsForCard(order) || isTurnedDown(order));
  return async (ctx: Context, before: Order, sent: Sent, body: PayOrderBody): Promise<Order> => {
    const { id } = before;
    const caller = callerOf(ctx, id, sent);
    const payer = payerOf(ctx, sent.principal, before);
    await deps.declines.requireBelow(payer, () => deps.service.isPaymentKnown(before, caller, body));
    const pay = () => deps.service.pay(id, caller, body);
    const order = await deps.declines.track(payer, id, pay, paymentOutcomeOf);
    await send(ctx, order, sent.principal);
    return order;
  };
}

export function payOrderRoute(deps: PlaceOrderRouteDeps): Route {
  const pay = cardPayer(deps);
  return route({
    method: 'post',
    path: '/orders/:id/payment',
    role: Role.CUSTOMER,
    scope: 'orders:write',
    identify: deps.guests,
    operationId: 'payOrder',
    summary: 'Pay an order with another card',
    description:
      'Possible until `retryUntil` after the payment of a new order was turned down, and while nothing of an order is ' +
      'fulfilled whose authorisation has lapsed. The response is 409 until the payment before is known to be given up, so ' +
      'never two are reserved. If you do not know whether a request succeeded, repeat it with the same Idempotency-Key.',
    tag: TAG,
    params: orderIdParams,
    idempotency: 'required',
    ifMatch: 'optional',
    body: payOrderBody,
    ...PLACED,
    errors: [...PLACED.errors, 'not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id }, body, ...sent }) {
      logOrder(ctx, id);
      await pay(ctx, await deps.service.read(id, sent.principal), sent, body);
    },
  });
}

/** Returns whether the last card for a confirmed order, whose authorisation had lapsed, was not good either. */
function isTurnedDown({ status, paymentStatus }: Order): boolean {
  return status === 'confirmed' && paymentStatus === 'declined';
}

export function confirmPaymentRoute(deps: PlaceOrderRouteDeps): Route {
  const send = placementSender(deps, (order) => waitsForCard(order) || hasToBePaid(order));
  return route({
    method: 'post',
    path: '/orders/:id/payment/confirm',
    role: Role.CUSTOMER,
    scope: 'orders:write',
    identify: deps.guests,
    operationId: 'confirmPayment',
    summary: 'Have the payment service asked whether the customer has confirmed the payment',
    description:
      'For when the customer comes back from the bank: the response is that of `POST /orders`. Without it, the order is ' +
      'confirmed a little later. It changes nothing if the order does not wait for its customer, and can be repeated.',
    tag: TAG,
    params: orderIdParams,
    ...PLACED,
    errors: [...REJECTIONS, 'not_found', 'service_unavailable'],
    async handler(ctx, { params: { id }, principal }) {
      const payer = payerOf(ctx, principal, await deps.service.read(id, principal));
      const confirm = () => deps.service.confirmPayment(id, callerOf(ctx, id, { principal }));
      const order = await deps.declines.track(payer, id, confirm, paymentOutcomeOf);
      if (order.status === 'cancelled') throw new AppError('invalid_transition', CANCELLED);
      await send(ctx, order, principal);
    },
  });
}

const CANCELLED =
  'The order is cancelled: there is nothing to confirm any more, and whatever the customer does at the bank, nothing is charged.';

/** Returns whether nothing is reserved for a confirmed order, and nobody is asked to confirm a payment either. */
function hasToBePaid(order: Order): boolean {
  return order.status === 'confirmed' && isUnpaid(order) && order.paymentStatus !== 'action_required';
}
