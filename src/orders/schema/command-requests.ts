import Joi, { type ObjectSchema } from 'joi';
import { ifMatchSchema } from '../../common/etag';
import { anyText, singleLine } from '../../common/text';
import type { OrderLine, ShippingAddress } from '../../domain/order';
import {
  idempotencyKey,
  lines,
  MAX_NOTE_LENGTH,
  note,
  orderId,
  reason,
  shippingAddress,
  type KeyHeaders,
} from './fields';
import type { OrderIdParams } from './requests';

const name = anyText(100).required();

export type FulfillmentParams = OrderIdParams & { fulfillmentId: string };

export const fulfillmentParams: ObjectSchema<FulfillmentParams> = Joi.object<FulfillmentParams, true>({
  id: orderId,
  fulfillmentId: name.example('ful_31d0b9f7a41dbd20bfe8ed2be2a4dd4b'),
});

export type CompensationParams = OrderIdParams & { step: string };

export const compensationParams: ObjectSchema<CompensationParams> = Joi.object<CompensationParams, true>({
  id: orderId,
  step: name.description('The `step` of a compensation that is owed or pending').example('voidPayment-1'),
});

export interface AmendOrderBody {
  items?: OrderLine[];
  note?: string | null;
  shippingAddress?: ShippingAddress | null;
}

export const amendOrderBody: ObjectSchema<AmendOrderBody> = Joi.object<AmendOrderBody, true>({
  items: lines.description('All lines of the order as they are to be; left out, they stay as they are'),
  note: note.description('null removes it').example('Please ring once.'),
  shippingAddress: shippingAddress.allow(null).description('null removes it'),
})
  .min(1)
  .messages({ 'object.min': '{#label} must have items, note or shippingAddress' });

export interface FulfillOrderBody {
  items: OrderLine[];
  carrier?: string | null;
  trackingNumber?: string | null;
}

export const fulfillOrderBody: ObjectSchema<FulfillOrderBody> = Joi.object<FulfillOrderBody, true>({
  items: lines.required().description('What was shipped or performed, never more than is left of the order'),
  carrier: singleLine(100).allow(null).example('DHL'),
  trackingNumber: singleLine(100).allow(null).example('00340434161094021501'),
});

export interface RefundOrderBody {
  amount?: number;
  reason: string;
}

export const refundOrderBody: ObjectSchema<RefundOrderBody> = Joi.object<RefundOrderBody, true>({
  amount: Joi.number()
    .integer()
    .min(1)
    .description('Minor units; left out, all that is left of what was captured')
    .example(1_000),
  reason: reason.required().example('Arrived damaged'),
});

export interface ResolveCompensationBody {
  note: string;
}

export const resolveCompensationBody: ObjectSchema<ResolveCompensationBody> = Joi.object<
  ResolveCompensationBody,
  true
>({
  note: singleLine(MAX_NOTE_LENGTH)
    .required()
    .description('What was done about it')
    .example('Voided by hand at the payment service.'),
});

export interface CancelOrderBody {
  reason?: string | null;
}

export const cancelOrderBody: ObjectSchema<CancelOrderBody> = Joi.object<CancelOrderBody, true>({
  reason: reason.allow(null).example('Ordered by mistake'),
});

export const refundOrderHeaders: ObjectSchema<KeyHeaders> = Joi.object<KeyHeaders, true>({
  'idempotency-key': idempotencyKey
    .meta({ required: true })
    .description(
      'Required. One key names one refund of this order: repeating the request refunds nothing more.',
    ),
});

export const fulfillOrderHeaders: ObjectSchema<KeyHeaders> = Joi.object<KeyHeaders, true>({
  'idempotency-key': idempotencyKey.description(
    'One key names one fulfillment of this order. Without a key, every request makes another one.',
  ),
});

export interface AmendOrderHeaders {
  'if-match'?: string;
}

export const amendOrderHeaders: ObjectSchema<AmendOrderHeaders> = Joi.object<AmendOrderHeaders, true>({
  'if-match': ifMatchSchema().description(
    'Required. The ETag of the version you have read, such as `"2"`; `*` for whatever version there is',
  ),
});
