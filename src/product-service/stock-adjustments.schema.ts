import Joi from 'joi';
import { pageQuery, type PageQuery } from '../common/pagination';
import { singleLine } from '../common/text';

export interface StockAdjustmentBody {
  delta: number;
  reason: string;
}

export interface StockCountBody {
  available: number;
  reason: string;
}

/** An adjustment as the API shows it. */
export interface StockAdjustmentView extends StockAdjustmentBody {
  id: string;
  by: string;
  at: string;
  before: number;
  after: number;
}

export const MAX_STOCK = 1_000_000_000;

const reason = singleLine(200);

export const stockAdjustmentBody = Joi.object<StockAdjustmentBody, true>({
  delta: Joi.number()
    .integer()
    .min(-MAX_STOCK)
    .max(MAX_STOCK)
    .invalid(0)
    .required()
    .description('Units to add, or to remove if negative'),
  reason: reason.required(),
})
  .id('StockAdjustmentRequest')
  .example({ delta: 10, reason: 'delivery' });

export const stockCountBody = Joi.object<StockCountBody, true>({
  available: Joi.number()
    .integer()
    .min(0)
    .max(MAX_STOCK)
    .required()
    .description('The units that were counted, without those that orders have reserved'),
  reason: reason.required(),
})
  .id('StockCountRequest')
  .example({ available: 490, reason: 'stock-taking' });

export const listStockAdjustmentsQuery = Joi.object<PageQuery, true>(pageQuery);

const units = Joi.number().integer().min(0);

export const stockAdjustment = Joi.object<StockAdjustmentView, true>({
  id: Joi.string().required(),
  delta: Joi.number().integer().required().description('0 if a count found what was expected'),
  reason: Joi.string().required(),
  by: Joi.string().required().description('The id of the user or API key'),
  at: Joi.string().isoDate().required(),
  before: units.required().description('The available units before it'),
  after: units.required().description('The available units after it'),
})
  .id('StockAdjustment')
  .example({
    id: 'adj_5a1f0c2b9d3e48768b0f6a2c4d7e9b13',
    delta: -10,
    reason: 'stock-taking',
    by: 'usr_01HZX000000000000000ADM1N0',
    at: '2026-01-15T09:00:00.000Z',
    before: 500,
    after: 490,
  });
