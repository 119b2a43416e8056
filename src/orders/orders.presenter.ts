import type { Order, OrderItem, ShippingAddress } from '../domain/order';
import type { Principal } from '../jwt/principal';
import { orderWorkflowId } from '../../workflows/contract';

export interface TemporalLinks {
  uiUrl: string;
  namespace: string;
}

export type OrderPresenter = (order: Order, principal: Principal) => Record<string, unknown>;

/** What the API shows of an order; ADMINs also get the way to it in the Temporal UI. */
export function createOrderPresenter({ uiUrl, namespace }: TemporalLinks): OrderPresenter {
  return (order, { role }) => {
    const workflowId = orderWorkflowId(order.id);
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
      refunded: 0,
      fulfillments: [],
      refunds: [],
      note: order.note,
      shippingAddress: order.shippingAddress && presentAddress(order.shippingAddress),
      rejection: order.rejection && { code: order.rejection.code, detail: order.rejection.detail },
      statusHistory: order.statusHistory.map(({ at, axis, from, to, by, reason }) => {
        return { at, axis, from, to, by, reason };
      }),
      version: order.version,
      workflowId,
      ...(role === 'ADMIN' && { temporalUrl: `${uiUrl}/namespaces/${namespace}/workflows/${workflowId}` }),
      createdAt: order.createdAt,
      updatedAt: order.updatedAt,
    };
  };
}

function presentItem(item: OrderItem): Record<string, unknown> {
  const { productServiceId, sku, name, kind, quantity, unitPrice, taxRateBps, subtotal, tax, total } = item;
  return {
    ...{ productServiceId, sku, name, kind, quantity, unitPrice, taxRateBps, subtotal, tax, total },
    fulfilledQuantity: 0,
  };
}

function presentAddress(address: ShippingAddress): ShippingAddress {
  const { name, line1, line2, city, region, postalCode, country } = address;
  return { name, line1, ...(line2 && { line2 }), city, ...(region && { region }), postalCode, country };
}
