import Joi from 'joi';
import { idSchema } from '../common/ids';
import { pageQuery, type PageQuery } from '../common/pagination';
import { code, multiLine, singleLine } from '../common/text';
import { CURRENCIES } from '../domain/money';
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

export type ChangeBody = Partial<Omit<CreateBody, 'kind' | 'stock'>>;

export interface StockAdjustmentBody {
  delta: number;
  reason: string;
}

export interface ListQuery extends PageQuery {
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

const MAX_STOCK = 1_000_000_000;
const MAX_TAX_RATE_BPS = 10_000;
// An entry of the demo catalogue, so that the examples work unchanged. It is not the entry in the example of
// an order, because another example retires it permanently.
const EXAMPLE_ID = 'ps_01HZX0000000000000MVG00000';

const kind = Joi.string()
  .valid(...KINDS)
  .description('A service has no stock');
const currency = Joi.string()
  .valid(...CURRENCIES)
  .messages({ 'any.only': '{#label} must be an ISO 4217 code, for example EUR' })
  .description('ISO 4217');
const fields = {
  sku: code(64, 'A-Za-z0-9._\\/\\-')
    .messages({
      'string.pattern.base':
        '{#label} must consist of letters, digits and . _ / - and start with a letter or digit',
    })
    .description('Unique among active entries'),
  name: singleLine(200),
  description: multiLine(5_000),
  unitPrice: Joi.number()
    .integer()
    .min(0)
    .description(
      "In the currency's minor unit; a multiple of 10 where that has three digits, like that of KWD",
    ),
  currency,
  taxRateBps: Joi.number()
    .integer()
    .min(0)
    .max(MAX_TAX_RATE_BPS)
    .description('In basis points: 1900 is 19 %'),
  priceIncludesTax: Joi.boolean().description('Whether the unit price contains the tax'),
};

export const createBody = Joi.object<CreateBody, true>({
  sku: fields.sku.required(),
  name: fields.name.required(),
  description: fields.description.default(''),
  kind: kind.required(),
  unitPrice: fields.unitPrice.required(),
  currency: fields.currency.required(),
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

export const changeBody = Joi.object<ChangeBody, true>(fields)
  .min(1)
  .messages({ 'object.min': 'needs at least one field to change' })
  .id('ChangeProductServiceRequest')
  .example({ unitPrice: 1_190 });

export const stockAdjustmentBody = Joi.object<StockAdjustmentBody, true>({
  delta: Joi.number()
    .integer()
    .min(-MAX_STOCK)
    .max(MAX_STOCK)
    .invalid(0)
    .required()
    .description('Units to add, or to remove if negative'),
  reason: singleLine(200).required(),
})
  .id('StockAdjustmentRequest')
  .example({ delta: 10, reason: 'delivery' });

export const listQuery = Joi.object<ListQuery, true>({
  kind,
  currency,
  q: singleLine(100).description('A part of the name or the sku, case-insensitive'),
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
  stock: Joi.object<Stock, true>({ available: count.required(), reserved: count.required() })
    .allow(null)
    .required(),
  isActive: Joi.boolean().required(),
  version: Joi.number()
    .integer()
    .min(1)
    .required()
    .description('The number of edits of the entry; it is the ETag'),
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
