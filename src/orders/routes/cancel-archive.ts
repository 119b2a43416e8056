import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { EXAMPLE_CANCELLED } from '../schema/example';
import { adminOnly, cancelOrderBody, orderIdParams } from '../schema/requests';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';

export function cancelOrderRoute({ service, present, guests }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders/:id/cancel',
    role: Role.CUSTOMER,
    scope: 'orders:write',
    identify: guests,
    operationId: 'cancelOrder',
    summary: 'Cancel an order',
    description:
      'Cancels all that is open of it, which is what was neither fulfilled nor cancelled: its stock is released, what ' +
      'is reserved of its payment is voided or released, and what was captured for it is paid back. ADMINs may cancel ' +
      'single units. If something was fulfilled, the order continues with that; otherwise it is closed. The response ' +
      'is 409 if nothing is open.',
    tag: TAG,
    params: orderIdParams,
    idempotency: 'optional',
    ifMatch: 'optional',
    body: cancelOrderBody,
    responses: {
      200: { ...orderResponse('The order without what is cancelled'), example: EXAMPLE_CANCELLED },
    },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id }, body: { items, reason = null, internalNote }, ...sent }) {
      if (sent.principal.role !== Role.ADMIN) {
        if (items) throw adminOnly('items');
        if (internalNote) throw adminOnly('internalNote');
      }
      const content = { reason, ...(items && { items }), ...(internalNote && { internalNote }) };
      const order = await service.cancel(id, callerOf(ctx, id, sent), content);
      send(ctx, 200, order, sent.principal);
    },
  });
}

export function archiveOrderRoute({ service }: OrderRouteDeps): Route {
  return route({
    method: 'delete',
    path: '/orders/:id',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'archiveOrder',
    summary: 'Archive a closed order',
    description:
      'Removes it from the lists; it can still be read by its id. The response is 409 if the order is open ' +
      'or has an outstanding compensation.',
    tag: TAG,
    params: orderIdParams,
    idempotency: 'optional',
    ifMatch: 'optional',
    responses: { 204: { description: 'The order is archived' } },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id }, ...sent }) {
      await service.archive(id, callerOf(ctx, id, sent));
      ctx.status = 204;
    },
  });
}
