import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';
import { cancelOrderBody } from '../schema/command-requests';
import { orderIdParams } from '../schema/requests';

/** Cancelling an order, and putting a closed one away. */
export function closingRoutes({ service, present }: OrderRouteDeps): Route[] {
  const { send } = orderSender(present);

  const cancel = route({
    method: 'post',
    path: '/orders/:id/cancel',
    role: Role.CUSTOMER,
    scope: 'orders:write',
    operationId: 'cancelOrder',
    summary: 'Cancel an order',
    description:
      'Releases its stock and gives back what is reserved of the payment. An order that is closed, or of which ' +
      'something is fulfilled, answers 409.',
    tag: TAG,
    params: orderIdParams,
    body: cancelOrderBody,
    responses: { 200: orderResponse('The cancelled order') },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id }, body, principal }) {
      const { reason = null } = body;
      const order = await service.cancel(id, callerOf(ctx, id, principal), { reason });
      send(ctx, 200, order, principal);
    },
  });

  const archive = route({
    method: 'delete',
    path: '/orders/:id',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'archiveOrder',
    summary: 'Archive a closed order',
    description:
      'It is gone from the lists, and still readable by its id. An order that is open or owes something answers 409.',
    tag: TAG,
    params: orderIdParams,
    responses: { 204: { description: 'It is archived' } },
    errors: ['not_found', 'invalid_transition', 'service_unavailable'],
    async handler(ctx, { params: { id }, principal }) {
      await service.archive(id, callerOf(ctx, id, principal));
      ctx.status = 204;
    },
  });

  return [cancel, archive];
}
