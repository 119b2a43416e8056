import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { EXAMPLE_AMENDED } from '../schema/example';
import { amendOrderBody, orderIdParams, type AmendOrderBody } from '../schema/requests';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';

export function amendOrderRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'patch',
    path: '/orders/:id',
    role: Role.CUSTOMER,
    scope: 'orders:write',
    operationId: 'amendOrder',
    summary: 'Amend an order',
    description:
      'Possible until something of the order is fulfilled. Units that the order has stay as they were sold, with their ' +
      'name, price and tax rate. More units, and new lines, are sold at the current prices: if the price of a product ' +
      'has changed, its further units become a line of their own. The stock is adjusted by the difference, and a ' +
      'different total is authorised again. If any of this fails, nothing changes. Fields that you leave out stay as ' +
      'they are. The ETag of a rejection is that of the current version.',
    tag: TAG,
    params: orderIdParams,
    idempotency: 'optional',
    ifMatch: 'required',
    body: amendOrderBody,
    responses: { 200: orderResponse('The amended order', EXAMPLE_AMENDED) },
    errors: [
      'not_found',
      'invalid_transition',
      'already_exists',
      'out_of_stock',
      'price_changed',
      'unknown_product',
      'mixed_currencies',
      'amount_too_large',
      'payment_declined',
      'service_unavailable',
    ],
    async handler(ctx, { params: { id }, body, ...sent }) {
      const order = await service.amend(id, callerOf(ctx, id, sent), withoutBlanks(body));
      send(ctx, 200, order, sent.principal);
    },
  });
}

/** A blank note or reference is none. */
function withoutBlanks(body: AmendOrderBody): AmendOrderBody {
  const { note, externalRef } = body;
  return { ...body, ...(note === '' && { note: null }), ...(externalRef === '' && { externalRef: null }) };
}
