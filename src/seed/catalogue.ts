import type { ProductServiceDocument } from '../product-service/product-service.model';

/** An entry with units in stock is a product, any other is a service. */
type DemoEntry = Pick<
  ProductServiceDocument,
  '_id' | 'sku' | 'name' | 'description' | 'unitPrice' | 'currency' | 'taxRateBps'
> & { available?: number; priceIncludesTax?: boolean };

/** The ids are fixed, so that the examples of the API description work as they stand. */
export const DEMO_CATALOGUE: readonly DemoEntry[] = [
  {
    _id: 'ps_01HZX0000000000000TSHRTM00',
    sku: 'TSHIRT-M',
    name: 'T-shirt, M',
    description: 'Organic cotton, navy',
    unitPrice: 1_999,
    currency: 'EUR',
    taxRateBps: 1_900,
    available: 1_000,
  },
  {
    _id: 'ps_01HZX0000000000000MVG00000',
    sku: 'MUG',
    name: 'Mug',
    description: 'Stoneware, 350 ml',
    unitPrice: 1_250,
    currency: 'EUR',
    taxRateBps: 1_900,
    available: 500,
  },
  {
    _id: 'ps_01HZX0000000000000B00K0000',
    sku: 'BOOK-KOA',
    name: 'Koa in Practice',
    description: 'Paperback, 320 pages',
    unitPrice: 3_490,
    currency: 'EUR',
    taxRateBps: 700,
    available: 200,
  },
  {
    _id: 'ps_01HZX0000000000000C0FFEE00',
    sku: 'COFFEE 250 G',
    name: 'Café crème, 250 g',
    description: 'Whole beans; the price includes the tax',
    unitPrice: 999,
    currency: 'EUR',
    taxRateBps: 700,
    priceIncludesTax: true,
    available: 300,
  },
  {
    _id: 'ps_01HZX0000000000000G1FTWRAP',
    sku: 'GIFT-WRAP',
    name: 'Gift wrapping',
    description: 'Paper, ribbon and a card',
    unitPrice: 490,
    currency: 'EUR',
    taxRateBps: 1_900,
  },
  {
    _id: 'ps_01HZX0000000000000HEADSET0',
    sku: 'HEADSET',
    name: 'Headset',
    description: 'Wireless, over-ear',
    unitPrice: 12_900,
    currency: 'USD',
    taxRateBps: 0,
    available: 100,
  },
  {
    _id: 'ps_01HZX0000000000000SETVP000',
    sku: 'SETUP',
    name: 'Set-up by phone',
    description: 'One hour with a technician',
    unitPrice: 6_000,
    currency: 'USD',
    taxRateBps: 0,
  },
];
