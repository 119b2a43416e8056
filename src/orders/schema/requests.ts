import Joi from 'joi';
import { idSchema } from '../../common/ids';
import { anyText, optionalLine, removableLine, singleLine } from '../../common/text';
import {
  MAX_EXTERNAL_REF_LENGTH,
  MAX_NOTE_LENGTH,
  type AddressChange,
  type OrderLine,
  type RefundedLine,
  type ShippingAddress,
} from '../../domain/order';
import type { AppError } from '../../errors/app-error';
import { invalid } from '../../errors/invalid';
import {
  addressChange,
  lines,
  metadata,
  note,
  orderId,
  reason,
  refundedLines,
  shippingAddress,
} from './fields';

/** Returns the problem of a CUSTOMER who sent a field that only an ADMIN may send. */
export function adminOnly(path: string): AppError {
  return invalid([{ path, message: 'is for ADMINs only: leave it out' }]);
}

export interface OrderIdParams {
  id: string;
}

export const orderIdParams = Joi.object<OrderIdParams, true>({ id: orderId });

export interface PlaceOrderBody {
  items: OrderLine[];
  expectedTotal?: number;
  paymentMethod: string;
  shippingAddress?: ShippingAddress | null;
  note?: string | null;
  externalRef?: string | null;
  metadata?: Record<string, string> | null;
  customerId?: string;
}

const paymentMethod = Joi.string()
  .pattern(/^pm_[A-Za-z0-9_]{1,100}$/)
  .messages({ 'string.pattern.base': '{#label} must be the id of a payment method, such as pm_card_visa' })
  .description("The payment service's id of the card to charge; `pm_card_visa` always works in the sandbox")
  .example('pm_card_visa');

const expectedTotal = Joi.number().integer().min(0);

/** What of an order is known only when it is placed, whatever else it comes of. */
export const checkoutFields = {
  expectedTotal: expectedTotal.description(
    "What the customer was told that the order costs, in the currency's minor unit: if it costs anything else, nothing is " +
      'reserved, and the response is 409 with the `total`',
  ),
  paymentMethod: paymentMethod.required(),
  externalRef: optionalLine(MAX_EXTERNAL_REF_LENGTH).description(
    "The name of the order in the customer's own system. A second order of the customer with it is 409 with " +
      '`existingOrderId`; a rejected order has none',
  ),
};

export const placeOrderBody = Joi.object<PlaceOrderBody, true>({
  items: lines.required(),
  ...checkoutFields,
  shippingAddress: shippingAddress.allow(null),
  note: note.example('Please ring twice.'),
  metadata: metadata
    .allow(null)
    .description('What is to be found with the order, by names of your choice')
    .example({ channel: 'web' }),
  customerId: idSchema('usr').description(
    'For ADMINs only: the customer for whom the order is placed, who must not be disabled',
  ),
});

export type PayOrderBody = Pick<PlaceOrderBody, 'paymentMethod'>;

export const payOrderBody = Joi.object<PayOrderBody, true>({ paymentMethod: paymentMethod.required() });

export interface PlaceOrderHeaders {
  prefer?: string;
}

export const prefer = Joi.string()
  .max(1_000)
  .description(
    '`respond-async`: respond with 202 at once; `wait=2`: wait at most 2 s until the order is placed (RFC 7240)',
  );

export const placeOrderHeaders = Joi.object<PlaceOrderHeaders, true>({ prefer });

export interface AmendOrderBody {
  items?: OrderLine[];
  expectedTotal?: number;
  note?: string | null;
  shippingAddress?: AddressChange | null;
  externalRef?: string | null;
  metadata?: Record<string, string> | null;
}

export const amendOrderBody = Joi.object<AmendOrderBody, true>({
  items: lines.description(
    'All lines that the order is to have. They stay as they are if you leave this out',
  ),
  expectedTotal: expectedTotal.description(
    "What the order is to cost after the amendment, in the currency's minor unit: if it costs anything else, nothing is " +
      'changed, and the response is 409 with the `total`',
  ),
  note: note.description('null or an empty text removes it').example('Please ring once.'),
  shippingAddress: addressChange
    .allow(null)
    .description(
      'An address with name, line1, city and country replaces that of the order; with less, it changes the parts that ' +
        'it has. null removes a part (line2, region or postalCode), or the whole',
    ),
  externalRef: removableLine(MAX_EXTERNAL_REF_LENGTH).description('null removes it'),
  metadata: metadata.allow(null).description('Replaces all that there was; null removes it'),
})
  .min(1)
  .messages({
    'object.min': '{#label} must have items, note, shippingAddress, externalRef or metadata',
  })
  .example({
    items: [{ productServiceId: 'ps_01HZX0000000000000TSHRTM00', quantity: 3 }],
    note: 'Please ring once.',
  });

