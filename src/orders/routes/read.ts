import Joi from 'joi';
import { isoTimeText } from '../../common/dates';
import { decodeCursor, encodeCursor } from '../../common/pagination';
import type { Order } from '../../domain/order';
import { sendPage } from '../../http/respond';
import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { ORDER_ID } from '../../domain/order-id';
import { sortOf, type OrderPosition, type OrderSort } from '../order-filter';
import { EXAMPLES_BY_STATE } from '../schema/example';
import { listOrdersQuery } from '../schema/queries';
import { orderIdParams } from '../schema/requests';
import { orderSchema } from '../schema/view';
import { filterOf } from './filters';
import { ETAG, logOrder, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';

export function listOrdersRoute({ service, present, users }: OrderRouteDeps): Route {
  return route({
    method: 'get',
    path: '/orders',
    role: Role.CUSTOMER,
    scope: 'orders:read',
    operationId: 'listOrders',
    summary: 'List orders, newest first',
    description:
      'CUSTOMERs see their own orders, ADMINs all orders; archived ones are left out. An order has to match ' +
      'every filter, and one of the values of those that take several. With `updatedFrom` or `updatedTo`, the ' +
      'order with the oldest change comes first; a program that follows orders reads `GET /events`, which misses ' +
      'none. An order whose response was 202 joins the list once it is ' +
      'saved; until then you can read it by its id.',
    tag: TAG,
    query: listOrdersQuery,
    responses: { 200: { description: 'A page of orders', data: orderSchema, list: true } },
    errors: ['service_unavailable'],
    async handler(ctx, { query, principal }) {
      const { limit, cursor, ...filters } = query;
      const filter = await filterOf(filters, principal, users);
      const sort = sortOf(filters);
      const after = cursor === undefined ? undefined : positionOf(cursor, sort);
      const { entries, more } = await service.list(filter, { limit, after });
      const nextCursor = more ? cursorOf(sort, entries.at(-1)!) : null;
      const shown = entries.map((order) => present(order, principal));
      sendPage(ctx, shown, { limit, nextCursor });
    },
  });
}

export function readOrderRoute({ service, present, guests }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'get',
    path: '/orders/:id',
    role: Role.CUSTOMER,
    scope: 'orders:read',
    identify: guests,
    operationId: 'getOrder',
    summary: 'Read an order',
    tag: TAG,
    params: orderIdParams,
    responses: {
      200: { ...orderResponse('The order'), examples: EXAMPLES_BY_STATE },
      304: {
        description:
          'The version in If-None-Match is current; an ADMIN gets the order anyway, with its compensations',
        headers: ETAG,
      },
    },
    errors: ['not_found', 'service_unavailable'],
    async handler(ctx, { params, principal }) {
      logOrder(ctx, params.id);
      ctx.state.hasUnversionedParts = principal.role === 'ADMIN'; // compensations raise no version
      const order = await service.read(params.id, principal);
      send(ctx, 200, order, principal, await service.paymentActionOf(order, principal));
    },
  });
}

/** A cursor carries the sort of its list: those of another one are rejected. */
const position = (sort: OrderSort) =>
  Joi.array().ordered(Joi.valid(sort), isoTimeText(), Joi.string().pattern(ORDER_ID)).length(3);

function positionOf(cursor: string, sort: OrderSort): OrderPosition {
  const [, at, id] = decodeCursor<[OrderSort, string, string]>(cursor, position(sort));
  return { at: new Date(at), id };
}

function cursorOf(sort: OrderSort, order: Order): string {
  return encodeCursor([sort, order[sort], order.id]);
}
