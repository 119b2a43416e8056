import { pendingCompensations } from '../domain/compensation';
import type {
  Compensation,
  Fulfillment,
  Order,
  OrderItem,
  OrderLine,
  Refund,
  ShippingAddress,
} from '../domain/order';
import type { Principal } from '../role/principal';
import { orderWorkflowId } from '../../workflows/contract';

export interface TemporalLinks {
  uiUrl: string;
  namespace: string;
}

export type OrderPresenter = (order: Order, principal: Principal) => Record<string, unknown>;

/** What the API shows of an order; ADMINs also get what operating it takes. */
export function createOrderPresenter({ uiUrl, namespace }: TemporalLinks): OrderPresenter {
  return (order, { role }) => {
    const workflowId = orderWorkflowId(order.id);
    const isAdmin = role === 'ADMIN';
    return {
      id: order.id,
      customerId: order.customerId,
      status: order.status,
      paymentStatus: order.paymentStatus,
      fulfillmentStatus: order.fulfillmentStatus,
      items: order.items.map(presentItem),
      currency: order.currency,
      subtotal: order.subtotal,
      tax: order.tax,
      total: order.total,
      refunded: order.refunded,
      fulfillments: order.fulfillments.map((one) => ({
        ...presentFulfillment(one),
        ...(isAdmin && { by: one.by }),
      })),
      refunds: order.refunds.map((one) => ({ ...presentRefund(one), ...(isAdmin && { by: one.by }) })),
      note: order.note,
      shippingAddress: order.shippingAddress && presentAddress(order.shippingAddress),
      rejection: order.rejection && { code: order.rejection.code, detail: order.rejection.detail },
      statusHistory: order.statusHistory.map(({ at, axis, from, to, by, reason }) => {
        return { at, axis, from, to, by, reason };
      }),
      version: order.version,
      workflowId,
      ...(isAdmin && {
        temporalUrl: `${uiUrl}/namespaces/${namespace}/workflows/${workflowId}`,
        compensationPending: pendingCompensations(order).length > 0,
        compensations: order.compensations.map(presentCompensation),
        archivedAt: order.archivedAt,
      }),
      createdAt: order.createdAt,
      updatedAt: order.updatedAt,
    };
  };
}

function presentItem(item: OrderItem): OrderItem {
  const { productServiceId, sku, name, kind, quantity, fulfilledQuantity } = item;
  const { unitPrice, taxRateBps, subtotal, tax, total } = item;
  return {
    productServiceId,
    sku,
    name,
    kind,
    quantity,
    unitPrice,
    taxRateBps,
    subtotal,
    tax,
    total,
    fulfilledQuantity,
  };
}

function presentFulfillment(fulfillment: Fulfillment): Record<string, unknown> {
  const { id, items, carrier, trackingNumber, createdAt, deliveredAt } = fulfillment;
  return { id, items: items.map(presentLine), carrier, trackingNumber, createdAt, deliveredAt };
}

function presentLine({ productServiceId, quantity }: OrderLine): OrderLine {
  return { productServiceId, quantity };
}

function presentRefund({ id, amount, reason, createdAt }: Refund): Record<string, unknown> {
  return { id, amount, reason, createdAt };
}

function presentCompensation({
  step,
  state,
  payment,
  since,
  failure,
  resolution,
}: Compensation): Record<string, unknown> {
  const { amount, currency } = payment;
  const settled = resolution && { note: resolution.note, by: resolution.by, at: resolution.at };
  return { step, state, amount, currency, since, failure, resolution: settled };
}

function presentAddress(address: ShippingAddress): ShippingAddress {
  const { name, line1, line2, city, region, postalCode, country } = address;
  return { name, line1, ...(line2 && { line2 }), city, ...(region && { region }), postalCode, country };
}
