import type { Context } from '../common/context';
import { etagOf } from '../common/etag';
import { sendData } from '../common/respond';
import { route } from '../common/route';
import type { Route } from '../common/route';
import { invalid } from '../common/validate';
import type { Order } from '../domain/order';
import { AppError } from '../errors/app-error';
import type { Principal } from '../jwt/principal';
import { Role } from '../role/role';
import type { OrderPresenter } from './orders.presenter';
import { orderSchema, placeOrderBody, placeOrderHeaders } from './orders.schema';
import type { PlaceOrderBody } from './orders.schema';
import { orderRequest } from './order-request';
import type { OrderService, Placement } from './orders.service';
import { adminOnly } from './orders.problems';

export interface PlaceOrderRouteDeps {
  service: OrderService;
  present: OrderPresenter;
  users: { exists(id: string): Promise<boolean> };
  /** The path prefix of the API, for Location. */
  prefix: string;
}

const HEADERS = { Location: 'The path of the order', ETag: 'The version of the order' };
const REPLAYED = { 'Idempotent-Replayed': '`true` when another request with this key was first' };

/** `POST /orders`: 201 with the outcome, 202 when it takes longer or is not waited for, or why it was rejected. */
export function placeOrderRoute({ service, present, users, prefix }: PlaceOrderRouteDeps): Route {
  return route({
    method: 'post',
    path: '/orders',
    role: Role.CUSTOMER,
    operationId: 'placeOrder',
    summary: 'Place an order',
    description:
      'Fetches the product details, computes the totals, reserves the stock and saves the order, or does nothing ' +
      'of it. Once answered, the order is never lost and never placed twice: repeat the request with the same ' +
      'Idempotency-Key whenever you do not know what became of it.',
    tag: 'Orders',
    headers: placeOrderHeaders,
    body: placeOrderBody,
    responses: {
      201: {
        description: 'Placed: confirmed, or cancelled since, as `status` says',
        data: orderSchema,
        headers: HEADERS,
        optionalHeaders: REPLAYED,
      },
      202: {
        description: 'Accepted and still being placed: read it at Location',
        data: orderSchema,
        headers: HEADERS,
        optionalHeaders: { ...REPLAYED, 'Preference-Applied': '`respond-async` when asked for' },
      },
    },
    errors: [
      ...(['idempotency_key_required', 'out_of_stock', 'unknown_product', 'mixed_currencies'] as const),
      ...(['amount_too_large', 'idempotency_key_reused', 'service_unavailable'] as const),
    ],
    async handler(ctx, { body, headers, principal }) {
      const request = orderRequest({
        idempotencyKey: requireIdempotencyKey(headers['idempotency-key']),
        customerId: await customerOf(body, principal),
        placedBy: principal.id,
        requestId: ctx.state.requestId,
        items: body.items,
        note: body.note ?? null,
        shippingAddress: body.shippingAddress ?? null,
      });
      ctx.state.logFields = { orderId: request.orderId };
      const isAsync = prefersAsync(headers.prefer);
      const placement = await (isAsync ? service.placeAsync(request) : service.place(request));
      describePlacement(ctx, placement);
      requireNotRejected(placement.order);
      if (isAsync) ctx.set('Preference-Applied', 'respond-async');
      sendData(ctx, placement.isSettled && !isAsync ? 201 : 202, present(placement.order, principal));
    },
  });

  async function customerOf({ customerId }: PlaceOrderBody, principal: Principal): Promise<string> {
    if (customerId === undefined) return principal.id;
    if (principal.role !== 'ADMIN') throw adminOnly('customerId');
    if (!(await users.exists(customerId))) {
      throw invalid([{ path: 'customerId', message: 'must be the id of a user' }]);
    }
    return customerId;
  }

  function describePlacement(ctx: Context, { order, isReplay }: Placement): void {
    ctx.set('Location', `${prefix}/orders/${order.id}`);
    ctx.set('ETag', etagOf(order.version));
    if (isReplay) ctx.set('Idempotent-Replayed', 'true');
  }
}

/** A rejected order is answered with its reason, the first time and every time. */
function requireNotRejected({ id, rejection }: Order): void {
  if (rejection) throw new AppError(rejection.code, rejection.detail, { orderId: id });
}

function requireIdempotencyKey(key: string | undefined): string {
  if (key) return key;
  throw new AppError(
    'idempotency_key_required',
    'Send an Idempotency-Key header: a new random value, such as a UUID, for each order, the same on each repeat.',
  );
}

function prefersAsync(prefer = ''): boolean {
  const preferences = prefer.split(',').map((preference) => preference.split(';')[0]!);
  return preferences.some((name) => name.trim().toLowerCase() === 'respond-async');
}
