import Joi from 'joi';
import type { Context } from '../common/context';
import { etagOf, matchesIfNoneMatch } from '../common/etag';
import { decodeCursor, encodeCursor } from '../common/pagination';
import { sendData, sendPage } from '../common/respond';
import { route } from '../common/route';
import type { Route } from '../common/route';
import type { Order } from '../domain/order';
import { AppError } from '../errors/app-error';
import type { Principal } from '../jwt/principal';
import { Role } from '../role/role';
import { ORDER_ID } from './order-id';
import type { OrderPresenter } from './orders.presenter';
import type { OrderPosition } from './orders.repository';
import {
  cancelOrderBody,
  listOrdersQuery,
  orderIdParams,
  orderSchema,
  placeOrderBody,
  placeOrderHeaders,
  readOrderHeaders,
} from './orders.schema';
import type { PlaceOrderBody } from './orders.schema';
import type { OrderService, Placement } from './orders.service';

export interface OrderRoutesDeps {
  service: OrderService;
  present: OrderPresenter;
  users: { exists(id: string): Promise<boolean> };
  /** The path prefix of the API, for Location. */
  prefix: string;
}

const TAG = 'Orders';
const ETAG = { ETag: 'The version of the order' };
const LOCATION = { Location: 'The path of the order' };
const REPLAYED = { 'Idempotent-Replayed': '`true` when another request with this key was first' };

