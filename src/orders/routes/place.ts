import type { Context } from '../../http/context';
import { route, type Route } from '../../http/route';
import { invalid } from '../../http/validate';
import type { Order } from '../../domain/order';
import { AppError } from '../../errors/app-error';
import type { Principal } from '../../role/principal';
import { Role } from '../../role/role';
import { orderRequest } from '../order-request';
import { ETAG, logOrder, orderResponse, orderSender, REPLAYED, TAG, type OrderRouteDeps } from './responses';
import { adminOnly, requireIdempotencyKey } from './problems';
import { placeOrderBody, placeOrderHeaders, type PlaceOrderBody } from '../schema/requests';
import type { Placement } from '../orders.service';

export interface PlaceOrderRouteDeps extends OrderRouteDeps {
  users: { exists(id: string): Promise<boolean> };
  /** The path prefix of the API, for Location. */
  prefix: string;
}

const HEADERS = { Location: 'The path of the order', ...ETAG };

/** `POST /orders`: 201 with the outcome, 202 when it takes longer or is not waited for, or why it was rejected. */
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
      'Fetches the product details, computes the totals, reserves the stock, saves the order and has the payment ' +
      'authorised, or does nothing of it. Once answered, the order is never lost and never placed twice: repeat the request with the same ' +
      'Idempotency-Key whenever you do not know what became of it.',
    tag: TAG,
    headers: placeOrderHeaders,
    body: placeOrderBody,
    responses: {
      201: {
        ...orderResponse('Placed: confirmed, or closed since, as `status` says'),
        headers: HEADERS,
        optionalHeaders: REPLAYED,
      },
      202: {
        ...orderResponse('Accepted and still being placed: read it at Location'),
        headers: HEADERS,
        optionalHeaders: { ...REPLAYED, 'Preference-Applied': '`respond-async` when asked for' },
      },
    },
    errors: [
      'idempotency_key_required',
      'out_of_stock',
      'unknown_product',
      'mixed_currencies',
      'amount_too_large',
      'payment_declined',
      'idempotency_key_reused',
      'service_unavailable',
    ],
    async handler(ctx, { body, headers, principal }) {
      const request = orderRequest({
        idempotencyKey: requireIdempotencyKey(headers['idempotency-key'], 'order'),
        customerId: await customerOf(body, principal),
        placedBy: principal.id,
        requestId: ctx.state.requestId,
        items: body.items,
        paymentMethod: body.paymentMethod,
        note: body.note ?? null,
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

/** A person orders for themselves; a program cannot. */
function ownIdOf({ id, scopes }: Principal): string {
  if (!scopes) return id;
  throw invalid([{ path: 'customerId', message: 'is required with an API key: say for whom the order is' }]);
}

/** A rejected order is answered with its reason, the first time and every time. */
function requireNotRejected({ id, rejection }: Order): void {
  if (rejection) throw new AppError(rejection.code, rejection.detail, { orderId: id });
}

function prefersAsync(prefer = ''): boolean {
  const preferences = prefer.split(',').map((preference) => preference.split(';')[0]!);
  return preferences.some((name) => name.trim().toLowerCase() === 'respond-async');
}
