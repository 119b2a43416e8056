import { expiryOf, type Cart, type PricedLine, type Quote } from '../domain/cart';
import type { OrderLine } from '../domain/order';
import { presentAddress } from '../orders/orders.presenter';
import type { CartView } from './cart-view';

/** @param token only in the response to making a guest's cart */
export function presentCart(cart: Cart, quote: Quote, token?: string): CartView {
  const { id, status, note, hold, orderId, version, createdAt, updatedAt } = cart;
  const isHeld = hold !== null && Date.parse(hold.until) > Date.now();
  return {
    id,
    ...(token !== undefined && { token }),
    status: status === 'ordered' ? 'ordered' : 'open',
    ...presentQuote(quote),
    shippingAddress: cart.shippingAddress && presentAddress(cart.shippingAddress),
    note,
    metadata: { ...cart.metadata },
    hold: isHeld ? { until: hold.until, items: hold.items.map(presentHeld) } : null,
    orderId,
    version,
    createdAt,
    updatedAt,
    expiresAt: expiryOf(cart),
  };
}

function presentHeld({ productServiceId, quantity }: OrderLine): OrderLine {
  return { productServiceId, quantity };
}

export function presentQuote({ items, currency, subtotal, tax, total }: Quote): Quote {
  return { items: items.map(presentLine), currency, subtotal, tax, total };
}

function presentLine(line: PricedLine): PricedLine {
  return {
    productServiceId: line.productServiceId,
    sku: line.sku,
    name: line.name,
    kind: line.kind,
    quantity: line.quantity,
    unitPrice: line.unitPrice,
    taxRateBps: line.taxRateBps,
    priceIncludesTax: line.priceIncludesTax,
    subtotal: line.subtotal,
    tax: line.tax,
    total: line.total,
    available: line.available,
    warnings: line.warnings.map(({ code, detail }) => ({ code, detail })),
  };
}
