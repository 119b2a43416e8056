import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import { callerOf, orderResponse, orderSender, REPLAYED, TAG, type OrderRouteDeps } from './responses';
import { refundOrderBody, refundOrderHeaders } from '../schema/command-requests';
import { requireIdempotencyKey } from './problems';
import { orderIdParams } from '../schema/requests';

/** `POST /orders/:id/refunds`: once for each key, and never more than was captured. */
export function refundOrderRoute({ service, present }: OrderRouteDeps): Route {
  const { sendAddition } = orderSender(present);
  return route({
    method: 'post',
    path: '/orders/:id/refunds',
    role: Role.ADMIN,
    scope: 'refunds:write',
    operationId: 'refundOrder',
    summary: 'Refund an order, or a part of it',
    description:
      'As often as something is left of what was captured, also after the order is completed. Repeat the request with ' +
      'the same Idempotency-Key whenever you do not know what became of it.',
    tag: TAG,
    params: orderIdParams,
    headers: refundOrderHeaders,
    body: refundOrderBody,
    responses: { 201: { ...orderResponse('The order with the refund'), optionalHeaders: REPLAYED } },
    errors: [
      'not_found',
      'invalid_transition',
      'payment_declined',
      'idempotency_key_required',
      'idempotency_key_reused',
      'service_unavailable',
    ],
    async handler(ctx, { params, headers, body, principal }) {
      const caller = callerOf(ctx, params.id, principal);
      const key = requireIdempotencyKey(headers['idempotency-key'], 'refund');
      const content = { amount: body.amount ?? null, reason: body.reason };
      sendAddition(ctx, await service.refund(params.id, caller, content, key), principal);
    },
  });
}
