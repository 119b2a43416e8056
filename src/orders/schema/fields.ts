/** The fields that several requests on orders have in common. */
import Joi from 'joi';
import { multiLine, optionalLine, removableLine, singleLine } from '../../common/text';
import {
  MAX_EXTERNAL_REF_LENGTH,
  MAX_LINES,
  MAX_METADATA_KEYS,
  MAX_METADATA_LENGTH,
  MAX_NOTE_LENGTH,
  MAX_QUANTITY,
  METADATA_KEY,
  type AddressChange,
  type OrderLine,
  type RefundedLine,
  type ShippingAddress,
} from '../../domain/order';
import { country } from './country';

/** Any id may be sent: one that is not in the catalogue is an unknown product, not a malformed request. */
export const productServiceId = Joi.string()
  .pattern(/^[\w-]{1,64}$/)
  .example('ps_01HZX0000000000000TSHRTM00');

const required = { name: singleLine(200), line1: singleLine(200), city: singleLine(100), country };
const LONGEST = { line2: 200, region: 100, postalCode: 20 } as const;

export const shippingAddress = Joi.object<ShippingAddress, true>({
  name: required.name.required(),
  line1: required.line1.required(),
  line2: optionalLine(LONGEST.line2),
  city: required.city.required(),
  region: optionalLine(LONGEST.region),
  postalCode: optionalLine(LONGEST.postalCode).description('Leave it out where there is none'),
  country: required.country.required(),
}).meta({ component: 'AddressInput' });

/** An address as a change of an order may have it: all of it, or a part. */
export const addressChange = Joi.object<AddressChange, true>({
  ...required,
  line2: removableLine(LONGEST.line2),
  region: removableLine(LONGEST.region),
  postalCode: removableLine(LONGEST.postalCode),
})
  .min(1)
  .messages({ 'object.min': '{#label} must have what is to change' })
  .custom(nullForBlank)
  .meta({ component: 'AddressChange' });

/** A part that is to be removed is null. */
function nullForBlank(change: AddressChange): AddressChange {
  return Object.fromEntries(
    Object.entries(change).map(([part, value]) => [part, value === '' ? null : value]),
  );
}

export const lines = Joi.array()
  .items(
    Joi.object<OrderLine, true>({
      productServiceId: productServiceId.required(),
      quantity: Joi.number().integer().min(1).max(MAX_QUANTITY).required().example(2),
    }).meta({ component: 'OrderLine' }),
  )
  .min(1)
  .max(MAX_LINES);

export const refundedLines = Joi.array()
  .items(
    Joi.object<RefundedLine, true>({
      productServiceId: productServiceId.required(),
      quantity: Joi.number().integer().min(1).max(MAX_QUANTITY).required().example(1),
      restock: Joi.boolean().required().description('Whether the units come back into stock').example(true),
    }).meta({ component: 'RefundLine' }),
  )
  .min(1)
  .max(MAX_LINES);

export const externalRef = singleLine(MAX_EXTERNAL_REF_LENGTH);

export const metadata = Joi.object<Record<string, string>>()
  .pattern(METADATA_KEY, multiLine(MAX_METADATA_LENGTH))
  .max(MAX_METADATA_KEYS)
  .messages({
    'object.unknown':
      '{#label} is no name for metadata: use at most 40 letters, digits, _ and -, and begin with a letter or digit',
  });

export const note = multiLine(MAX_NOTE_LENGTH).allow(null);
export const reason = singleLine(200);

/** The example is the id that the example of placing an order gives. */
export const orderId = Joi.string().required().example('ord_ac7967cc99a25d866a92bd7e36ebf6d2');
