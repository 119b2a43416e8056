import Joi from 'joi';
import {
  FULFILLMENT_STATUSES,
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  type Compensation,
} from '../../domain/order';
import { REJECTION_CODES } from '../../domain/rejection';
import { EXAMPLE_ORDER } from './example';
import { productServiceId, shippingAddress } from './fields';

const COMPENSATION_STATES: Compensation['state'][] = ['owed', 'pending', 'resolved'];

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
  fulfilledQuantity: Joi.number().integer().required().description('Units that were shipped or performed'),
});

const statusChange = Joi.object({
  at: time.required(),
  axis: Joi.string().valid('status', 'paymentStatus', 'fulfillmentStatus').required(),
  from: Joi.string().allow(null).required(),
  to: Joi.string().required(),
  by: Joi.string().required().description('A user id, or `system`'),
  reason: Joi.string().allow(null).required(),
});

const by = Joi.string().description('ADMIN only: a user id');

const fulfillment = Joi.object({
  id: Joi.string()
    .pattern(/^ful_[0-9a-f]{32}$/)
    .required(),
  items: Joi.array()
    .items(
      Joi.object({
        productServiceId: productServiceId.required(),
        quantity: Joi.number().integer().required(),
      }),
    )
    .required(),
  carrier: Joi.string().allow(null).required(),
  trackingNumber: Joi.string().allow(null).required(),
  by,
  createdAt: time.required(),
  deliveredAt: time.allow(null).required(),
});

const refund = Joi.object({
  id: Joi.string()
    .pattern(/^ref_[0-9a-f]{32}$/)
    .required(),
  amount: Joi.number().integer().required().description('Minor units'),
  reason: Joi.string().required(),
  by,
  createdAt: time.required(),
});

const compensation = Joi.object({
  step: Joi.string().required(),
  state: Joi.string()
    .valid(...COMPENSATION_STATES)
    .required()
    .description('`pending`: it keeps failing; `resolved`: a person settled it'),
  amount: Joi.number()
    .integer()
    .required()
    .description('Minor units; 0 when it is not known what an amendment that was interrupted has reserved'),
  currency: Joi.string().length(3).required(),
  since: time.required(),
  failure: Joi.string().allow('', null).required().description('Of the last attempt'),
  resolution: Joi.object({ note: Joi.string().required(), by: Joi.string().required(), at: time.required() })
    .allow(null)
    .required(),
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
  refunded: Joi.number().integer().required().description('Minor units: the sum of the refunds'),
  fulfillments: Joi.array().items(fulfillment).required(),
  refunds: Joi.array().items(refund).required(),
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
  compensationPending: Joi.boolean().description(
    'ADMIN only: something that has to be undone keeps failing; `compensations` tells what and why',
  ),
  compensations: Joi.array()
    .items(compensation)
    .description('ADMIN only: payments that have to be given back, and those that a person settled'),
  archivedAt: time.allow(null).description('ADMIN only: gone from the lists since'),
  createdAt: time.required(),
  updatedAt: time.required(),
})
  .label('Order')
  .example(EXAMPLE_ORDER);
