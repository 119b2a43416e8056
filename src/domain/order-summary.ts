import { paymentTaskOf, type PaymentTask } from './intention';
import { unsettled } from './compensation';
import { waitingSince } from './overdue';
import { isCapturable } from './order-payment';
import { customerWaitOf, type CustomerWait } from './paying';
import type { PaymentRef } from './payment';
import {
  ORDER_STATUSES,
  type AnsweredCommand,
  type Compensation,
  type ErrorRecord,
  type Order,
  type OrderItem,
  type OrderState,
} from './order';
import type { Rejection } from './rejection';

/** What a workflow knows of its order. Its size does not depend on the order's. */
export interface OrderSummary extends OrderState {
  number: string;
  version: number;
  resumedRevision: number;
  currency: string | null;
  /** Minor units. */
  total: number | null;
  captured: number;
  refunded: number;
  rejection: Rejection | null;
  /** Present if no fulfillment captures anything of its payment any more. */
  isPaymentClosed?: true;
  /** Since when it waits for its next fulfillment, ISO 8601; null if it waits for none, or is known to be overdue. */
  waitingSince: string | null;
  /** Present if it waits longer than its policy allows. */
  isOverdue?: true;
  /** What it waits for the customer to do, if it does. */
  awaits?: CustomerWait;
  /** The payments that are to be voided or refunded. */
  owed: Owed[];
  /** The call of the payment service that the order waits for. */
  toPay: PaymentTask | null;
}

/** A compensation that is not settled. */
export type Owed = Pick<
  Compensation,
  'step' | 'kind' | 'payment' | 'amount' | 'refundId' | 'state' | 'since' | 'failure'
>;

/** A summary, and how the order has answered the command that led to it. */
export interface OrderAnswer extends OrderSummary {
  /** Null if the command was not answered, because another one has to be finished first, or the order was resumed. */
  answer: Pick<AnsweredCommand, 'version' | 'error'> | null;
}

export function summaryOf(order: Order): OrderSummary {
  const { version, resumedRevision, status, paymentStatus, fulfillmentStatus } = order;
  const { currency, total, captured, refunded, rejection } = order;
  return {
    number: order.number,
    version,
    resumedRevision,
    status,
    paymentStatus,
    fulfillmentStatus,
    currency,
    total,
    captured,
    refunded,
    rejection,
    ...(!isCapturable(order) && { isPaymentClosed: true }),
    waitingSince: order.overdueSince ? null : waitingSince(order),
    ...(order.overdueSince && { isOverdue: true }),
    ...awaits(order),
    owed: unsettled(order).map(owed),
    toPay: paymentTaskOf(order),
  };
}

function awaits(order: Order): Pick<OrderSummary, 'awaits'> {
  const wait = customerWaitOf(order);
  return wait ? { awaits: wait } : {};
}

function owed({ step, kind, payment, amount, refundId, state, since, failure }: Compensation): Owed {
  return { step, kind, payment, amount, ...(refundId && { refundId }), state, since, failure };
}

/** A summary after a look at the payment of the order. */
export interface CheckedAnswer extends OrderSummary {
  /** The payment for which the payment service is to be asked; null if the order is in line with it, or it is not its own. */
  toInspect: PaymentRef | null;
}

/** @param commandId the command that led to this state of the order */
export function answerOf(order: Order, commandId: string): OrderAnswer {
  const summary = summaryOf(order);
  const found = order.commands.find(({ id }) => id === commandId);
  if (found) return { ...summary, answer: { version: found.version, error: found.error } };
  // What was added stays, after the order has forgotten the command.
  const isAdded = [...order.fulfillments, ...order.refunds].some(({ id }) => id === commandId);
  return { ...summary, answer: isAdded ? { version: order.version, error: null } : null };
}

/** Returns the answer to a command that the order does not remember, since it has another content. */
export function refusal(order: Order, error: ErrorRecord): OrderAnswer {
  return { ...summaryOf(order), answer: { version: order.version, error } };
}

