import { orderNumberOf } from '../../domain/order-number';
import type { CompensationView, OrderView } from '../order-view';

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

const ADMIN = 'usr_01HZX000000000000000ADM1N0';
const DECIDED_AT = '2026-01-15T09:31:00.000Z';
const SHIPPED_AT = '2026-01-16T14:05:00.000Z';
const DELIVERED_AT = '2026-01-18T10:40:00.000Z';
const REFUNDED_AT = '2026-01-21T16:15:00.000Z';
const [LINE] = EXAMPLE_ORDER.items;
const [ASKED] = EXAMPLE_ORDER.statusHistory;
const HALF = AMOUNTS.total / 2;

/** What of an order only ADMINs see. */
const FOR_ADMINS = {
  temporalUrl: `http://localhost:8233/namespaces/default/workflows/order-${ID}`,
  compensationPending: false,
  compensations: [],
  archivedAt: null,
  overdueSince: null,
  disputes: [],
};

/** The order as an ADMIN sees it, to whom it also says who of the staff has done what. */
export const forAdmin = (order: OrderView): OrderView => ({ ...FOR_ADMINS, ...order });

/** As `Prefer: respond-async` gets it: nothing is known yet but what was asked for. */
const EXAMPLE_PENDING: OrderView = {
  ...EXAMPLE_ORDER,
  status: 'pending',
  paymentStatus: 'pending',
  items: [
    {
      ...LINE!,
      sku: null,
      name: null,
      kind: null,
      unitPrice: null,
      taxRateBps: null,
      priceIncludesTax: null,
      subtotal: null,
      tax: null,
      total: null,
    },
  ],
  currency: null,
  subtotal: null,
  tax: null,
  total: null,
  due: null,
  captures: 'once',
  statusHistory: [ASKED!],
  version: 0,
  updatedAt: PLACED_AT,
};

/** Its customer has to confirm the payment. */
export const EXAMPLE_ACTION_REQUIRED: OrderView = {
  ...EXAMPLE_ORDER,
  status: 'pending',
  paymentStatus: 'action_required',
  attempts: [
    {
      paymentMethod: 'pm_card_threeDSecure2Required',
      at: CONFIRMED_AT,
      outcome: 'action_required',
      reason: null,
    },
  ],
  statusHistory: [ASKED!, { ...BY_SYSTEM, axis: 'paymentStatus', from: 'pending', to: 'action_required' }],
};

/** What the response says that only the customer may see. */
export const EXAMPLE_ACTION = {
  type: 'redirect',
  redirectUrl:
    'http://localhost:3000/orders-management-system/payments/sandbox/actions/3f5b34bc00da163ee82a233bb62fd3a526299b64e316c6c8',
  expiresAt: '2026-01-15T10:00:00.150Z',
} as const;

/** There was not enough in stock. */
export const EXAMPLE_REJECTED: OrderView = {
  ...EXAMPLE_ORDER,
  status: 'rejected',
  paymentStatus: 'pending',
  fulfillmentStatus: 'cancelled',
  captures: 'once',
  rejection: {
    code: 'out_of_stock',
    detail: 'Not enough in stock: TSHIRT-M (2 ordered, 0 available). Nothing was changed; order fewer.',
  },
  statusHistory: [
    ASKED!,
    { ...BY_SYSTEM, axis: 'status', from: 'pending', to: 'rejected', reason: 'out_of_stock' },
    {
      ...BY_SYSTEM,
      axis: 'fulfillmentStatus',
      from: 'unfulfilled',
      to: 'cancelled',
      reason: 'out_of_stock',
    },
  ],
  version: 1,
};

export const EXAMPLE_CANCELLED: OrderView = {
  ...EXAMPLE_ORDER,
  status: 'cancelled',
  paymentStatus: 'voided',
  fulfillmentStatus: 'cancelled',
  items: [{ ...LINE!, cancelledQuantity: 2 }],
  cancelled: AMOUNTS.total,
  due: 0,
  statusHistory: [
    ...EXAMPLE_ORDER.statusHistory,
    {
      at: DECIDED_AT,
      axis: 'status',
      from: 'confirmed',
      to: 'cancelled',
      by: ALICE,
      reason: 'Ordered by mistake',
    },
    {
      at: DECIDED_AT,
      axis: 'fulfillmentStatus',
      from: 'unfulfilled',
      to: 'cancelled',
      by: ALICE,
      reason: 'Ordered by mistake',
    },
    { ...BY_SYSTEM, at: DECIDED_AT, axis: 'paymentStatus', from: 'authorized', to: 'voided' },
  ],
  version: 4,
  updatedAt: DECIDED_AT,
};

/** What an ADMIN sees until a payment is voided that was given up. */
export const OWED_VOID: CompensationView = {
  step: 'voidPayment-1',
  kind: 'void',
  amount: AMOUNTS.total,
  currency: 'EUR',
  state: 'owed',
  since: DECIDED_AT,
  failure: null,
  resolution: null,
};

/** The same before its payment was voided, as an ADMIN sees it. */
export const EXAMPLE_CANCELLED_FIRST: OrderView = {
  ...EXAMPLE_CANCELLED,
  paymentStatus: 'authorized',
  statusHistory: EXAMPLE_CANCELLED.statusHistory.slice(0, -1),
  compensations: [OWED_VOID],
  version: 3,
};

