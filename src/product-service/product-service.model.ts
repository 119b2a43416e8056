import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../mongodb/model';

export const KINDS = ['product', 'service'] as const;
export type Kind = (typeof KINDS)[number];

export interface Stock {
  available: number;
  reserved: number;
}

/**
 * A product or service in MongoDB. `version` counts the edits of the entry, not the movements of its stock.
 */
export interface ProductServiceDocument {
  _id: string;
  sku: string;
  name: string;
  description: string;
  kind: Kind;
  /** The price in the currency's minor unit. */
  unitPrice: number;
  currency: string;
  /** The tax rate in basis points: 1900 is 19 %. */
  taxRateBps: number;
  /** Whether the price contains the tax. */
  priceIncludesTax: boolean;
  /** The units of a product; null for a service. */
  stock: Stock | null;
  isActive: boolean;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** A manual change of stock. */
export interface StockAdjustmentDocument {
  productServiceId: string;
  delta: number;
  reason: string;
  by: string;
  at: Date;
}

const SETTINGS = { versionKey: false, autoIndex: false, autoCreate: false } as const;
const count = { type: Number, required: true, min: 0, validate: Number.isSafeInteger };

const productServiceSchema = new Schema<ProductServiceDocument>(
  {
    _id: { type: String, required: true },
    sku: { type: String, required: true },
    name: { type: String, required: true },
    description: { type: String, default: '' },
    kind: { type: String, enum: KINDS, required: true },
    unitPrice: count,
    currency: { type: String, required: true },
    taxRateBps: count,
    priceIncludesTax: { type: Boolean, default: false },
    stock: {
      type: new Schema<Stock>({ available: count, reserved: count }, { _id: false }),
      default: null,
    },
    isActive: { type: Boolean, required: true },
    version: count,
  },
  { collection: 'product_services', timestamps: true, ...SETTINGS },
);

// The sku of a retired entry may be used again.
productServiceSchema.index({ sku: 1 }, { unique: true, partialFilterExpression: { isActive: true } });
// The list is newest first, optionally by kind or currency. A text search filters their results.
productServiceSchema.index({ isActive: 1, _id: -1 });
productServiceSchema.index({ isActive: 1, kind: 1, _id: -1 });
productServiceSchema.index({ isActive: 1, currency: 1, _id: -1 });

const stockAdjustmentSchema = new Schema<StockAdjustmentDocument>(
  {
    productServiceId: { type: String, required: true },
    delta: { type: Number, required: true },
    reason: { type: String, required: true },
    by: { type: String, required: true },
    at: { type: Date, required: true },
  },
  { collection: 'stock_adjustments', ...SETTINGS },
);

export function createProductServiceModel(connection: Connection): Model<ProductServiceDocument> {
  return modelOf(connection, 'ProductService', productServiceSchema);
}

export function createStockAdjustmentModel(connection: Connection): Model<StockAdjustmentDocument> {
  return modelOf(connection, 'StockAdjustment', stockAdjustmentSchema);
}
