import Joi from 'joi';
import type { ObjectSchema } from 'joi';
import { idSchema } from '../common/ids';
import { pageQuery } from '../common/pagination';
import type { PageQuery } from '../common/pagination';
import { multiLine, singleLine } from '../common/text';
import { FULFILLMENT_STATUSES, ORDER_STATUSES, PAYMENT_STATUSES } from '../domain/order';
import type { OrderLine, OrderState, ShippingAddress } from '../domain/order';
import { REJECTION_CODES } from '../domain/rejection';
import { EXAMPLE_ORDER } from './orders.example';

const MAX_LINES = 100;
const MAX_QUANTITY = 10_000;
const MAX_NOTE_LENGTH = 500;
const MAX_KEY_LENGTH = 255;

/** Any id may be asked for: one that is not in the catalogue is an unknown product, not a malformed request. */
const productServiceId = Joi.string()
  .pattern(/^[\w-]{1,64}$/)
  .example('ps_01HZX0000000000000TSHRTM00');

export interface PlaceOrderBody {
  items: OrderLine[];
  shippingAddress?: ShippingAddress | null;
  note?: string | null;
  customerId?: string;
}

const shippingAddress = Joi.object<ShippingAddress, true>({
  name: singleLine(200).required(),
  line1: singleLine(200).required(),
  line2: singleLine(200),
  city: singleLine(100).required(),
  region: singleLine(100),
  postalCode: singleLine(20).required(),
  country: Joi.string()
    .pattern(/^[A-Z]{2}$/)
    .required()
    .description('ISO 3166-1 alpha-2')
    .example('DE'),
});

export const placeOrderBody: ObjectSchema<PlaceOrderBody> = Joi.object<PlaceOrderBody, true>({
  items: Joi.array()
    .items(
      Joi.object<OrderLine, true>({
        productServiceId: productServiceId.required(),
        quantity: Joi.number().integer().min(1).max(MAX_QUANTITY).required().example(2),
      }),
    )
    .min(1)
    .max(MAX_LINES)
    .required(),
  shippingAddress: shippingAddress.allow(null),
  note: multiLine(MAX_NOTE_LENGTH).allow(null).example('Please ring twice.'),
  customerId: idSchema('usr').description('ADMIN only: the customer for whom the order is placed'),
});

export interface PlaceOrderHeaders {
  'idempotency-key'?: string;
  prefer?: string;
}

export const placeOrderHeaders: ObjectSchema<PlaceOrderHeaders> = Joi.object<PlaceOrderHeaders, true>({
  'idempotency-key': Joi.string()
    .pattern(new RegExp(`^[\\x21-\\x7e]{1,${MAX_KEY_LENGTH}}$`))
    .messages({ 'string.pattern.base': `{#label} must be 1 to ${MAX_KEY_LENGTH} printable ASCII characters` })
    .example('demo-1')
    .meta({ required: true })
    .description(
      'Required. One key names one order of one customer for ever: repeating the request returns that order.',
    ),
  prefer: Joi.string().max(1_000).description('`respond-async`: answer 202 at once (RFC 7240)'),
});

export const orderIdParams: ObjectSchema<{ id: string }> = Joi.object({
  id: Joi.string().required().example('ord_ac7967cc99a25d86c46d6c4d77a65393'), // what the examples above place
});

export interface CancelOrderBody {
  reason?: string | null;
}

export const cancelOrderBody: ObjectSchema<CancelOrderBody> = Joi.object<CancelOrderBody, true>({
  reason: singleLine(200).allow(null).example('Ordered by mistake'),
});

export const readOrderHeaders: ObjectSchema<{ 'if-none-match'?: string }> = Joi.object({
  'if-none-match': Joi.string()
    .max(1_000)
    .description('The ETag that you have: 304 when it is still current'),
});

export type ListOrdersQuery = PageQuery &
  Partial<OrderState> & { from?: Date; to?: Date; customerId?: string };

export const listOrdersQuery: ObjectSchema<ListOrdersQuery> = Joi.object<ListOrdersQuery, true>({
  ...pageQuery,
  status: Joi.string().valid(...ORDER_STATUSES),
  paymentStatus: Joi.string().valid(...PAYMENT_STATUSES),
  fulfillmentStatus: Joi.string().valid(...FULFILLMENT_STATUSES),
  from: Joi.date().iso().description('Created at or after'),
  to: Joi.date().iso().description('Created before'),
  customerId: idSchema('usr').description('ADMIN only'),
});

const amount = Joi.number().integer().description('Minor units; null while the order is not priced');
const time = Joi.string().isoDate();

const item = Joi.object({
  productServiceId: productServiceId.required(),
  sku: Joi.string().allow(null).required(),
  name: Joi.string().allow(null).required(),
  kind: Joi.string().valid('product', 'service').allow(null).required(),
  quantity: Joi.number().integer().required(),
  unitPrice: amount.allow(null).required(),
  taxRateBps: Joi.number().integer().allow(null).required().description('Basis points: 1900 is 19 %'),
  subtotal: amount.allow(null).required(),
  tax: amount.allow(null).required(),
  total: amount.allow(null).required(),
  fulfilledQuantity: Joi.number().integer().required(),
});

const statusChange = Joi.object({
  at: time.required(),
  axis: Joi.string().valid('status', 'paymentStatus', 'fulfillmentStatus').required(),
  from: Joi.string().allow(null).required(),
  to: Joi.string().required(),
  by: Joi.string().required().description('A user id, or `system`'),
  reason: Joi.string().allow(null).required(),
});

/** An order as the API shows it. */
export const orderSchema = Joi.object({
  id: Joi.string()
    .pattern(/^ord_[0-9a-f]{32}$/)
    .required(),
  customerId: Joi.string().required(),
  status: Joi.string()
    .valid(...ORDER_STATUSES)
    .required(),
  paymentStatus: Joi.string()
    .valid(...PAYMENT_STATUSES)
    .required(),
  fulfillmentStatus: Joi.string()
    .valid(...FULFILLMENT_STATUSES)
    .required(),
  items: Joi.array().items(item).required(),
  currency: Joi.string().length(3).allow(null).required(),
  subtotal: amount.allow(null).required(),
  tax: amount.allow(null).required(),
  total: amount.allow(null).required(),
  refunded: Joi.number().integer().required(),
  fulfillments: Joi.array().required(),
  refunds: Joi.array().required(),
  note: Joi.string().allow('', null).required(),
  shippingAddress: shippingAddress.allow(null).required(),
  rejection: Joi.object({
    code: Joi.string()
      .valid(...Object.values(REJECTION_CODES))
      .required(),
    detail: Joi.string().required(),
  })
    .allow(null)
    .required(),
  statusHistory: Joi.array().items(statusChange).required(),
  version: Joi.number()
    .integer()
    .required()
    .description('The number in the ETag; 0 while still being placed'),
  workflowId: Joi.string().required(),
  temporalUrl: Joi.string().uri().description('ADMIN only: the order in the Temporal UI'),
  createdAt: time.required(),
  updatedAt: time.required(),
})
  .label('Order')
  .example(EXAMPLE_ORDER);
