import { Schema, type Connection, type Model } from 'mongoose';
import { carryVersion, schemaVersionOf, type WithVersion } from '../migrations/schema-version';
import { modelOf } from '../mongodb/model';
import { foldCase, searchTermsOf } from './search-terms';

export const KINDS = ['product', 'service'] as const;
export type Kind = (typeof KINDS)[number];

export interface Stock {
  available: number;
  reserved: number;
  /** The units that carts keep from others for a few minutes; absent if none ever did. */
  held?: number;
}

/** A product or service in MongoDB. */
export interface ProductServiceDocument extends WithVersion {
  _id: string;
  sku: string;
  /** What of the sku is unique: it is the same whatever its case. */
  skuKey: string;
  name: string;
  description: string;
  /** What finds the entry, see `searchTermsOf`. */
  searchTerms: string[];
  kind: Kind;
  /** The price in the currency's minor unit. */
  unitPrice: number;
  currency: string;
  /** The tax rate in basis points, with up to two decimals: 1900 is 19 %. */
  taxRateBps: number;
  /** Whether the price contains the tax. */
  priceIncludesTax: boolean;
  /** The units of a product; null for a service. */
  stock: Stock | null;
  /** Counts the movements of the stock. */
  stockRevision: number;
  /** The units that were ever put in, without those that adjustments took out: where each is now, an audit finds. */
  stockReceived: number;
  isActive: boolean;
  /** Counts the edits of the entry, not the movements of its stock. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** What only indexes and audits need. */
export const HIDDEN = { schemaVersion: 0, skuKey: 0, searchTerms: 0, stockReceived: 0 } as const;

/** An entry without what only indexes and audits need. */
export type ProductService = Omit<ProductServiceDocument, '_id' | keyof typeof HIDDEN> & { id: string };

/** A change of stock by a person, or by a program. */
export interface StockAdjustmentDocument {
  /** Is derived from the Idempotency-Key, so that the same request adjusts once. */
  _id: string;
  productServiceId: string;
  /** A hash of the request. The same Idempotency-Key with another fingerprint is rejected. */
  fingerprint: string;
  delta: number;
  reason: string;
  by: string;
  at: Date;
  /** The available units. */
  before: number;
  after: number;
  /** The units that orders had reserved. */
  reserved: number;
  /** That of the product after the adjustment. */
  stockRevision: number;
}

const SETTINGS = { versionKey: false, autoIndex: false, autoCreate: false } as const;
const count = { type: Number, required: true, min: 0, validate: Number.isSafeInteger };

const productServiceSchema = new Schema<ProductServiceDocument>(
  {
    _id: { type: String, required: true },
    sku: { type: String, required: true },
    skuKey: { type: String, required: true },
    name: { type: String, required: true },
    description: { type: String, default: '' },
    searchTerms: { type: [String], required: true },
    kind: { type: String, enum: KINDS, required: true },
    unitPrice: count,
    currency: { type: String, required: true },
    taxRateBps: { type: Number, required: true, min: 0 },
    priceIncludesTax: { type: Boolean, default: false },
    stock: {
      type: new Schema<Stock>(
        { available: count, reserved: count, held: { ...count, required: false } },
        { _id: false },
      ),
      default: null,
    },
    stockRevision: count,
    stockReceived: count,
    isActive: { type: Boolean, required: true },
    version: count,
  },
  { collection: 'product_services', timestamps: true, ...SETTINGS },
);

carryVersion(productServiceSchema, schemaVersionOf('product_services'));

// The sku of a retired entry may be used again.
productServiceSchema.index({ skuKey: 1 }, { unique: true, partialFilterExpression: { isActive: true } });
// The list is newest first, optionally by kind or currency or what a search finds.
productServiceSchema.index({ isActive: 1, _id: -1 });
productServiceSchema.index({ isActive: 1, kind: 1, _id: -1 });
productServiceSchema.index({ isActive: 1, currency: 1, _id: -1 });
productServiceSchema.index({ isActive: 1, searchTerms: 1, _id: -1 });

const stockAdjustmentSchema = new Schema<StockAdjustmentDocument>(
  {
    _id: { type: String, required: true },
    productServiceId: { type: String, required: true },
    fingerprint: { type: String, required: true },
    delta: { type: Number, required: true },
    reason: { type: String, required: true },
    by: { type: String, required: true },
    at: { type: Date, required: true },
    before: count,
    after: count,
    reserved: count,
    stockRevision: count,
  },
  { collection: 'stock_adjustments', ...SETTINGS },
);

// The list is newest first.
stockAdjustmentSchema.index({ productServiceId: 1, stockRevision: -1 });

export function createProductServiceModel(connection: Connection): Model<ProductServiceDocument> {
  return modelOf(connection, 'ProductService', productServiceSchema);
}

export function createStockAdjustmentModel(connection: Connection): Model<StockAdjustmentDocument> {
  return modelOf(connection, 'StockAdjustment', stockAdjustmentSchema);
}

/** Returns what indexes need of an entry. */
export function derivedFrom({
  sku,
  name,
}: Pick<ProductServiceDocument, 'sku' | 'name'>): Pick<ProductServiceDocument, 'skuKey' | 'searchTerms'> {
  return { skuKey: foldCase(sku), searchTerms: searchTermsOf(name, sku) };
}

export function toProductService(
  document: Omit<ProductServiceDocument, keyof typeof HIDDEN>,
): ProductService {
  const { _id, ...fields } = document;
  for (const field of Object.keys(HIDDEN)) delete (fields as Record<string, unknown>)[field];
  return { id: _id, ...fields };
}
