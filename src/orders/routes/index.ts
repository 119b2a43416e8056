import Joi from 'joi';
import { isoTimeText } from '../../common/dates';
import { etagOf, matchesIfNoneMatch } from '../../common/etag';
import { decodeCursor, encodeCursor } from '../../common/pagination';
import { sendPage } from '../../http/respond';
import { route, type Route } from '../../http/route';
import type { Order } from '../../domain/order';
import { Role } from '../../role/role';
import { ORDER_ID } from '../order-request';
import { amendOrderRoute } from './amend';
import { ETAG, logOrder, orderResponse, orderSender, TAG } from './responses';
import { closingRoutes } from './cancel-archive';
import { compensationRoutes } from './compensations';
import { fulfillmentRoutes } from './fulfillments';
import { placeOrderRoute, type PlaceOrderRouteDeps } from './place';
import { adminOnly } from './problems';
import { refundOrderRoute } from './refund';
import type { OrderPosition } from '../orders.repository';
import { listOrdersQuery, orderIdParams, readOrderHeaders } from '../schema/requests';
import { orderSchema } from '../schema/view';

/** Every route on orders. */
export function orderRoutes(deps: PlaceOrderRouteDeps): Route[] {
  const { service, present } = deps;
  const { send } = orderSender(present);

  const list = route({
    method: 'get',
    path: '/orders',
    role: Role.CUSTOMER,
    scope: 'orders:read',
    operationId: 'listOrders',
    summary: 'List orders, newest first',
    description:
      'A CUSTOMER sees their own, an ADMIN all, archived ones excepted. An order that was answered 202 joins the list once it is saved; until ' +
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
    scope: 'orders:read',
    operationId: 'getOrder',
    summary: 'Read an order',
    tag: TAG,
    params: orderIdParams,
    headers: readOrderHeaders,
    responses: {
      200: orderResponse('The order'),
      304: { description: 'Not changed since the version in If-None-Match', headers: ETAG },
    },
    errors: ['not_found', 'service_unavailable'],
    async handler(ctx, { params, headers, principal }) {
      logOrder(ctx, params.id);
      const order = await service.get(params.id, principal);
      if (!matchesIfNoneMatch(headers['if-none-match'], order.version)) {
        return send(ctx, 200, order, principal);
      }
      ctx.set('ETag', etagOf(order.version));
      ctx.status = 304;
    },
  });

  return [
    placeOrderRoute(deps),
    list,
    get,
    amendOrderRoute(deps),
    ...closingRoutes(deps),
    ...fulfillmentRoutes(deps),
    refundOrderRoute(deps),
    ...compensationRoutes(deps),
  ];
}

const position = Joi.array().ordered(isoTimeText(), Joi.string().pattern(ORDER_ID)).length(2);

function positionOf(cursor: string): OrderPosition {
  const [createdAt, id] = decodeCursor<[string, string]>(cursor, position);
  return { createdAt: new Date(createdAt), id };
}

function cursorOf({ createdAt, id }: Order): string {
  return encodeCursor([createdAt, id]);
}
