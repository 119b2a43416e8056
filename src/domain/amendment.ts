import { InvalidTransition, StaleVersion } from './errors';
import type { Command } from './command';
import { owedVoid } from './compensation';
import type { Order, OrderLine, OrderPayment, Pricing, ShippingAddress } from './order';
import { changeOrder } from './order-transitions';
import { unfulfilled } from './placing';
import { reservationOf } from './stock';

export interface AmendOrder extends Command {
  /** The versions of the If-Match header; null for any version. */
  ifMatch: number[] | null;
  items?: OrderLine[];
  note?: string | null;
  shippingAddress?: ShippingAddress | null;
}

/** @throws {StaleVersion} @throws {InvalidTransition} */
export function requireAmendable(order: Order, { ifMatch }: AmendOrder): void {
  if (ifMatch && !ifMatch.includes(order.version)) throw new StaleVersion(order.version);
  if (order.status !== 'confirmed') {
    throw new InvalidTransition(
      `The order is ${order.status}: only a confirmed one can be amended. Place another order instead.`,
    );
  }
  if (order.fulfillmentStatus !== 'unfulfilled') {
    throw new InvalidTransition(
      'Fulfilling the order has begun: it can no longer be amended. Place another order for what is missing.',
    );
  }
}

/** Returns whether the new prices need another authorisation. */
export function needsPayment(order: Order, pricing: Pricing | null): pricing is Pricing {
  return pricing !== null && (pricing.total !== order.total || pricing.currency !== order.currency);
}

/**
 * Returns the order with new lines, note or address.
 * @param pricing null when the lines stay
 * @param payment null when the payment stays; otherwise the payment that it replaces has to be voided
 */
export function amendedOrder(
  order: Order,
  command: AmendOrder,
  { pricing, payment }: { pricing: Pricing | null; payment: OrderPayment | null },
  at: string,
): Order {
  const { note = order.note, shippingAddress = order.shippingAddress, by } = command;
  const replaced = payment && order.payment!.amount > 0 ? [owedVoid(order.payment!, at)] : [];
  const next: Order = {
    ...order,
    ...(pricing && {
      ...pricing,
      items: pricing.items.map(unfulfilled),
      reservation: reservationOf(pricing),
    }),
    ...(payment && { payment }),
    compensations: [...order.compensations, ...replaced],
    note,
    shippingAddress,
  };
  return changeOrder(next, {}, { at, by, reason: null });
}
