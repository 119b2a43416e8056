import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import {
  correctFulfillmentBody,
  fulfillmentParams,
  fulfillOrderBody,
  orderIdParams,
  undoFulfillmentBody,
  type CorrectFulfillmentBody,
} from '../schema/requests';
import { EXAMPLE_COMPLETED, EXAMPLE_CORRECTED, EXAMPLE_FULFILLED, EXAMPLE_UNDONE } from '../schema/example';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';

export function fulfillOrderRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders/:id/fulfillments',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'fulfillOrder',
    summary: 'Fulfill all or part of an order',
    description:
      'Records goods that were shipped or services that were performed. Each one takes its goods out of the stock. ' +
      'If `captures` of the order is `once`, the first one captures all that is due; if it is `many`, each captures ' +
      'its share, and the last one the rest. The response is 409 if all that was paid is refunded.',
    tag: TAG,
    params: orderIdParams,
    idempotency: 'required',
    ifMatch: 'optional',
    body: fulfillOrderBody,
    responses: { 201: orderResponse('The order with the fulfillment', EXAMPLE_FULFILLED) },
    errors: ['not_found', 'invalid_transition', 'payment_declined', 'service_unavailable'],
    async handler(ctx, { params: { id }, body, ...sent }) {
      const { items, carrier = null, trackingNumber = null } = body;
      const content = { items, carrier, trackingNumber };
      send(ctx, 201, await service.fulfill(id, callerOf(ctx, id, sent), content), sent.principal);
    },
  });
}

export function undoFulfillmentRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'delete',
    path: '/orders/:id/fulfillments/:fulfillmentId',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'undoFulfillment',
    summary: 'Undo a fulfillment that was lost or came back',
    description:
      'Possible while it is not delivered. Its units are open again: they can be fulfilled anew, without being charged ' +
      'again, or cancelled, which pays them back. The response is 409 if some of its units were refunded.',
    tag: TAG,
    params: fulfillmentParams,
    idempotency: 'optional',
    ifMatch: 'optional',
    body: undoFulfillmentBody,
    responses: { 200: orderResponse('The order without the fulfillment', EXAMPLE_UNDONE) },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id, fulfillmentId }, body: { internalNote, ...body }, ...sent }) {
      const content = { fulfillmentId, ...body, ...(internalNote && { internalNote }) };
      const order = await service.undoFulfillment(id, callerOf(ctx, id, sent), content);
      send(ctx, 200, order, sent.principal);
    },
  });
}

export function correctFulfillmentRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'patch',
    path: '/orders/:id/fulfillments/:fulfillmentId',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'correctFulfillment',
    summary: 'Correct the carrier or the tracking number of a fulfillment',
    description: 'Possible while it is not delivered. What you leave out stays as it is.',
    tag: TAG,
    params: fulfillmentParams,
    idempotency: 'optional',
    ifMatch: 'optional',
    body: correctFulfillmentBody,
    responses: { 200: orderResponse('The order with the correction', EXAMPLE_CORRECTED) },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id, fulfillmentId }, body, ...sent }) {
      const given = Object.entries(body).map(([part, value]) => [part, value || null]);
      const content = { fulfillmentId, ...(Object.fromEntries(given) as CorrectFulfillmentBody) };
      const order = await service.correctFulfillment(id, callerOf(ctx, id, sent), content);
      send(ctx, 200, order, sent.principal);
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
    responses: { 200: orderResponse('The order with the delivery', EXAMPLE_COMPLETED) },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id, fulfillmentId }, ...sent }) {
      const order = await service.deliver(id, callerOf(ctx, id, sent), { fulfillmentId });
      send(ctx, 200, order, sent.principal);
    },
  });
}
