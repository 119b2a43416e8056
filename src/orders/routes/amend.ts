import { ifMatchVersions } from '../../common/etag';
import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';
import { amendOrderBody, amendOrderHeaders } from '../schema/command-requests';
import { orderIdParams } from '../schema/requests';

/** `PATCH /orders/:id`: all of it, or nothing. */
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
      "Possible while nothing of it is fulfilled. New lines are priced at today's prices, the stock is adjusted by the " +
      'difference, and another total is authorised anew; or nothing changes. What is left out stays as it is. Giving ' +
      'back a payment raises the version too: when the payment service takes long, behind the answer. A refusal tells ' +
      'the version that the order has then, in ETag.',
    tag: TAG,
    params: orderIdParams,
    headers: amendOrderHeaders,
    body: amendOrderBody,
    responses: { 200: orderResponse('The amended order') },
    errors: [
      'not_found',
      'precondition_required',
      'precondition_failed',
      'invalid_transition',
      'out_of_stock',
      'unknown_product',
      'mixed_currencies',
      'amount_too_large',
      'payment_declined',
      'service_unavailable',
    ],
    async handler(ctx, { params, headers, body, principal }) {
      const caller = callerOf(ctx, params.id, principal);
      const ifMatch = ifMatchVersions(headers['if-match']);
      send(ctx, 200, await service.amend(params.id, caller, { ...body, ifMatch }), principal);
    },
  });
}
