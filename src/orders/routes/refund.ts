import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { EXAMPLE_REFUNDED } from '../schema/example';
import { orderIdParams, refundOrderBody } from '../schema/requests';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';

export function refundOrderRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders/:id/refunds',
    role: Role.ADMIN,
    scope: 'refunds:write',
    operationId: 'refundOrder',
    summary: 'Refund all or part of an order',
    description:
      'Of an amount, or of units that were fulfilled: the lines then say so in `refundedQuantity`, and the goods can come ' +
      'back into stock. Possible until everything is refunded, even after the order is completed. If you ' +
      'do not know whether a request succeeded, repeat it with the same Idempotency-Key.',
    tag: TAG,
    params: orderIdParams,
    idempotency: 'required',
    ifMatch: 'optional',
    body: refundOrderBody,
    responses: { 201: orderResponse('The order with the refund', EXAMPLE_REFUNDED) },
    errors: ['not_found', 'invalid_transition', 'payment_declined', 'service_unavailable'],
    async handler(ctx, { params: { id }, body: { amount = null, items, reason, internalNote }, ...sent }) {
      const content = { amount, ...(items && { items }), reason, ...(internalNote && { internalNote }) };
      const order = await service.refund(id, callerOf(ctx, id, sent), content);
      send(ctx, 201, order, sent.principal);
    },
  });
}
