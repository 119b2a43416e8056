import Joi from 'joi';
import { idSchema } from '../common/ids';
import { pageQuery, type PageQuery } from '../common/pagination';
import { anyText, multiLine, singleLine } from '../common/text';
import { CURRENCIES } from '../domain/money';
import { MAX_STOCK } from './stock-adjustments.schema';
import { KINDS, type Kind, type Stock } from './product-service.model';

export interface CreateBody {
  sku: string;
  name: string;
  description: string;
  kind: Kind;
  unitPrice: number;
  currency: string;
  taxRateBps: number;
  priceIncludesTax: boolean;
  stock?: number;
}

export type ChangeBody = Partial<Omit<CreateBody, 'kind' | 'stock' | 'currency'>>;

export interface ListQuery extends PageQuery {
  isActive: boolean;
  kind?: Kind;
  currency?: string;
  q?: string;
}

/** A product or service as the API shows it. */
export interface ProductServiceView extends Omit<CreateBody, 'stock'> {
  id: string;
  stock: Stock | null;
  isActive: boolean;
  version: number;
  createdAt: string;
  updatedAt: string;
}

const MAX_TAX_RATE_BPS = 10_000;
const SKU = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._/\-+:#&]*$/u;
const SKU_CHARACTERS = 'letters and digits of any script, spaces and . _ / - + : # &';
// An entry of the demo catalogue, so that the examples work unchanged. It is not the entry in the example of
// an order, because another example retires it permanently.
const EXAMPLE_ID = 'ps_01HZX0000000000000MVG00000';

const kind = Joi.string()
  .valid(...KINDS)
  .description('A service has no stock')
  .meta({ component: 'ProductKind' });
const currency = Joi.string()
  .valid(...CURRENCIES)
  .messages({ 'any.only': '{#label} must be an ISO 4217 code, for example EUR' })
  .description('ISO 4217')
  .meta({ component: 'Currency' });
const fields = {
  sku: singleLine(64)
    .custom((sku: string, { error }) => (SKU.test(sku) ? sku : error('sku.characters')))
    .messages({
      'sku.characters': `{#label} must have ${SKU_CHARACTERS} only, and start with a letter or digit`,
    })
    .description(`Unique among active entries, whatever its case. It may have ${SKU_CHARACTERS}`),
  name: singleLine(200),
  description: multiLine(5_000),
  unitPrice: Joi.number()
    .integer()
    .min(0)
    .description(
      "In the currency's minor unit; a multiple of 10 where that has three digits, like that of KWD",
    ),
  taxRateBps: Joi.number()
    .min(0)
    .max(MAX_TAX_RATE_BPS)
    .precision(2)
    .messages({ 'number.precision': '{#label} must have at most two decimals' })
    .description('In basis points, with up to two decimals: 1900 is 19 %, 997.5 is 9.975 %'),
  priceIncludesTax: Joi.boolean().description(
    'Whether the unit price contains the tax. Then a line costs exactly quantity × unit price',
  ),
};

export const createBody = Joi.object<CreateBody, true>({
  sku: fields.sku.required(),
  name: fields.name.required(),
  description: fields.description.default(''),
  kind: kind.required(),
  unitPrice: fields.unitPrice.required(),
  currency: currency.required(),
  taxRateBps: fields.taxRateBps.default(0),
  priceIncludesTax: fields.priceIncludesTax.default(false),
  stock: Joi.number()
    .integer()
    .min(0)
    .max(MAX_STOCK)
    .when('kind', { is: 'service', then: Joi.forbidden() })
    .messages({ 'any.unknown': '{#label} is for products only: a service has none' })
    .description('Available units, for products only; defaults to 0'),
})
  .id('CreateProductServiceRequest')
  .example({
    sku: 'HOODIE-L',
    name: 'Hoodie, L',
    description: 'Organic cotton',
    kind: 'product',
    unitPrice: 4_999,
    currency: 'EUR',
    taxRateBps: 1_900,
    stock: 25,
  });

export const changeBody = Joi.object({
  ...fields,
  currency: Joi.forbidden().messages({
    'any.unknown':
      '{#label} cannot be changed, since the price would mean another amount: retire this entry and create another',
  }),
})
  .min(1)
  .messages({ 'object.min': 'needs at least one field to change' })
  .id('ChangeProductServiceRequest')
  .example({ unitPrice: 1_190 });

export const listQuery = Joi.object<ListQuery, true>({
  isActive: Joi.boolean().default(true).description('`false` lists retired entries, for ADMINs only'),
  kind,
  currency,
  q: anyText(100, 2).description(
    'The beginnings of words of the name or the sku, all of which must match; case and accents do not matter',
  ),
  ...pageQuery,
});

export const idParams = Joi.object<{ id: string }, true>({
  id: idSchema('ps').required().example(EXAMPLE_ID),
});

const count = Joi.number().integer().min(0);

export const productService = Joi.object<ProductServiceView, true>({
  id: idSchema('ps').required(),
  sku: Joi.string().required(),
  name: Joi.string().required(),
  description: Joi.string().allow('').required(),
  kind: kind.required(),
  unitPrice: fields.unitPrice.required(),
  currency: currency.required(),
  taxRateBps: fields.taxRateBps.required(),
  priceIncludesTax: fields.priceIncludesTax.required(),
  stock: Joi.object<Stock, true>({
    available: count.required(),
    reserved: count.required(),
    held: count.description('Units that carts hold for a few minutes; absent if there are none'),
  })
    .meta({ component: 'Stock' })
    .allow(null)
    .required(),
  isActive: Joi.boolean().required(),
  version: Joi.number()
    .integer()
    .min(1)
    .required()
    .description('The number of edits of the entry; the movements of its stock do not count'),
  createdAt: Joi.string().isoDate().required(),
  updatedAt: Joi.string().isoDate().required(),
})
  .id('ProductService')
  .example({
    id: EXAMPLE_ID,
    sku: 'MUG',
    name: 'Mug',
    description: 'Stoneware, 350 ml',
    kind: 'product',
    unitPrice: 1_250,
    currency: 'EUR',
    taxRateBps: 1_900,
    priceIncludesTax: false,
    stock: { available: 498, reserved: 2 },
    isActive: true,
    version: 1,
    createdAt: '2026-01-15T09:00:00.000Z',
    updatedAt: '2026-01-15T09:00:00.000Z',
  });