export function orderRoutes({ service, present, users, prefix }: OrderRoutesDeps): Route[] {
  const place = route({
    method: 'post',
    path: '/orders',
    role: Role.CUSTOMER,
    operationId: 'placeOrder',
    summary: 'Place an order',
    description:
      'Fetches the product details, computes the totals, reserves the stock and saves the order, or does nothing ' +
      'of it. Once answered, the order is never lost and never placed twice: repeat the request with the same ' +
      'Idempotency-Key whenever you do not know what became of it.',
    tag: TAG,
    headers: placeOrderHeaders,
    body: placeOrderBody,
    responses: {
      201: {
        description: 'Confirmed',
        data: orderSchema,
        headers: { ...LOCATION, ...ETAG },
        optionalHeaders: REPLAYED,
      },
      202: {
        description: 'Accepted and still being placed: read it at Location',
        data: orderSchema,
        headers: { ...LOCATION, ...ETAG },
        optionalHeaders: { ...REPLAYED, 'Preference-Applied': '`respond-async` when asked for' },
      },
    },
    errors: [
      ...(['idempotency_key_required', 'out_of_stock', 'unknown_product', 'mixed_currencies'] as const),
      ...(['amount_too_large', 'idempotency_key_reused', 'service_unavailable'] as const),
    ],
    async handler(ctx, { body, headers, principal }) {
      const command = {
        customerId: await customerOf(body, principal),
        placedBy: principal.id,
        idempotencyKey: requireIdempotencyKey(headers['idempotency-key']),
        requestId: ctx.state.requestId,
        items: body.items,
        note: body.note ?? null,
        shippingAddress: body.shippingAddress ?? null,
      };
      if (prefersAsync(headers.prefer)) {
        ctx.set('Preference-Applied', 'respond-async');
        return answerAccepted(ctx, await service.placeAsync(command), principal);
      }
      const placement = await service.place(command);
      return placement.isSettled
        ? answerPlaced(ctx, placement, principal)
        : answerAccepted(ctx, placement, principal);
    },
  });

  const list = route({
    method: 'get',
    path: '/orders',
    role: Role.CUSTOMER,
    operationId: 'listOrders',
    summary: 'List orders, newest first',
    description: 'A CUSTOMER sees their own, an ADMIN all.',
    tag: TAG,
    query: listOrdersQuery,
    responses: { 200: { description: 'A page of orders', data: orderSchema, list: true } },
    errors: ['service_unavailable'],
    async handler(ctx, { query, principal }) {
      const { limit, cursor, ...filter } = query;
      if (principal.role !== 'ADMIN') {
        if (filter.customerId) throw adminOnly('customerId');
        filter.customerId = principal.id;
      }
      const after = cursor === undefined ? undefined : positionOf(cursor);
      const found = await service.list(filter, { limit: limit + 1, after });
      const page = found.slice(0, limit);
      const nextCursor = found.length > limit ? cursorOf(page.at(-1)!) : null;
      const shown = page.map((order) => present(order, principal));
      sendPage(ctx, shown, { limit, nextCursor });
    },
  });

  const get = route({
    method: 'get',
    path: '/orders/:id',
    role: Role.CUSTOMER,
    operationId: 'getOrder',
    summary: 'Read an order',
    tag: TAG,
    params: orderIdParams,
    headers: readOrderHeaders,
    responses: {
      200: { description: 'The order', data: orderSchema, headers: ETAG },
      304: { description: 'Not changed since the version in If-None-Match', headers: ETAG },
    },
    errors: ['not_found', 'service_unavailable'],
    async handler(ctx, { params, headers, principal }) {
      ctx.state.logFields = { orderId: params.id };
      const order = await service.get(params.id, principal);
      ctx.set('ETag', etagOf(order.version));
      if (matchesIfNoneMatch(headers['if-none-match'], order.version)) ctx.status = 304;
      else sendData(ctx, 200, present(order, principal));
    },
  });

  const cancel = route({
    method: 'post',
    path: '/orders/:id/cancel',
    role: Role.CUSTOMER,
    operationId: 'cancelOrder',
    summary: 'Cancel an order',
    description: 'Releases its stock. An order that is closed answers 409.',
    tag: TAG,
    params: orderIdParams,
    body: cancelOrderBody,
    responses: { 200: { description: 'The cancelled order', data: orderSchema, headers: ETAG } },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params, body, principal }) {
      ctx.state.logFields = { orderId: params.id };
      const { requestId } = ctx.state;
      const order = await service.cancel(params.id, { principal, reason: body.reason ?? null, requestId });
      ctx.set('ETag', etagOf(order.version));
      sendData(ctx, 200, present(order, principal));
    },
  });

  async function customerOf({ customerId }: PlaceOrderBody, principal: Principal): Promise<string> {
    if (customerId === undefined) return principal.id;
    if (principal.role !== 'ADMIN') throw adminOnly('customerId');
    if (!(await users.exists(customerId))) throw invalid('customerId', 'must be the id of a user');
    return customerId;
  }

  /** A rejected order is answered with its reason, the first time and every time. */
  function answerPlaced(ctx: Context, placement: Placement, principal: Principal): void {
    describePlacement(ctx, placement);
    const { id, rejection } = placement.order;
    if (rejection) throw new AppError(rejection.code, rejection.detail, { orderId: id });
    sendData(ctx, 201, present(placement.order, principal));
  }

  function answerAccepted(ctx: Context, placement: Placement, principal: Principal): void {
    describePlacement(ctx, placement);
    sendData(ctx, 202, present(placement.order, principal));
  }

  function describePlacement(ctx: Context, { order, isReplay }: Placement): void {
    ctx.state.logFields = { orderId: order.id };
    ctx.set('Location', `${prefix}/orders/${order.id}`);
    ctx.set('ETag', etagOf(order.version));
    if (isReplay) ctx.set('Idempotent-Replayed', 'true');
  }

  return [place, list, get, cancel];
}

function requireIdempotencyKey(key: string | undefined): string {
  if (key) return key;
  throw new AppError(
    'idempotency_key_required',
    'Send an Idempotency-Key header: a new random value, such as a UUID, for each order, the same on each repeat.',
  );
}

function prefersAsync(prefer = ''): boolean {
  return prefer.split(/[,;]/).some((preference) => preference.trim().toLowerCase() === 'respond-async');
}

const position = Joi.array().ordered(Joi.string().isoDate(), Joi.string().pattern(ORDER_ID)).length(2);

function positionOf(cursor: string): OrderPosition {
  const [createdAt, id] = decodeCursor<[string, string]>(cursor, position);
  return { createdAt: new Date(createdAt), id };
}

function cursorOf({ createdAt, id }: Order): string {
  return encodeCursor([createdAt, id]);
}

function adminOnly(path: string): AppError {
  return invalid(path, 'is for an ADMIN only: leave it out');
}

function invalid(path: string, message: string): AppError {
  return new AppError('validation_failed', `One value is not as required; "errors" names each.`, {
    errors: [{ path, message }],
  });
}