const MORE = { subtotal: 5_997, tax: 1_139, total: 7_136 };

/** One shirt more, and another note. */
export const EXAMPLE_AMENDED: OrderView = {
  ...EXAMPLE_ORDER,
  items: [{ ...LINE!, quantity: 3, ...MORE }],
  ...MORE,
  due: MORE.total,
  note: 'Please ring once.',
  version: 3,
  updatedAt: DECIDED_AT,
};

const BY_ADMIN = { at: SHIPPED_AT, by: ADMIN, reason: null };

export const EXAMPLE_FULFILLED: OrderView = forAdmin({
  ...EXAMPLE_ORDER,
  paymentStatus: 'captured',
  fulfillmentStatus: 'fulfilled',
  items: [{ ...LINE!, fulfilledQuantity: 2 }],
  captured: AMOUNTS.total,
  fulfillments: [
    {
      id: 'ful_31d0b9f7a41dbd20bfe8ed2be2a4dd4b',
      items: [{ productServiceId: LINE!.productServiceId, quantity: 2 }],
      carrier: 'DHL',
      trackingNumber: '00340434161094021501',
      createdAt: SHIPPED_AT,
      deliveredAt: null,
      by: ADMIN,
    },
  ],
  statusHistory: [
    ...EXAMPLE_ORDER.statusHistory,
    { ...BY_ADMIN, axis: 'paymentStatus', from: 'authorized', to: 'captured' },
    { ...BY_ADMIN, axis: 'fulfillmentStatus', from: 'unfulfilled', to: 'fulfilled' },
  ],
  version: 3,
  updatedAt: SHIPPED_AT,
});
const [SHIPMENT] = EXAMPLE_FULFILLED.fulfillments;

export const EXAMPLE_CORRECTED: OrderView = {
  ...EXAMPLE_FULFILLED,
  fulfillments: [{ ...SHIPMENT!, trackingNumber: '00340434161094021502' }],
  version: 4,
  updatedAt: '2026-01-16T15:00:00.000Z',
};

/** The shipment came back and is reserved again. Its payment stays captured. */
export const EXAMPLE_UNDONE: OrderView = {
  ...EXAMPLE_FULFILLED,
  fulfillmentStatus: 'unfulfilled',
  items: EXAMPLE_ORDER.items,
  fulfillments: [],
  statusHistory: [
    ...EXAMPLE_FULFILLED.statusHistory,
    {
      ...BY_ADMIN,
      at: DELIVERED_AT,
      axis: 'fulfillmentStatus',
      from: 'fulfilled',
      to: 'unfulfilled',
      reason: 'Returned to sender',
    },
  ],
  version: 4,
  updatedAt: DELIVERED_AT,
};

/** All of it is delivered. */
export const EXAMPLE_COMPLETED: OrderView = {
  ...EXAMPLE_FULFILLED,
  status: 'completed',
  fulfillmentStatus: 'delivered',
  fulfillments: [{ ...SHIPMENT!, deliveredAt: DELIVERED_AT }],
  statusHistory: [
    ...EXAMPLE_FULFILLED.statusHistory,
    { ...BY_ADMIN, at: DELIVERED_AT, axis: 'fulfillmentStatus', from: 'fulfilled', to: 'delivered' },
    { ...BY_ADMIN, at: DELIVERED_AT, axis: 'status', from: 'confirmed', to: 'completed' },
  ],
  version: 4,
  updatedAt: DELIVERED_AT,
};

/** One shirt came back. */
export const EXAMPLE_REFUNDED: OrderView = {
  ...EXAMPLE_COMPLETED,
  paymentStatus: 'partially_refunded',
  items: [{ ...LINE!, fulfilledQuantity: 2, refundedQuantity: 1 }],
  refunded: HALF,
  refunds: [
    {
      id: 'ref_5f184e5af43f2671b21074e6eb078b1c',
      amount: HALF,
      status: 'succeeded',
      items: [{ productServiceId: LINE!.productServiceId, quantity: 1, restock: true }],
      by: 'staff',
      reason: 'Arrived damaged',
      createdAt: REFUNDED_AT,
    },
  ],
  statusHistory: [
    ...EXAMPLE_COMPLETED.statusHistory,
    {
      ...BY_ADMIN,
      at: REFUNDED_AT,
      axis: 'paymentStatus',
      from: 'captured',
      to: 'partially_refunded',
      reason: 'Arrived damaged',
    },
  ],
  version: 5,
  updatedAt: REFUNDED_AT,
};

/** An order in each of its states, as its customer sees it unless only ADMINs bring it there. */
export const EXAMPLES_BY_STATE: Readonly<Record<string, OrderView>> = {
  OrderConfirmed: EXAMPLE_ORDER,
  OrderPending: EXAMPLE_PENDING,
  OrderActionRequired: { ...EXAMPLE_ACTION_REQUIRED, paymentAction: EXAMPLE_ACTION },
  OrderRejected: EXAMPLE_REJECTED,
  OrderCancelled: EXAMPLE_CANCELLED,
  OrderFulfilled: EXAMPLE_FULFILLED,
  OrderCompleted: EXAMPLE_COMPLETED,
  OrderRefunded: EXAMPLE_REFUNDED,
};
