import { InvalidTransition, PriceChanged } from './errors';
import { requireRoomForDebt } from './closing';
import { nameOf, type Command } from './command';
import { owedVoid } from './compensation';
import type { AddressChange, Amendment, Order, OrderLine, OrderPayment, Pricing } from './order';
import { amendmentPayment } from './order-payment';
import { changeOrder, type ChangeMade } from './order-transitions';
import { unfulfilled } from './placing';
import { howToPay, isUnpaid } from './paying';
import { changedAddress } from './shipping-address';
import { reservationOf } from './stock';

export interface AmendOrder extends Command {
  items?: OrderLine[];
  note?: string | null;
  /** Null removes the address. */
  shippingAddress?: AddressChange | null;
  externalRef?: string | null;
  /** Replaces the whole map. */
  metadata?: Record<string, string> | null;
  /** The amendment is rejected unless the order costs this then, in minor units. */
  expectedTotal?: number;
}

/** @throws {InvalidTransition} */
export function requireAmendable(order: Order, { shippingAddress }: AmendOrder): void {
  if (order.status !== 'confirmed') {
    throw new InvalidTransition(
      `The order is ${order.status}: only a confirmed one can be amended. Place another order instead.`,
    );
  }
  if (isUnpaid(order)) throw new InvalidTransition(`${howToPay(order)} It can be amended when that is done.`);
  // An amended order has a payment of its own, so what was captured before would be lost.
  const isBegun = order.fulfillmentStatus !== 'unfulfilled' || order.fulfillments.length > 0;
  if (isBegun || order.captured > 0) {
    throw new InvalidTransition(
      'Fulfilling the order has begun: it can no longer be amended. Place another order for what is missing.',
    );
  }
  if (shippingAddress) changedAddress(order.shippingAddress, shippingAddress);
}

/**
 * Returns what the command changes.
 * @param pricing null when the lines stay
 * @throws {InvalidTransition}
 */
export function amendmentOf(order: Order, command: AmendOrder, pricing: Pricing | null): Amendment {
  const { note = order.note, shippingAddress: change, externalRef, metadata } = command;
  const shippingAddress =
    change === undefined ? order.shippingAddress : change && changedAddress(order.shippingAddress, change);
  return {
    pricing,
    note,
    shippingAddress,
    ...(externalRef !== undefined && { externalRef }),
    ...(metadata !== undefined && { metadata: metadata ?? {} }),
  };
}

/** @throws {PriceChanged} the order would not cost what the client expects */
export function requireExpectedTotal(
  { expectedTotal }: Pick<AmendOrder, 'expectedTotal'>,
  { total, currency }: Pick<Order, 'total' | 'currency'>,
): void {
  if (expectedTotal === undefined || expectedTotal === total) return;
  throw new PriceChanged(total!, currency!, expectedTotal);
}

/** Returns the payment that the new prices need, or null if the order keeps the one that it has. */
export function paymentFor(order: Order, { pricing }: Amendment): OrderPayment | null {
  const { payment, currency } = order;
  // It may be for less than the total: the customer paid again when units had been cancelled.
  if (!pricing || (pricing.total === payment!.amount && pricing.currency === currency)) return null;
  return amendmentPayment(order, pricing);
}

/**
 * Returns the order amended, or intending to amend once the payment of the new lines is authorised.
 * @param pricing of the new lines; null when the lines stay
 * @throws {InvalidTransition}
 */
export function amend(order: Order, command: AmendOrder, pricing: Pricing | null, at: string): Order {
  requireAmendable(order, command);
  const { by } = command;
  requireExpectedTotal(command, pricing ?? order);
  const amendment = amendmentOf(order, command, pricing);
  const payment = paymentFor(order, amendment);
  if (payment) requireRoomForDebt(order, 'amend it when they are');
  if (!payment || payment.amount === 0) return amendedOrder(order, amendment, payment, { at, by });
  const intention = {
    kind: 'amendment',
    command: nameOf(command),
    since: at,
    amendment,
    payment,
    by,
  } as const;
  return { ...order, intention };
}

/**
 * Returns the order with what was amended.
 * @param payment null when the payment stays; otherwise the payment that it replaces has to be voided
 * @throws {InvalidTransition}
 */
export function amendedOrder(
  order: Order,
  { pricing, ...rest }: Amendment,
  payment: OrderPayment | null,
  { at, by }: Omit<ChangeMade, 'reason'>,
): Order {
  const replaced = payment && order.payment!.amount > 0 ? [owedVoid(order.payment!, at)] : [];
  const next: Order = {
    ...order,
    ...(pricing && {
      ...pricing,
      items: pricing.items.map(unfulfilled),
      cancelled: 0,
      reservation: reservationOf(pricing),
    }),
    ...(payment && { payment }),
    compensations: [...order.compensations, ...replaced],
    ...rest,
  };
  return changeOrder(next, {}, { at, by, reason: null });
}
