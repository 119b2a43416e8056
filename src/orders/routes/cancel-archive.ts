import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { cancelOrderBody, orderIdParams } from '../schema/requests';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';

export function cancelOrderRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders/:id/cancel',
    role: Role.CUSTOMER,
    scope: 'orders:write',
    operationId: 'cancelOrder',
    summary: 'Cancel an order',
    description:
      'Releases its stock and voids its payment. The response is 409 if the order is closed or something ' +
      'of it is fulfilled.',
    tag: TAG,
    params: orderIdParams,
    idempotency: 'optional',
    ifMatch: 'optional',
    body: cancelOrderBody,
    responses: { 200: orderResponse('The cancelled order') },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id }, body: { reason = null }, ...sent }) {
      const order = await service.cancel(id, callerOf(ctx, id, sent), { reason });
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
