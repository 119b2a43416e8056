import type { Order, OrderRequest } from '../../domain/order';
import { customerWaitOf, unpaidBecause } from '../../domain/paying';
import { REJECTION_CODES } from '../../domain/rejection';
import { AppError } from '../../errors/app-error';
import type { ErrorCode } from '../../errors/problems';
import type { Context } from '../../http/context';
import { preferencesOf } from '../../http/prefer';
import type { ResponseSpec } from '../../http/route';
import type { DeclineLimit } from '../../payments/declines/decline-limit';
import type { Principal } from '../../role/principal';
import type { Admission, Admitted, Outcome } from '../admission';
import type { Placement } from '../orders.service';
import { payerOf, paymentOutcomeOf } from './payer';
import { EXAMPLE_ACTION, EXAMPLE_ACTION_REQUIRED } from '../schema/example';
import { ETAG, orderResponse, orderSender, tellRepeat, type OrderRouteDeps } from './responses';

export interface PlaceOrderRouteDeps extends OrderRouteDeps {
  declines: Pick<DeclineLimit, 'requireBelow' | 'track'>;
  admission: Pick<Admission, 'admit'>;
  /** The path prefix of the API, for Location. */
  prefix: string;
  /** Called for each order that is accepted, to count it. */
  onAccepted?(): void;
}

const HEADERS = { Location: 'The path of the order', ...ETAG };

/** What is said of an order whose payment was asked for. */
export const PLACED = {
  responses: {
    201: {
      ...orderResponse('The order is placed: it is confirmed, or closed since then, as `status` says'),
      headers: HEADERS,
    },
    202: {
      ...orderResponse(
        'The order is accepted and not paid yet: it is still being placed, or its `paymentAction` says what the customer ' +
          'has to do. Read it at Location',
        { ...EXAMPLE_ACTION_REQUIRED, paymentAction: EXAMPLE_ACTION },
      ),
      headers: HEADERS,
    },
  } satisfies Record<number, ResponseSpec>,
  outcomeHeaders: { Location: HEADERS.Location },
  errors: [
    'payment_declined',
    'payment_action_failed',
    'payment_action_expired',
  ] satisfies ErrorCode[] as ErrorCode[],
};

export const APPLIED = { 'Preference-Applied': '`respond-async` or `wait=…`, if the request prefers it' };

/** All that an order can be rejected for, which a look at it tells as the response to placing it did. */
export const REJECTIONS: ErrorCode[] = [...new Set(Object.values(REJECTION_CODES))];

/**
 * Responds with an order whose payment was asked for: 201 if it is placed, 202 if it is not yet, or why it is not.
 * @param needsCard whether the order, which is not rejected, has to be paid with another card
 */
export function placementSender(
  { service, present, prefix }: PlaceOrderRouteDeps,
  needsCard: (order: Order) => boolean = waitsForCard,
) {
  const { send } = orderSender(present);
  return async (ctx: Context, order: Order, principal: Principal, status?: number): Promise<void> => {
    ctx.set('Location', `${prefix}/orders/${order.id}`);
    requirePaid(order, needsCard(order));
    const isWaiting = order.status === 'pending' || order.paymentStatus === 'action_required';
    const action = await service.paymentActionOf(order, principal);
    send(ctx, status ?? (isWaiting ? 202 : 201), order, principal, action);
  };
}

/**
 * Has orders placed and responds with what comes of it. Returns the order.
 * @param admitted its place among those that are being placed
 * @param prefer the Prefer header
 */
export function orderPlacer(deps: PlaceOrderRouteDeps) {
  const { service, declines, onAccepted } = deps;
  const send = placementSender(deps);
  return async (
    ctx: Context,
    request: OrderRequest,
    principal: Principal,
    { admitted, prefer }: { admitted: Admitted; prefer: string | undefined },
  ): Promise<Order> => {
    const payer = payerOf(ctx, principal, request);
    await declines.requireBelow(payer, () => service.isKnown(request.orderId));
    const { isAsync, withinMs, applied } = patienceOf(prefer);
    const place = () => (isAsync ? service.placeAsync(request) : service.place(request, withinMs));
    const begunAt = performance.now();
    const placement = await declines.track(payer, request.orderId, place, ({ order }) =>
      paymentOutcomeOf(order),
    );
    if (!isAsync && !placement.isReplay) admitted.settled(performance.now() - begunAt, outcomeOf(placement));
    if (placement.isReplay) tellRepeat(ctx);
    if (applied) ctx.set('Preference-Applied', applied);
    await send(ctx, placement.order, principal, isAsync ? 202 : undefined);
    if (!placement.isReplay) onAccepted?.();
    return placement.order;
  };
}

function outcomeOf({ order, isSettled }: Placement): Outcome {
  if (!isSettled) return 'unknown';
  return order.rejection ? 'rejected' : 'placed';
}

/** Does the work of placing an order, unless there is too much of it. @throws {AppError} service_unavailable */
export async function whenAdmitted<T>(
  { admission }: Pick<PlaceOrderRouteDeps, 'admission'>,
  work: (admitted: Admitted) => Promise<T>,
): Promise<T> {
  const admitted = admission.admit();
  try {
    return await work(admitted);
  } finally {
    admitted.leave();
  }
}

/** How long the client wants to wait until the order is placed (RFC 7240, 4.1 and 4.3). */
function patienceOf(prefer: string | undefined): { isAsync: boolean; withinMs?: number; applied?: string } {
  const preferences = preferencesOf(prefer);
  const wait = preferences.get('wait');
  if (wait !== undefined && /^\d{1,6}$/.test(wait)) {
    const seconds = Number(wait);
    return { isAsync: seconds === 0, withinMs: seconds * 1_000, applied: `wait=${seconds}` };
  }
  const isAsync = preferences.get('respond-async') === '';
  return { isAsync, ...(isAsync && { applied: 'respond-async' }) };
}

/** Returns whether the order is placed only if another card pays it in time. */
export function waitsForCard(order: Order): boolean {
  return customerWaitOf(order)?.what === 'card';
}

/** The response to an order that is rejected, or needs another card, is the reason: for a replay too. */
function requirePaid(order: Order, needsCard: boolean): void {
  const { id: orderId, rejection, retryUntil, total } = order;
  const why = rejection ?? (needsCard ? unpaidBecause(order) : null);
  if (!why) return;
  const { code, detail, existingOrderId } = why;
  throw new AppError(code, detail, {
    orderId,
    existingOrderId,
    ...(code === 'price_changed' && total !== null && { total }),
    ...(needsCard && retryUntil && { retryUntil }),
  });
}
