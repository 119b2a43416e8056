import Joi from 'joi';
import {
  FULFILLMENT_STATUSES,
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  type Compensation,
  type Dispute,
  type OrderLine,
  type PaymentAttempt,
  type RefundedLine,
  type StatusChange,
  type ShippingAddress,
} from '../../domain/order';
import { FULFILLMENT_ID } from '../../domain/order-id';
import { REJECTION_CODES, type Rejection } from '../../domain/rejection';
import type {
  AttemptView,
  CompensationView,
  FulfillmentView,
  OrderItemView,
  OrderView,
  PaymentActionView,
  RefundView,
} from '../order-view';
import { EXAMPLE_ORDER } from './example';
import { country } from './country';
import { productServiceId } from './fields';

const COMPENSATION_KINDS: Compensation['kind'][] = ['void', 'refund', 'release'];
const COMPENSATION_STATES: Compensation['state'][] = ['owed', 'pending', 'resolved'];

const minorUnits = Joi.number().integer().required();
const price = minorUnits.allow(null).description('In minor units; null until the order is priced');
const text = Joi.string().allow(null).required();
const time = Joi.string().isoDate();

/** What a line says of a product, its quantity and its price. */
export const pricedLine = {
  productServiceId: productServiceId.required(),
  sku: text,
  name: text,
  kind: Joi.string().valid('product', 'service').allow(null).required().meta({ component: 'ProductKind' }),
  quantity: Joi.number().integer().required(),
  unitPrice: price,
  taxRateBps: Joi.number().allow(null).required().description('In basis points: 1900 is 19 %'),
  priceIncludesTax: Joi.boolean()
    .allow(null)
    .required()
    .description('Whether the unit price contains the tax'),
  subtotal: price,
  tax: price,
  total: price,
};

const item = Joi.object<OrderItemView, true>({
  ...pricedLine,
  fulfilledQuantity: Joi.number().integer().required().description('Units that were shipped or performed'),
  cancelledQuantity: Joi.number().integer().required().description('Units that will never be'),
  refundedQuantity: Joi.number().integer().required().description('Units that were paid back'),
}).meta({ component: 'OrderItem' });

const line = Joi.object<OrderLine, true>({
  productServiceId: productServiceId.required(),
  quantity: Joi.number().integer().required(),
}).meta({ component: 'FulfilledLine' });

const internalNote = Joi.string().description('For ADMINs only, and only where there is one');

const statusChange = Joi.object<StatusChange, true>({
  at: time.required(),
  axis: Joi.string().valid('status', 'paymentStatus', 'fulfillmentStatus').required(),
  from: text,
  to: Joi.string().required(),
  by: Joi.string()
    .required()
    .description(
      'The id of the customer, `staff`, `system`, or `provider` for what was done at the payment service; for ADMINs ' +
        'the id of the user or API key instead of `staff`',
    ),
  reason: text,
  internalNote,
}).meta({ component: 'StatusChange' });

const by = Joi.string().description('For ADMINs only: the id of a user or API key');

const fulfillment = Joi.object<FulfillmentView, true>({
  id: Joi.string().pattern(FULFILLMENT_ID).required(),
  items: Joi.array().items(line).required(),
  carrier: text,
  trackingNumber: text,
  by,
  createdAt: time.required(),
  deliveredAt: time.allow(null).required(),
}).meta({ component: 'Fulfillment' });

const refund = Joi.object<RefundView, true>({
  id: Joi.string()
    .pattern(/^ref_[0-9a-f]{32}$/)
    .required(),
  amount: minorUnits.description('In minor units'),
  status: Joi.string().valid('pending', 'succeeded', 'failed').required(),
  items: Joi.array()
    .items(
      Joi.object<RefundedLine, true>({
        productServiceId: productServiceId.required(),
        quantity: Joi.number().integer().required(),
        restock: Joi.boolean().required().description('Whether the units are back in stock'),
      }).meta({ component: 'RefundedLine' }),
    )
    .required()
    .description('Empty if the refund is of an amount'),
  by: Joi.string().valid('staff', 'system', 'provider').required(),
  reason: Joi.string().required(),
  internalNote,
  createdAt: time.required(),
}).meta({ component: 'Refund' });

const ATTEMPT_OUTCOMES: PaymentAttempt['outcome'][] = [
  'action_required',
  'authorized',
  'declined',
  'failed',
  'expired',
  'unanswered',
  'lapsed',
];

const attempt = Joi.object<AttemptView, true>({
  paymentMethod: Joi.string().required(),
  at: time.required(),
  outcome: Joi.string()
    .valid(...ATTEMPT_OUTCOMES)
    .required()
    .description(
      '`failed`, `expired`: the customer did not confirm the payment at the bank, or not in time; `lapsed`: it was ' +
        'authorised and is not reserved any more',
    ),
  reason: text,
}).meta({ component: 'PaymentAttempt' });

const paymentAction = Joi.object<PaymentActionView, true>({
  type: Joi.string()
    .valid('redirect', 'use_sdk')
    .required()
    .description(
      "`redirect`: open `redirectUrl`; `use_sdk`: give `clientSecret` to the payment service's own SDK",
    ),
  clientSecret: Joi.string(),
  redirectUrl: Joi.string().uri(),
  expiresAt: time.required().description('Until when it can be done'),
}).meta({ component: 'PaymentAction' });

