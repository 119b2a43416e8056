import Joi from 'joi';
import { isoTimeText } from '../../common/dates';
import { decodeCursor, encodeCursor } from '../../common/pagination';
import type { Order } from '../../domain/order';
import { sendPage } from '../../http/respond';
import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { ORDER_ID } from '../order-request';
import type { OrderPosition } from '../orders.repository';
import { adminOnly, listOrdersQuery, orderIdParams } from '../schema/requests';
import { orderSchema } from '../schema/view';
import { ETAG, logOrder, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';

export function listOrdersRoute({ service, present }: OrderRouteDeps): Route {
  return route({
    method: 'get',
    path: '/orders',
    role: Role.CUSTOMER,
    scope: 'orders:read',
    operationId: 'listOrders',
    summary: 'List orders, newest first',
    description:
      'CUSTOMERs see their own orders, ADMINs all orders; archived ones are left out. An order whose ' +
      'response was 202 joins the list once it is saved; until then you can read it by its id.',
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
}

export function readOrderRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'get',
    path: '/orders/:id',
    role: Role.CUSTOMER,
    scope: 'orders:read',
    operationId: 'getOrder',
    summary: 'Read an order',
    tag: TAG,
    params: orderIdParams,
    responses: {
      200: orderResponse('The order'),
      304: { description: 'The version in If-None-Match is current', headers: ETAG },
    },
    errors: ['not_found', 'service_unavailable'],
    async handler(ctx, { params, principal }) {
      logOrder(ctx, params.id);
      send(ctx, 200, await service.get(params.id, principal), principal);
    },
  });
}

const position = Joi.array().ordered(isoTimeText(), Joi.string().pattern(ORDER_ID)).length(2);

function positionOf(cursor: string): OrderPosition {
  const [createdAt, id] = decodeCursor<[string, string]>(cursor, position);
  return { createdAt: new Date(createdAt), id };
}

function cursorOf({ createdAt, id }: Order): string {
  return encodeCursor([createdAt, id]);
}
