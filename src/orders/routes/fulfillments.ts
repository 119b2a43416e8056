import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { fulfillmentParams, fulfillOrderBody, orderIdParams } from '../schema/requests';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';

export function fulfillOrderRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders/:id/fulfillments',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'fulfillOrder',
    summary: 'Fulfil all or part of an order',
    description:
      'Records goods that were shipped or services that were performed. Each takes its goods out of the stock and ' +
      'captures its share of the payment; if that can be captured only once, the first captures all that is due.',
    tag: TAG,
    params: orderIdParams,
    idempotency: 'required',
    ifMatch: 'optional',
    body: fulfillOrderBody,
    responses: { 201: orderResponse('The order with the fulfillment') },
    errors: ['not_found', 'invalid_transition', 'payment_declined', 'service_unavailable'],
    async handler(ctx, { params: { id }, body, ...sent }) {
      const { items, carrier = null, trackingNumber = null } = body;
      const content = { items, carrier, trackingNumber };
      send(ctx, 201, await service.fulfill(id, callerOf(ctx, id, sent), content), sent.principal);
    },
  });
}

export function deliverFulfillmentRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders/:id/fulfillments/:fulfillmentId/deliver',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'deliverFulfillment',
    summary: 'Mark a fulfillment as delivered',
    description: 'When the last fulfillment of a fulfilled order is delivered, the order is completed.',
    tag: TAG,
    params: fulfillmentParams,
    idempotency: 'optional',
    ifMatch: 'optional',
    responses: { 200: orderResponse('The order with the delivery') },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id, fulfillmentId }, ...sent }) {
      const order = await service.deliver(id, callerOf(ctx, id, sent), { fulfillmentId });
      send(ctx, 200, order, sent.principal);
    },
  });
}
