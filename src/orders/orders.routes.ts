import Joi from 'joi';
import { etagOf, matchesIfNoneMatch } from '../common/etag';
import { decodeCursor, encodeCursor } from '../common/pagination';
import { sendData, sendPage } from '../common/respond';
import { route } from '../common/route';
import type { Route } from '../common/route';
import type { Order } from '../domain/order';
import { Role } from '../role/role';
import { ORDER_ID } from './order-request';
import { placeOrderRoute } from './orders.place.route';
import type { PlaceOrderRouteDeps } from './orders.place.route';
import { adminOnly } from './orders.problems';
import type { OrderPosition } from './orders.repository';
import {
  cancelOrderBody,
  listOrdersQuery,
  orderIdParams,
  orderSchema,
  readOrderHeaders,
} from './orders.schema';

const TAG = 'Orders';
const ETAG = { ETag: 'The version of the order' };

export function orderRoutes(deps: PlaceOrderRouteDeps): Route[] {
  const { service, present } = deps;

  const list = route({
    method: 'get',
    path: '/orders',
    role: Role.CUSTOMER,
    operationId: 'listOrders',
    summary: 'List orders, newest first',
    description:
      'A CUSTOMER sees their own, an ADMIN all. An order that was answered 202 joins the list once it is saved; until ' +
      'then it can be read by its id.',
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
      const { entries, more } = await service.list(filter, { limit, after });
      const nextCursor = more ? cursorOf(entries.at(-1)!) : null;
      const shown = entries.map((order) => present(order, principal));
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

  return [placeOrderRoute(deps), list, get, cancel];
}

const position = Joi.array().ordered(Joi.string().isoDate(), Joi.string().pattern(ORDER_ID)).length(2);

function positionOf(cursor: string): OrderPosition {
  const [createdAt, id] = decodeCursor<[string, string]>(cursor, position);
  return { createdAt: new Date(createdAt), id };
}

function cursorOf({ createdAt, id }: Order): string {
  return encodeCursor([createdAt, id]);
}
