import type { Order } from '../../domain/order';
import { AppError } from '../../errors/app-error';
import type { Context } from '../../http/context';
import { route, type Route } from '../../http/route';
import { invalid } from '../../http/validate';
import type { Principal } from '../../role/principal';
import { Role } from '../../role/role';
import { orderRequest } from '../order-request';
import type { Placement } from '../orders.service';
import { adminOnly, placeOrderBody, placeOrderHeaders, type PlaceOrderBody } from '../schema/requests';
import { ETAG, logOrder, orderResponse, orderSender, REPLAYED, TAG, type OrderRouteDeps } from './responses';

export interface PlaceOrderRouteDeps extends OrderRouteDeps {
  users: { exists(id: string): Promise<boolean> };
  /** The path prefix of the API, for Location. */
  prefix: string;
}

const HEADERS = { Location: 'The path of the order', ...ETAG };

export function placeOrderRoute({ service, present, users, prefix }: PlaceOrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders',
    role: Role.CUSTOMER,
    scope: 'orders:write',
    operationId: 'placeOrder',
    summary: 'Place an order',
    description:
      'Fetches the product details, computes the totals, reserves the stock, saves the order and ' +
      'authorises the payment. If any of this fails, nothing is reserved or charged. Once you have a ' +
      'response, the order is never lost and never placed twice. If you do not know whether a request ' +
      'succeeded, repeat it with the same Idempotency-Key.',
    tag: TAG,
    headers: placeOrderHeaders,
    idempotency: 'required',
    body: placeOrderBody,
    responses: {
      201: {
        ...orderResponse('The order is placed: it is confirmed, or closed since then, as `status` says'),
        headers: HEADERS,
        optionalHeaders: REPLAYED,
      },
      202: {
        ...orderResponse('The order is accepted and still being placed: read it at Location'),
        headers: HEADERS,
        optionalHeaders: { ...REPLAYED, 'Preference-Applied': '`respond-async` if the request prefers it' },
      },
    },
    errors: [
      'out_of_stock',
      'unknown_product',
      'mixed_currencies',
      'amount_too_large',
      'payment_declined',
      'service_unavailable',
    ],
    async handler(ctx, { body, headers, idempotencyKey, principal }) {
      const request = orderRequest({
        idempotencyKey,
        customerId: await customerOf(body, principal),
        placedBy: principal.id,
        requestId: ctx.state.requestId,
        items: body.items,
        paymentMethod: body.paymentMethod,
        note: body.note || null,
        shippingAddress: body.shippingAddress ?? null,
      });
      logOrder(ctx, request.orderId);
      const isAsync = prefersAsync(headers.prefer);
      const placement = await (isAsync ? service.placeAsync(request) : service.place(request));
      describePlacement(ctx, placement);
      requireNotRejected(placement.order);
      if (isAsync) ctx.set('Preference-Applied', 'respond-async');
      send(ctx, placement.isSettled && !isAsync ? 201 : 202, placement.order, principal);
    },
  });

  async function customerOf({ customerId }: PlaceOrderBody, principal: Principal): Promise<string> {
    if (customerId === undefined) return ownIdOf(principal);
    if (principal.role !== 'ADMIN') throw adminOnly('customerId');
    if (!(await users.exists(customerId))) {
      throw invalid([{ path: 'customerId', message: 'must be the id of a user' }]);
    }
    return customerId;
  }

  function describePlacement(ctx: Context, { order, isReplay }: Placement): void {
    ctx.set('Location', `${prefix}/orders/${order.id}`);
    if (isReplay) ctx.set('Idempotent-Replayed', 'true');
  }
}

/** A person orders for themselves, which a program cannot. */
function ownIdOf({ id, scopes }: Principal): string {
  if (!scopes) return id;
  throw invalid([{ path: 'customerId', message: 'is required with an API key: name the customer' }]);
}

/** The response to a rejected order is the reason, for a replay too. */
function requireNotRejected({ id, rejection }: Order): void {
  if (rejection) throw new AppError(rejection.code, rejection.detail, { orderId: id });
}

function prefersAsync(prefer = ''): boolean {
  const preferences = prefer.split(',').map((preference) => preference.split(';')[0]!);
  return preferences.some((name) => name.trim().toLowerCase() === 'respond-async');
}