const INTERNAL_NOTE = 'what the customer does not read';
const internalNote = optionalLine(MAX_NOTE_LENGTH);

export interface CancelOrderBody {
  items?: OrderLine[];
  reason?: string | null;
  internalNote?: string | null;
}

export const cancelOrderBody = Joi.object<CancelOrderBody, true>({
  items: lines.description(
    'For ADMINs only: the units to cancel, at most what is open. Everything that is open if you leave this out',
  ),
  reason: optionalLine(200).description('The customer reads it').example('Ordered by mistake'),
  internalNote: internalNote.description(`For ADMINs only: ${INTERNAL_NOTE}`),
}).example({ reason: 'Ordered by mistake' });

export interface FulfillOrderBody {
  items: OrderLine[];
  carrier?: string | null;
  trackingNumber?: string | null;
}

export const fulfillOrderBody = Joi.object<FulfillOrderBody, true>({
  items: lines
    .required()
    .description('The lines that were shipped or performed, at most what is left of the order'),
  carrier: optionalLine(100).example('DHL'),
  trackingNumber: optionalLine(100).example('00340434161094021501'),
});

export type FulfillmentParams = OrderIdParams & { fulfillmentId: string };

export const fulfillmentParams = Joi.object<FulfillmentParams, true>({
  id: orderId,
  fulfillmentId: anyText(100).required().example('ful_31d0b9f7a41dbd20bfe8ed2be2a4dd4b'),
});

export interface UndoFulfillmentBody {
  reason: string;
  internalNote?: string | null;
  restock: boolean;
}

export const undoFulfillmentBody = Joi.object<UndoFulfillmentBody, true>({
  reason: reason.required().description('The customer reads it').example('Returned to sender'),
  internalNote: internalNote.description(INTERNAL_NOTE),
  restock: Joi.boolean()
    .required()
    .description(
      '`true`: the goods are back, and reserved for the order again; `false`: they are lost, and replaced by what is ' +
        'available, or cancelled where that is not enough',
    )
    .example(true),
});

export interface CorrectFulfillmentBody {
  carrier?: string | null;
  trackingNumber?: string | null;
}

export const correctFulfillmentBody = Joi.object<CorrectFulfillmentBody, true>({
  carrier: removableLine(100).description('null removes it').example('DHL'),
  trackingNumber: removableLine(100).description('null removes it').example('00340434161094021502'),
})
  .min(1)
  .messages({ 'object.min': '{#label} must have a carrier or a trackingNumber' });

export interface RefundOrderBody {
  amount?: number;
  items?: RefundedLine[];
  reason: string;
  internalNote?: string | null;
}

export const refundOrderBody = Joi.object<RefundOrderBody, true>({
  amount: Joi.number()
    .integer()
    .min(1)
    .description(
      'In minor units, a multiple of 10 in currencies of three digits; by default all that is left of the captured amount',
    )
    .example(1_000),
  items: refundedLines.description(
    'Units that were fulfilled and not refunded yet, instead of an amount: it is what they cost, at most what is left',
  ),
  reason: reason.required().description('The customer reads it').example('Arrived damaged'),
  internalNote: internalNote.description(INTERNAL_NOTE),
})
  .oxor('amount', 'items')
  .messages({ 'object.oxor': '{#label} must have amount or items, not both' })
  .example({
    items: [{ productServiceId: 'ps_01HZX0000000000000TSHRTM00', quantity: 1, restock: true }],
    reason: 'Arrived damaged',
  });

export type CompensationParams = OrderIdParams & { step: string };

export const compensationParams = Joi.object<CompensationParams, true>({
  id: orderId,
  step: anyText(100)
    .required()
    .description('The `step` of an outstanding compensation')
    .example('voidPayment-1'),
});

export interface ResolveCompensationBody {
  note: string;
}

export const resolveCompensationBody = Joi.object<ResolveCompensationBody, true>({
  note: singleLine(MAX_NOTE_LENGTH)
    .required()
    .description('What was done to settle it')
    .example('Voided by hand at the payment service.'),
});
