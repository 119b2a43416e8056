import { BusinessError } from './errors';
import type { Command } from './command';
import { owedVoid } from './compensation';
import type { Order, OrderLine, OrderPayment, Pricing, ShippingAddress } from './order';
import { changeOrder, InvalidTransition, unfulfilled } from './order-transitions';

export interface AmendOrder extends Command {
  /** The versions that the client has seen; null for any. */
  ifMatch: number[] | null;
  items?: OrderLine[];
  note?: string | null;
  shippingAddress?: ShippingAddress | null;
}

/** The client has not seen the version that it wants to change. */
export class StaleVersion extends BusinessError {
  override name = 'StaleVersion';

  constructor(readonly version: number) {
    super(`The order has been changed meanwhile and is at version ${version}: read it again, then amend it.`);
  }
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

/** Whether the new prices need another authorisation. */
export function needsPayment(order: Order, pricing: Pricing | null): pricing is Pricing {
  return pricing !== null && (pricing.total !== order.total || pricing.currency !== order.currency);
}

/**
 * The order with new lines, note or address.
 * @param pricing null when the lines stay
 * @param payment null when the payment stays; else the one before is owed back
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

/** Services hold no stock. */
export function reservationOf({ items }: Pick<Pricing, 'items'>): 'held' | 'none' {
  return items.some(({ kind }) => kind === 'product') ? 'held' : 'none';
}
