import type { ErrorCode } from '../../errors/problems';
import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { compensationParams, resolveCompensationBody } from '../schema/requests';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';

const ERRORS: ErrorCode[] = ['not_found', 'service_unavailable'];

export function retryCompensationRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders/:id/compensations/:step/retry',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'retryCompensation',
    summary: 'Retry an outstanding compensation now',
    description:
      'Compensations are retried automatically without limit; this makes one attempt at once. ' +
      '`compensations` in the response says how it went. If someone terminated the workflow of the order, ' +
      'this restarts it, even for a compensation that is `owed` but has never failed.',
    tag: TAG,
    params: compensationParams,
    ifMatch: 'optional',
    responses: { 200: orderResponse('The order after the attempt') },
    errors: ERRORS,
    async handler(ctx, { params: { id, step }, ...sent }) {
      const order = await service.retryCompensation(id, callerOf(ctx, id, sent), { step });
      send(ctx, 200, order, sent.principal);
    },
  });
}

export function resolveCompensationRoute({ service, present }: OrderRouteDeps): Route {
  const { send } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders/:id/compensations/:step/resolve',
    role: Role.ADMIN,
    scope: 'refunds:write',
    operationId: 'resolveCompensation',
    summary: 'Mark an outstanding compensation as resolved',
    description:
      'It is not retried any more. The note says how you settled it. If an attempt that is already running ' +
      'voids the payment after all, the response is 409, so that the customer is not paid twice.',
    tag: TAG,
    params: compensationParams,
    idempotency: 'optional',
    ifMatch: 'optional',
    body: resolveCompensationBody,
    responses: { 200: orderResponse('The order with the resolved compensation') },
    errors: [...ERRORS, 'invalid_transition'],
    async handler(ctx, { params: { id, step }, body, ...sent }) {
      const order = await service.resolveCompensation(id, callerOf(ctx, id, sent), { step, ...body });
      send(ctx, 200, order, sent.principal);
    },
  });
}
