import { route, type Route } from '../../http/route';
import type { ErrorCode } from '../../errors/problems';
import { Role } from '../../role/role';
import { callerOf, orderResponse, orderSender, TAG, type OrderRouteDeps } from './responses';
import { compensationParams, resolveCompensationBody } from '../schema/command-requests';

const ERRORS: ErrorCode[] = ['not_found', 'service_unavailable'];

/** What an operator does about a compensation that is not done yet. */
export function compensationRoutes({ service, present }: OrderRouteDeps): Route[] {
  const { send } = orderSender(present);

  const retry = route({
    method: 'post',
    path: '/orders/:id/compensations/:step/retry',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'retryCompensation',
    summary: 'Try a compensation that is owed at once',
    description:
      'It is tried again without end anyway. The order tells what came of it: `compensations`. One that is `owed` while ' +
      'no workflow is at work on the order, since somebody terminated it, is taken up again by this.',
    tag: TAG,
    params: compensationParams,
    responses: { 200: orderResponse('The order after the attempt') },
    errors: ERRORS,
    async handler(ctx, { params: { id, step }, principal }) {
      const order = await service.retryCompensation(id, callerOf(ctx, id, principal), { step });
      send(ctx, 200, order, principal);
    },
  });

  const resolve = route({
    method: 'post',
    path: '/orders/:id/compensations/:step/resolve',
    role: Role.ADMIN,
    scope: 'orders:write',
    operationId: 'resolveCompensation',
    summary: 'Say that a compensation that is owed was settled by hand',
    description:
      'It is not tried again. The note says what was done about it. When the attempt under way just then gives the ' +
      'payment back after all, the answer is 409, so that the customer is not paid twice.',
    tag: TAG,
    params: compensationParams,
    body: resolveCompensationBody,
    responses: { 200: orderResponse('The order with the compensation as resolved') },
    errors: [...ERRORS, 'invalid_transition'],
    async handler(ctx, { params: { id, step }, body, principal }) {
      const order = await service.resolveCompensation(id, callerOf(ctx, id, principal), { step, ...body });
      send(ctx, 200, order, principal);
    },
  });

  return [retry, resolve];
}
