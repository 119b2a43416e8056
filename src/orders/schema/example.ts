import { orderNumberOf } from '../../domain/order-number';
import type { OrderView } from '../order-view';

const ID = 'ord_ac7967cc99a25d866a92bd7e36ebf6d2';
const ALICE = 'usr_01HZX000000000000000A11CE0';
const PLACED_AT = '2026-01-15T09:30:00.000Z';
const CONFIRMED_AT = '2026-01-15T09:30:00.150Z';
const BY_SYSTEM = { at: CONFIRMED_AT, by: 'system', reason: null };
const AMOUNTS = { subtotal: 3_998, tax: 760, total: 4_758 };

/** The order that the example of a request places, given the demo data. */
export const EXAMPLE_ORDER: OrderView = {
  id: ID,
  number: orderNumberOf(ID),
  externalRef: null,
  metadata: { channel: 'web' },
  customerId: ALICE,
  status: 'confirmed',
  paymentStatus: 'authorized',
  fulfillmentStatus: 'unfulfilled',
  items: [
    {
      productServiceId: 'ps_01HZX0000000000000TSHRTM00',
      sku: 'TSHIRT-M',
      name: 'T-shirt, M',
      kind: 'product',
      quantity: 2,
      unitPrice: 1_999,
      taxRateBps: 1_900,
      priceIncludesTax: false,
      ...AMOUNTS,
      fulfilledQuantity: 0,
      cancelledQuantity: 0,
      refundedQuantity: 0,
    },
  ],
  currency: 'EUR',
  ...AMOUNTS,
  cancelled: 0,
  due: AMOUNTS.total,
  captured: 0,
  refunded: 0,
  attempts: [],
  retryUntil: null,
  captures: 'many',
  fulfillments: [],
  refunds: [],
  note: 'Please ring twice.',
  shippingAddress: null,
  rejection: null,
  statusHistory: [
    { at: PLACED_AT, axis: 'status', from: null, to: 'pending', by: ALICE, reason: null },
    { ...BY_SYSTEM, axis: 'paymentStatus', from: 'pending', to: 'authorized' },
    { ...BY_SYSTEM, axis: 'status', from: 'pending', to: 'confirmed' },
  ],
  version: 2,
  workflowId: `order-${ID}`,
  createdAt: PLACED_AT,
  updatedAt: CONFIRMED_AT,
};

const SHIPPED_AT = '2026-01-16T14:05:00.000Z';
const CANCELLED_AT = '2026-01-17T08:20:00.000Z';
const HALF = AMOUNTS.total / 2;
const [LINE] = EXAMPLE_ORDER.items;
const BY_STAFF = { by: 'staff', reason: null };
const SHIPPED = { ...BY_STAFF, at: SHIPPED_AT };

/** The same order after one of its units was shipped and the other one was given up. */
export const EXAMPLE_CLOSED_SHORT: OrderView = {
  ...EXAMPLE_ORDER,
  paymentStatus: 'captured',
  fulfillmentStatus: 'fulfilled',
  items: [{ ...LINE!, fulfilledQuantity: 1, cancelledQuantity: 1 }],
  cancelled: HALF,
  due: HALF,
  captured: HALF,
  fulfillments: [
    {
      id: 'ful_31d0b9f7a41dbd20bfe8ed2be2a4dd4b',
      items: [{ productServiceId: LINE!.productServiceId, quantity: 1 }],
      carrier: 'DHL',
      trackingNumber: '00340434161094021501',
      createdAt: SHIPPED_AT,
      deliveredAt: null,
    },
  ],
  statusHistory: [
    ...EXAMPLE_ORDER.statusHistory,
    { ...SHIPPED, axis: 'paymentStatus', from: 'authorized', to: 'captured' },
    { ...SHIPPED, axis: 'fulfillmentStatus', from: 'unfulfilled', to: 'partially_fulfilled' },
    {
      ...BY_STAFF,
      at: CANCELLED_AT,
      reason: 'Broken in the warehouse',
      axis: 'fulfillmentStatus',
      from: 'partially_fulfilled',
      to: 'fulfilled',
    },
  ],
  version: 4,
  updatedAt: CANCELLED_AT,
};
