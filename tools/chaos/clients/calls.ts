import type { OrderView } from '../../../src/orders/order-view';
import type { Line } from '../log';
import type { Call } from './caller';

const body = ({ productId, quantity }: Line) => ({ productServiceId: productId, quantity });
/** How many orders a list shows. */
const LISTED = 20;
const subjectOf = (orderId: string): string => `order:${orderId}`;

/** The calls that clients make, as requests of the API. */
export const calls = {
  place(token: string, items: Line[], paymentMethod: string, isAsync: boolean): Call {
    const args = { items, paymentMethod, ...(isAsync && { isAsync }) };
    const content = { items: items.map(body), paymentMethod };
    return {
      op: 'order.place',
      subject: null,
      args,
      request: { method: 'POST', path: '/orders', token, isAsync, body: content },
    };
  },

  read: (token: string, id: string): Call => ({
    op: 'order.read',
    subject: subjectOf(id),
    args: {},
    request: { method: 'GET', path: `/orders/${id}`, token },
  }),

  list: (token: string): Call => ({
    op: 'order.list',
    subject: null,
    args: { limit: LISTED },
    request: { method: 'GET', path: `/orders?limit=${LISTED}`, token },
  }),

  amend: (token: string, id: string, items: Line[], ifVersion: number): Call => ({
    op: 'order.amend',
    subject: subjectOf(id),
    args: { items, ifVersion },
    request: { method: 'PATCH', path: `/orders/${id}`, token, ifVersion, body: { items: items.map(body) } },
  }),

  /** @param items undefined for all that is open */
  cancel: (token: string, id: string, items?: Line[]): Call => ({
    op: 'order.cancel',
    subject: subjectOf(id),
    args: items ? { items } : {},
    request: {
      method: 'POST',
      path: `/orders/${id}/cancel`,
      token,
      body: items ? { items: items.map(body) } : {},
    },
  }),

  fulfill: (token: string, id: string, items: Line[]): Call => ({
    op: 'order.fulfill',
    subject: subjectOf(id),
    args: { items },
    request: { method: 'POST', path: `/orders/${id}/fulfillments`, token, body: { items: items.map(body) } },
  }),

  deliver: (token: string, id: string, fulfillmentId: string): Call => ({
    op: 'order.deliver',
    subject: subjectOf(id),
    args: { fulfillmentId },
    request: { method: 'POST', path: `/orders/${id}/fulfillments/${fulfillmentId}/deliver`, token },
  }),

  /** @param amount undefined for all that is left */
  refund: (token: string, id: string, amount?: number): Call => ({
    op: 'order.refund',
    subject: subjectOf(id),
    args: amount === undefined ? {} : { amount },
    request: {
      method: 'POST',
      path: `/orders/${id}/refunds`,
      token,
      body: { ...(amount !== undefined && { amount }), reason: 'chaos' },
    },
  }),

  /** Of a user who is signed in: there is one open cart of each. */
  createCart: (token: string): Call => ({
    op: 'cart.create',
    subject: null,
    args: {},
    request: { method: 'POST', path: '/carts', token },
  }),

  putIntoCart: (token: string, cartId: string, line: Line): Call => ({
    op: 'cart.put',
    subject: `cart:${cartId}`,
    args: { line },
    request: {
      method: 'PUT',
      path: `/carts/${cartId}/items/${line.productId}`,
      token,
      body: { quantity: line.quantity },
    },
  }),

  checkOut: (token: string, cartId: string, paymentMethod: string): Call => ({
    op: 'cart.checkout',
    subject: `cart:${cartId}`,
    args: { paymentMethod, cartId },
    request: { method: 'POST', path: `/carts/${cartId}/checkout`, token, body: { paymentMethod } },
  }),

  readStock: (token: string, productId: string): Call => ({
    op: 'stock.read',
    subject: `stock:${productId}`,
    args: {},
    request: { method: 'GET', path: `/product-services/${productId}`, token },
  }),

  adjustStock: (token: string, productId: string, delta: number): Call => ({
    op: 'stock.adjust',
    subject: `stock:${productId}`,
    args: { delta },
    request: {
      method: 'POST',
      path: `/product-services/${productId}/stock-adjustments`,
      token,
      body: { delta, reason: 'chaos' },
    },
  }),
};

/** Returns the units of each line that are neither fulfilled nor cancelled. */
export function openLines(order: OrderView): Line[] {
  return order.items
    .map(({ productServiceId, quantity, fulfilledQuantity, cancelledQuantity }) => ({
      productId: productServiceId,
      quantity: quantity - fulfilledQuantity - cancelledQuantity,
    }))
    .filter(({ quantity }) => quantity > 0);
}
