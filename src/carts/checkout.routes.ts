import { requireExpectedTotal } from '../domain/amendment';
import { PriceChanged } from '../domain/errors';
import type { Order, OrderRequest } from '../domain/order';
import { AppError } from '../errors/app-error';
import type { Context } from '../http/context';
import { route, type Route } from '../http/route';
import { cardPayer } from '../orders/routes/payment';
import {
  APPLIED,
  orderPlacer,
  PLACED,
  REJECTIONS,
  waitsForCard,
  whenAdmitted,
  type PlaceOrderRouteDeps,
} from '../orders/routes/placement';
import { callerOf as orderCallerOf, logOrder } from '../orders/routes/responses';
import { callerOf, FOR_ALL } from './carts.routes';
import * as schema from './carts.schema';
import { cartOrdered } from './cart-problems';
import type { Checkout, CheckoutService } from './checkout.service';

const MORE = {
  ...APPLIED,
  'Idempotent-Replayed': '`true` if the cart was ordered before, with the same content',
  'Order-Token': "What opens a guest's order, as the header of the same name",
};

export interface CheckoutRouteDeps extends PlaceOrderRouteDeps {
  /** Sends guests what opens their orders. */
  mails: { tellOrder(email: string, order: Pick<Order, 'id' | 'number'>, token: string): void };
}

export function checkoutRoute(checkout: CheckoutService, { mails, ...deps }: CheckoutRouteDeps): Route {
  const place = orderPlacer(deps);
  const pay = cardPayer(deps);
  return route({
    ...FOR_ALL,
    method: 'post',
    path: '/carts/:id/checkout',
    operationId: 'checkOut',
    summary: 'Order what is in a cart',
    description:
      'Responds as `POST /orders` does. The cart is the key: however often and from wherever it is ordered at once, it ' +
      'becomes one order, so repeat the request if you do not know whether it succeeded. If the order is rejected, the cart ' +
      'can be changed and ordered again. With `If-Match`, what is ordered is what was in that version. While the order waits ' +
      'for another card, until its `retryUntil`, ordering the cart with that card pays it. Once it is ordered, ordering it ' +
      'otherwise is 409 `cart_ordered` with the `orderId`. A guest needs an `email`, and a `shippingAddress` in the cart, and ' +
      'gets a mail with a link to the order. After too many orders of guests from one address within an hour the response is ' +
      '429 (`MAX_GUEST_ORDERS_PER_ADDRESS`).',
    params: schema.cartParams,
    headers: schema.checkoutHeaders,
    ifMatch: 'optional',
    body: schema.checkoutBody,
    responses: {
      201: { ...PLACED.responses[201], optionalHeaders: MORE },
      202: { ...PLACED.responses[202], optionalHeaders: MORE },
    },
    outcomeHeaders: { ...PLACED.outcomeHeaders, ...MORE },
    errors: [...REJECTIONS, 'not_found', 'cart_ordered', 'service_unavailable'],
    async handler(ctx, { params: { id }, body, headers, ifMatch, principal }) {
      const caller = callerOf(principal, headers);
      const sent = { requestId: ctx.state.requestId, address: ctx.ip };
      const prepare = () => checkout.prepare(id, caller, ifMatch, body, sent);
      const { order, orderToken } = await whenAdmitted(deps, (admitted) =>
        orderCart(ctx, prepare, { admitted, prefer: headers.prefer }),
      );
      const isRepeat = ctx.response.get('Idempotent-Replayed') === 'true';
      if (orderToken !== undefined && body.email !== undefined && !isRepeat)
        mails.tellOrder(body.email, order, orderToken);
    },
  });

  /** Responds with the order that comes of the cart, or with the problem. Returns it with what opens it. */
  async function orderCart(
    ctx: Context,
    prepare: () => Promise<Checkout>,
    options: Parameters<typeof place>[3],
  ): Promise<{ order: Order; orderToken: string | undefined }> {
    for (let before = ''; ;) {
      const checkout = await prepare();
      const { request, customer, orderToken } = checkout;
      logOrder(ctx, request.orderId);
      if (orderToken !== undefined) ctx.set('Order-Token', orderToken);
      try {
        return { order: await place(ctx, request, customer, options), orderToken };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'idempotency_key_reused') throw error;
      }
      const order = await deps.service.read(request.orderId, customer);
      if (order.status !== 'rejected' || order.id === before)
        return { order: await payOtherwise(ctx, order, checkout), orderToken };
      before = order.id; // what another tab has ordered was rejected just now: there is another attempt
    }
  }

  /** Pays the order of the cart with another card if it waits for one. @throws {AppError} cart_ordered, price_changed */
  async function payOtherwise(ctx: Context, order: Order, { request, customer }: Checkout): Promise<Order> {
    const { orderId, paymentMethod, fingerprint: idempotencyKey } = request;
    const sent = { principal: customer, idempotencyKey };
    const caller = orderCallerOf(ctx, orderId, sent);
    if (!(await deps.service.isPaymentKnown(order, caller, { paymentMethod }))) {
      if (!waitsForCard(order) || order.externalRef !== (request.externalRef ?? null))
        throw cartOrdered(orderId);
      requireSameTotal(request, order);
    }
    return pay(ctx, order, sent, { paymentMethod });
  }
}

/** The order keeps the prices that it was placed at. @throws {AppError} price_changed */
function requireSameTotal(request: OrderRequest, order: Order): void {
  try {
    requireExpectedTotal(request, order);
  } catch (error) {
    if (!(error instanceof PriceChanged)) throw error;
    const { message, total } = error;
    throw new AppError('price_changed', message, { orderId: order.id, total });
  }
}
