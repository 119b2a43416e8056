import type { Config } from '../config';
import { pendingCompensations } from '../domain/compensation';
import {
  dueOf,
  type Compensation,
  type Fulfillment,
  type Order,
  type OrderItem,
  type OrderLine,
  type Refund,
  type ShippingAddress,
  type StatusChange,
} from '../domain/order';
import type { PaymentAction } from '../domain/payment';
import type { Rejection } from '../domain/rejection';
import type { Principal } from '../role/principal';
import { orderWorkflowId } from '../../workflows/contract';
import type {
  CompensationView,
  FulfillmentView,
  OrderItemView,
  OrderView,
  PaymentActionView,
  RefundView,
} from './order-view';

/** Where operators look at orders. */
export interface OrderLinks {
  uiUrl: string;
  namespace: string;
  /** The URL of the traces of an order, with `{orderId}` in it. */
  traceUiUrl?: string;
}

export function orderLinksOf({ temporal, telemetry }: Pick<Config, 'temporal' | 'telemetry'>): OrderLinks {
  const { uiUrl, namespace } = temporal;
  return { uiUrl, namespace, traceUiUrl: telemetry.traceUiUrl };
}

export type OrderPresenter = ReturnType<typeof createOrderPresenter>;

/** Presents orders to the caller: to an ADMIN together with all that it takes to operate them. */
export function createOrderPresenter({ uiUrl, namespace, traceUiUrl }: OrderLinks) {
  return (order: Order, caller: Principal, action: PaymentAction | null = null): OrderView => {
    const workflowId = orderWorkflowId(order.id);
    const isAdmin = caller.role === 'ADMIN';
    return {
      id: order.id,
      number: order.number,
      externalRef: order.externalRef,
      metadata: { ...order.metadata },
      customerId: order.customerId,
      status: order.status,
      paymentStatus: order.paymentStatus,
      fulfillmentStatus: order.fulfillmentStatus,
      items: order.items.map(presentItem),
      currency: order.currency,
      subtotal: order.subtotal,
      tax: order.tax,
      total: order.total,
      cancelled: order.cancelled,
      due: dueOf(order),
      captured: order.captured,
      refunded: order.refunded,
      captures: order.payment?.captures ?? 'once',
      fulfillments: order.fulfillments
        .filter(({ undone }) => !undone)
        .map((fulfillment) => presentFulfillment(fulfillment, isAdmin)),
      refunds: order.refunds.map((refund) => presentRefund(refund, isAdmin)),
      attempts: order.attempts.map(({ paymentMethod, at, outcome, reason }) => {
        return { paymentMethod, at, outcome, reason };
      }),
      retryUntil: order.paymentStatus === 'declined' ? order.retryUntil : null,
      ...(action && { paymentAction: presentAction(action, order.payBy!) }),
      note: order.note,
      shippingAddress: order.shippingAddress && presentAddress(order.shippingAddress),
      rejection: order.rejection && presentRejection(order.rejection),
      statusHistory: order.statusHistory.map((change) =>
        presentStatusChange(change, isAdmin ? null : [order.customerId, caller.id]),
      ),
      version: order.version,
      workflowId,
      ...(isAdmin && {
        temporalUrl: `${uiUrl}/namespaces/${namespace}/workflows/${workflowId}`,
        ...(traceUiUrl !== undefined && { traceUrl: traceUiUrl.replaceAll('{orderId}', order.id) }),
        compensationPending: pendingCompensations(order).length > 0,
        compensations: order.compensations.map(presentCompensation),
        archivedAt: order.archivedAt,
        overdueSince: order.overdueSince,
        disputes: order.disputes.map(({ id, amount, status, reason, at }) => {
          return { id, amount, status, reason, at };
        }),
      }),
      createdAt: order.createdAt,
      updatedAt: order.updatedAt,
    };
  };
}

function presentItem(item: OrderItem): OrderItemView {
  return {
    productServiceId: item.productServiceId,
    sku: item.sku,
    name: item.name,
    kind: item.kind,
    quantity: item.quantity,
    unitPrice: item.unitPrice,
    taxRateBps: item.taxRateBps,
    priceIncludesTax: item.priceIncludesTax,
    subtotal: item.subtotal,
    tax: item.tax,
    total: item.total,
    fulfilledQuantity: item.fulfilledQuantity,
    cancelledQuantity: item.cancelledQuantity,
    refundedQuantity: item.refundedQuantity,
  };
}

function presentFulfillment(fulfillment: Fulfillment, isAdmin: boolean): FulfillmentView {
  const { id, items, carrier, trackingNumber, by, createdAt, deliveredAt } = fulfillment;
  const view = { id, items: items.map(presentLine), carrier, trackingNumber, createdAt, deliveredAt };
  return isAdmin ? { ...view, by } : view;
}

function presentLine({ productServiceId, quantity }: OrderLine): OrderLine {
  return { productServiceId, quantity };
}

/** @param own the ids of the customer to whom it is presented; null for an ADMIN */
function presentStatusChange(change: StatusChange, own: readonly string[] | null): StatusChange {
  const { at, axis, from, to, by, reason, internalNote } = change;
  const view = { at, axis, from, to, by, reason };
  if (own === null) return { ...view, ...(internalNote !== undefined && { internalNote }) };
  return { ...view, by: own.includes(by) || NOBODY.has(by) ? by : 'staff' };
}

/** By whom changes are that neither the customer nor the staff make. */
const NOBODY: ReadonlySet<string> = new Set(['system', 'provider']);

function presentRefund(refund: Refund, isAdmin: boolean): RefundView {
  const { id, amount, status, items, reason, internalNote, by, createdAt } = refund;
  const lines = items.map(({ productServiceId, quantity, restock }) => {
    return { productServiceId, quantity, restock };
  });
  const made: RefundView['by'] = by === 'system' || by === 'provider' ? by : 'staff';
  const view = { id, amount, status, items: lines, by: made, reason, createdAt };
  return isAdmin && internalNote !== undefined ? { ...view, internalNote } : view;
}

/** The payment service may have its own deadline, which may be earlier than the order's. */
function presentAction(action: PaymentAction, payBy: string): PaymentActionView {
  const { type, clientSecret, redirectUrl, expiresAt = payBy } = action;
  return {
    type,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(redirectUrl !== undefined && { redirectUrl }),
    expiresAt: expiresAt < payBy ? expiresAt : payBy,
  };
}

function presentCompensation(compensation: Compensation): CompensationView {
  const { step, kind, state, payment, amount, since, failure, resolution } = compensation;
  const { currency } = payment;
  const settled = resolution && { note: resolution.note, by: resolution.by, at: resolution.at };
  return { step, kind, state, amount, currency, since, failure, resolution: settled };
}

function presentRejection({ code, detail, existingOrderId }: Rejection): Rejection {
  return { code, detail, ...(existingOrderId !== undefined && { existingOrderId }) };
}

export function presentAddress(address: ShippingAddress): ShippingAddress {
  const { name, line1, line2, city, region, postalCode, country } = address;
  return {
    name,
    line1,
    ...(line2 && { line2 }),
    city,
    ...(region && { region }),
    ...(postalCode && { postalCode }),
    country,
  };
}
