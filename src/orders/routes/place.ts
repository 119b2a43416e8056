import { AppError } from '../../errors/app-error';
import { route, type Route } from '../../http/route';
import { invalid } from '../../errors/invalid';
import type { Principal } from '../../role/principal';
import { Role } from '../../role/role';
import { orderIdOf, orderRequest } from '../order-request';
import { adminOnly, placeOrderBody, placeOrderHeaders, type PlaceOrderBody } from '../schema/requests';
import {
  APPLIED,
  orderPlacer,
  PLACED,
  REJECTIONS,
  whenAdmitted,
  type PlaceOrderRouteDeps,
} from './placement';
import { logOrder, TAG } from './responses';

export function placeOrderRoute(deps: PlaceOrderRouteDeps): Route {
  const { service, users } = deps;
  const place = orderPlacer(deps);
  return route({
    method: 'post',
    path: '/orders',
    role: Role.CUSTOMER,
    scope: 'orders:write',
    operationId: 'placeOrder',
    summary: 'Place an order',
    description:
      'Fetches the product details, computes the totals, reserves the stock, saves the order and ' +
      'authorises the payment. If any of this fails, nothing is reserved or charged. Once you have a ' +
      'response, the order is never lost and never placed twice. If you do not know whether a request ' +
      'succeeded, repeat it with the same Idempotency-Key. After too many declined payments of a user, or ' +
      'from an address, the next ones get 429. While more orders arrive than can be placed in time, those beyond that get ' +
      '503 at once, with Retry-After, and nothing was begun for them.',
    tag: TAG,
    headers: placeOrderHeaders,
    idempotency: 'required',
    body: placeOrderBody,
    responses: {
      201: { ...PLACED.responses[201], optionalHeaders: APPLIED },
      202: { ...PLACED.responses[202], optionalHeaders: APPLIED },
    },
    outcomeHeaders: PLACED.outcomeHeaders,
    errors: [...REJECTIONS, 'service_unavailable'],
    handler: (ctx, { body, headers, idempotencyKey, principal }) =>
      whenAdmitted(deps, async (admitted) => {
        const customer = await customerOf(body, principal);
        const orderId = orderIdOf(customer.id, idempotencyKey, principal.id);
        const request = orderRequest(orderId, idempotencyKey, {
          customerId: customer.id,
          placedBy: principal.id,
          requestId: ctx.state.requestId,
          ...(principal.role === Role.ADMIN && { address: ctx.ip }),
          items: body.items,
          ...(body.expectedTotal !== undefined && { expectedTotal: body.expectedTotal }),
          paymentMethod: body.paymentMethod,
          note: body.note || null,
          shippingAddress: body.shippingAddress ?? null,
          externalRef: body.externalRef ?? undefined,
          metadata: body.metadata ?? undefined,
        });
        logOrder(ctx, orderId);
        if (customer.isDisabled && !(await service.isKnown(orderId))) throw customerDisabled();
        await place(ctx, request, principal, { admitted, prefer: headers.prefer });
      }),
  });

  async function customerOf(
    { customerId }: PlaceOrderBody,
    principal: Principal,
  ): Promise<{ id: string; isDisabled: boolean }> {
    if (customerId === undefined) return { id: ownIdOf(principal), isDisabled: false };
    if (principal.role !== 'ADMIN') throw adminOnly('customerId');
    const standing = await users.standingOf(customerId);
    if (standing === null) throw invalid([{ path: 'customerId', message: 'must be the id of a user' }]);
    // Of an erased customer an order is returned that was placed before, but nothing new can be ordered.
    if (!standing.isConfirmed && standing.status !== 'erased') throw customerUnconfirmed();
    return { id: customerId, isDisabled: standing.status !== 'active' };
  }
}

/** A person orders for themselves, which a program cannot. */
function ownIdOf({ id, scopes }: Principal): string {
  if (!scopes) return id;
  throw invalid([{ path: 'customerId', message: 'is required with an API key: name the customer' }]);
}

/** An order that was placed before is returned all the same: the request may be a repeat. */
function customerDisabled(): AppError {
  return new AppError(
    'invalid_transition',
    'The customer is disabled, so nothing can be ordered for them: make them active first, or name another customer.',
  );
}

/** The user may have given the address of another person, and would get what the staff orders for them. */
function customerUnconfirmed(): AppError {
  return invalid([
    { path: 'customerId', message: 'must be the id of a user who has confirmed the e-mail address' },
  ]);
}
