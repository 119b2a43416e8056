import Joi, { type ObjectSchema } from 'joi';
import { isoTime } from '../../common/dates';
import { idSchema } from '../../common/ids';
import { pageQuery, type PageQuery } from '../../common/pagination';
import {
  FULFILLMENT_STATUSES,
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  type OrderLine,
  type OrderState,
  type ShippingAddress,
} from '../../domain/order';
import { idempotencyKey, lines, note, orderId, shippingAddress, type KeyHeaders } from './fields';

export interface PlaceOrderBody {
  items: OrderLine[];
  paymentMethod: string;
  shippingAddress?: ShippingAddress | null;
  note?: string | null;
  customerId?: string;
}

export const placeOrderBody: ObjectSchema<PlaceOrderBody> = Joi.object<PlaceOrderBody, true>({
  items: lines.required(),
  paymentMethod: Joi.string()
    .pattern(/^pm_[A-Za-z0-9_]{1,100}$/)
    .messages({
      'string.pattern.base': '{#label} must be the name of a payment method, such as pm_card_visa',
    })
    .required()
    .description(
      'What the payment service calls the card that is to pay; `pm_card_visa` always works in the sandbox',
    )
    .example('pm_card_visa'),
  shippingAddress: shippingAddress.allow(null),
  note: note.example('Please ring twice.'),
  customerId: idSchema('usr').description('ADMIN only: the customer for whom the order is placed'),
});

export interface PlaceOrderHeaders extends KeyHeaders {
  prefer?: string;
}

export const placeOrderHeaders: ObjectSchema<PlaceOrderHeaders> = Joi.object<PlaceOrderHeaders, true>({
  'idempotency-key': idempotencyKey
    .meta({ required: true })
    .description(
      'Required. One key names one order of one customer for ever: repeating the request returns that order.',
    ),
  prefer: Joi.string().max(1_000).description('`respond-async`: answer 202 at once (RFC 7240)'),
});

export interface OrderIdParams {
  id: string;
}

export const orderIdParams: ObjectSchema<OrderIdParams> = Joi.object<OrderIdParams, true>({ id: orderId });

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
  from: isoTime().description('Created at or after'),
  to: isoTime().description('Created before'),
  customerId: idSchema('usr').description('ADMIN only'),
});
