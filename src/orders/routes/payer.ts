import type { Order } from '../../domain/order';
import type { Context } from '../../http/context';
import type { Payer, TrackedOutcome } from '../../payments/declines/decline-limit';
import { clientAddress } from '../../rate-limit/client-address';
import { isCustomer, type Principal } from '../../role/principal';

/**
 * Returns who pays for an order of that customer, and from where. An account pays for an order that it has taken over as the
 * guest whose it is, which is how `commandBy` names it, and workers count its declined payments.
 */
export function payerOf(
  ctx: Context,
  principal: Principal,
  { customerId }: Pick<Order, 'customerId'>,
): Payer {
  const isForOthers = !isCustomer(principal, customerId);
  const by = principal.role === 'ADMIN' ? principal.id : customerId;
  return { by, isForOthers, address: clientAddress(ctx.ip) };
}

/** Returns what has become of the payment that was sent last. */
export function paymentOutcomeOf({ paymentStatus }: Pick<Order, 'paymentStatus'>): TrackedOutcome {
  if (paymentStatus === 'pending' || paymentStatus === 'action_required') return 'open';
  return paymentStatus === 'declined' ? 'declined' : 'done';
}
