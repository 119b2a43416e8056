/** The fields that several requests on orders have in common. */
import Joi from 'joi';
import { multiLine, singleLine } from '../../common/text';
import { MAX_LINES, MAX_NOTE_LENGTH, type OrderLine, type ShippingAddress } from '../../domain/order';

const MAX_QUANTITY = 10_000;

/** Any id may be sent: one that is not in the catalogue is an unknown product, not a malformed request. */
export const productServiceId = Joi.string()
  .pattern(/^[\w-]{1,64}$/)
  .example('ps_01HZX0000000000000TSHRTM00');

export const shippingAddress = Joi.object<ShippingAddress, true>({
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

export const lines = Joi.array()
  .items(
    Joi.object<OrderLine, true>({
      productServiceId: productServiceId.required(),
      quantity: Joi.number().integer().min(1).max(MAX_QUANTITY).required().example(2),
    }),
  )
  .min(1)
  .max(MAX_LINES);

export const note = multiLine(MAX_NOTE_LENGTH).allow(null);
export const reason = singleLine(200);

/** The example is the id that the example of placing an order gives. */
export const orderId = Joi.string().required().example('ord_ac7967cc99a25d86c46d6c4d77a65393');