/** The last is there if the unit price contains the tax. */
type SnapshotLine = [
  sku: string | null,
  unitPrice: number | null,
  taxRateBps: number | null,
  priceIncludesTax?: true,
];

/** What pricing has made of an order, in short: enough to write it again without the catalogue of that time. */
export interface Snapshot {
  /** For each line in their order. The unit price is in minor units, the tax rate in basis points. */
  lines: SnapshotLine[];
  subtotal: number | null;
  tax: number | null;
  reference: string | null;
  /** Absent if the payment is captured once. */
  captures?: 'many';
}

/** The answer to an amendment of the lines, with what pricing has made of them, or will when they are paid. */
export interface AmendedAnswer extends OrderAnswer {
  snapshot: Snapshot;
  /** Of the lines, which may be more than those of the command. */
  quantities: number[];
  paymentKey: string | null;
}

export function amendedAnswer(answer: OrderAnswer, order: Order): AmendedAnswer {
  const { intention, payment } = order;
  if (intention?.kind !== 'amendment') {
    return { ...answer, ...linesOf(order), paymentKey: payment?.key ?? null };
  }
  const { amendment, payment: intended } = intention;
  const { subtotal, tax, items } = amendment.pricing ?? order;
  const amended = { subtotal, tax, items, payment: intended };
  return { ...answer, ...linesOf(amended), paymentKey: intended.key };
}

function linesOf(order: Priced): Pick<AmendedAnswer, 'snapshot' | 'quantities'> {
  return { snapshot: snapshotOf(order), quantities: order.items.map(({ quantity }) => quantity) };
}

/** The answer to undoing a fulfillment: how many units of each line are cancelled depends on the stock of that time. */
export interface UndoneAnswer extends OrderAnswer {
  cancelledQuantities: number[];
}

export function undoneAnswer(answer: OrderAnswer, { items }: Order): UndoneAnswer {
  return { ...answer, cancelledQuantities: items.map(({ cancelledQuantity }) => cancelledQuantity) };
}

/** The part of an order that a snapshot is made of. */
interface Priced extends Pick<Order, 'subtotal' | 'tax' | 'payment'> {
  items: readonly Pick<OrderItem, 'sku' | 'quantity' | 'unitPrice' | 'taxRateBps' | 'priceIncludesTax'>[];
}

export function snapshotOf({ items, subtotal, tax, payment }: Priced): Snapshot {
  const lines = items.map(({ sku, unitPrice, taxRateBps, priceIncludesTax }): SnapshotLine =>
    priceIncludesTax ? [sku, unitPrice, taxRateBps, true] : [sku, unitPrice, taxRateBps],
  );
  const isInParts = payment?.captures === 'many';
  return {
    lines,
    subtotal,
    tax,
    reference: payment?.reference ?? null,
    ...(isInParts && { captures: 'many' }),
  };
}

/** The answer to placing an order, and how long its parts took, in milliseconds. */
export interface PlacedAnswer extends OrderAnswer {
  /** Whether this run of the step has saved the order. One that was found may have been interrupted at any point. */
  isNew: boolean;
  snapshot: Snapshot;
  took: Record<string, number>;
}

/** Tells whether a value is a summary of an order, and not something that came from elsewhere. */
export function isSummary(value: unknown): value is OrderSummary {
  if (typeof value !== 'object' || value === null) return false;
  const { version, status, owed } = value as Partial<OrderSummary>;
  return (
    Number.isSafeInteger(version) &&
    ORDER_STATUSES.includes(status!) &&
    Array.isArray(owed) &&
    'toPay' in value
  );
}

/** Tells whether a value is the answer to placing an order. */
export function isPlacedAnswer(value: unknown): value is PlacedAnswer {
  if (!isSummary(value)) return false;
  const { answer, isNew, took } = value as Partial<PlacedAnswer>;
  return (
    typeof answer === 'object' &&
    answer !== null &&
    typeof isNew === 'boolean' &&
    typeof took === 'object' &&
    took !== null
  );
}