const dispute = Joi.object<Dispute, true>({
  id: Joi.string().required(),
  amount: minorUnits.description('In minor units'),
  status: Joi.string()
    .valid('opened', 'won', 'lost')
    .required()
    .description('While it is `opened`, and if it is `lost`, the bank has taken the amount back'),
  reason: Joi.string().allow('').required(),
  at: time.required(),
}).meta({ component: 'Dispute' });

const compensation = Joi.object<CompensationView, true>({
  step: Joi.string().required(),
  kind: Joi.string()
    .valid(...COMPENSATION_KINDS)
    .required()
    .description(
      '`void`: nothing of the payment may stay reserved or captured; `refund`: the amount is owed for cancelled units; ' +
        '`release`: what is still reserved after captures in part is given up',
    ),
  state: Joi.string()
    .valid(...COMPENSATION_STATES)
    .required()
    .description('`pending`: it keeps failing; `resolved`: an operator settled it'),
  amount: minorUnits.description(
    'In minor units; 0 if it is not known how much an interrupted amendment has reserved',
  ),
  currency: Joi.string().length(3).required(),
  since: time.required(),
  failure: Joi.string().allow('', null).required().description('Why the last attempt failed'),
  resolution: Joi.object<NonNullable<Compensation['resolution']>, true>({
    note: Joi.string().required(),
    by: Joi.string().required(),
    at: time.required(),
  })
    .allow(null)
    .required(),
}).meta({ component: 'Compensation' });

export const shippingAddress = Joi.object<ShippingAddress, true>({
  name: Joi.string().required(),
  line1: Joi.string().required(),
  line2: Joi.string(),
  city: Joi.string().required(),
  region: Joi.string(),
  postalCode: Joi.string(),
  country: country.required(),
}).meta({ component: 'Address' });

export const orderSchema = Joi.object<OrderView, true>({
  id: Joi.string()
    .pattern(/^ord_[0-9a-f]{32}$/)
    .required(),
  number: Joi.string()
    .pattern(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/)
    .required()
    .description('What people call the order'),
  externalRef: text.description("The name that the customer's own system gives the order"),
  metadata: Joi.object<Record<string, string>>().pattern(Joi.string(), Joi.string().allow('')).required(),
  customerId: Joi.string().required(),
  status: Joi.string()
    .valid(...ORDER_STATUSES)
    .required()
    .meta({ component: 'OrderStatus' }),
  paymentStatus: Joi.string()
    .valid(...PAYMENT_STATUSES)
    .required()
    .meta({ component: 'PaymentStatus' }),
  fulfillmentStatus: Joi.string()
    .valid(...FULFILLMENT_STATUSES)
    .required()
    .meta({ component: 'FulfillmentStatus' }),
  items: Joi.array().items(item).required(),
  currency: Joi.string().length(3).allow(null).required(),
  subtotal: price,
  tax: price,
  total: price,
  cancelled: minorUnits.description('What the cancelled units would have cost, in minor units'),
  due: price.description('`total` − `cancelled`, in minor units; null until the order is priced'),
  captured: minorUnits.description('In minor units'),
  refunded: minorUnits.description('The sum of the refunds, in minor units'),
  captures: Joi.string()
    .valid('once', 'many')
    .required()
    .description('`once`: the first fulfillment captures all that is due; `many`: each captures its share'),
  fulfillments: Joi.array().items(fulfillment).required(),
  refunds: Joi.array().items(refund).required(),
  attempts: Joi.array()
    .items(attempt)
    .required()
    .description('The attempts to pay, oldest first; empty if the first one was authorised at once'),
  retryUntil: time
    .allow(null)
    .required()
    .description('Until when another card can be tried, since the last one was turned down'),
  paymentAction: paymentAction.description(
    'For the customer only: what to do to confirm the payment, while `paymentStatus` is `action_required`',
  ),
  note: Joi.string().allow('', null).required(),
  shippingAddress: shippingAddress.allow(null).required(),
  rejection: Joi.object<Rejection, true>({
    code: Joi.string()
      .valid(...Object.values(REJECTION_CODES))
      .required()
      .meta({ component: 'RejectionCode' }),
    detail: Joi.string().required(),
    existingOrderId: Joi.string().description('The order that already has the `externalRef`'),
  })
    .meta({ component: 'Rejection' })
    .allow(null)
    .required(),
  statusHistory: Joi.array().items(statusChange).required(),
  version: Joi.number()
    .integer()
    .required()
    .description('The number in the ETag; 0 while the order is still being placed'),
  workflowId: Joi.string().required(),
  temporalUrl: Joi.string().uri().description('For ADMINs only: the order in the Temporal UI'),
  traceUrl: Joi.string()
    .uri()
    .description('For ADMINs only, if `TRACE_UI_URL` is set: the traces of the order'),
  compensationPending: Joi.boolean().description(
    'For ADMINs only: whether a compensation keeps failing; `compensations` says which one and why',
  ),
  compensations: Joi.array()
    .items(compensation)
    .description('For ADMINs only: money still to be given up or paid back, and what an operator settled'),
  archivedAt: time.allow(null).description('For ADMINs only: when the order was archived'),
  overdueSince: time
    .allow(null)
    .description('For ADMINs only: since when the rest of the order has waited too long for a fulfillment'),
  disputes: Joi.array().items(dispute).description('For ADMINs only: what the customer contests at the bank'),
  createdAt: time.required(),
  updatedAt: time.required(),
})
  .label('Order')
  .example(EXAMPLE_ORDER);
