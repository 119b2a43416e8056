import type { ClientSession, Connection, mongo } from 'mongoose';
import { ANY_TIME, createCartModel, type CartDocument } from '../carts/carts.model';
import type { CountedStock, UnitsInUse } from '../domain/stock-flaws';
import { createOrderModel, type OrderDocument } from '../orders/orders.model';
import {
  createProductServiceModel,
  type ProductServiceDocument,
} from '../product-service/product-service.model';

/** The stock of a product and where its units are, as both were at one time. */
export interface StockInUse {
  stock: CountedStock;
  units: UnitsInUse;
  /** The condition of a write that believes it: each movement of the stock raises it. */
  stockRevision: number;
}

export type StockUnits = ReturnType<typeof createStockUnits>;

/** How long products are added to a snapshot, in milliseconds: MongoDB keeps what was at its time for five minutes. */
const SNAPSHOT_MS = 20_000;
/** How many orders are added up at a time, so that MongoDB always answers soon. */
const CHUNK = 5_000;

/** The lists of orders, each with the index by which it has the orders of a sku. */
const LISTS = [
  { archivedAt: null, hint: 'listed_by_sku' },
  { archivedAt: { $gt: new Date(0) }, hint: 'archived_by_sku' },
] as const;

/** Said of each read, since the connection has another one, which would hide that of the session. */
const SNAPSHOT = { readConcern: { level: 'snapshot' } } as const;

/** Where one chunk of the orders of a list ends, and what they have of the product. */
interface Chunk extends Pick<UnitsInUse, 'reserved' | 'gone'> {
  orders: number;
  at: Date;
  id: string;
}

/** Adds up the units that orders and carts have of products. */
export function createStockUnits(connection: Connection) {
  const collection = <T extends mongo.Document>(model: { collection: { name: string } }) =>
    connection.collection<T>(model.collection.name);
  const products = collection<ProductServiceDocument>(createProductServiceModel(connection));
  const orders = collection<OrderDocument>(createOrderModel(connection));
  const carts = collection<CartDocument>(createCartModel(connection));

  /** Returns the units that carts hold, by products. */
  async function heldIn(session: ClientSession, ids: readonly string[]): Promise<Map<string, number>> {
    const wanted = { 'hold.items.productServiceId': { $in: [...ids] } };
    const held = await carts
      .aggregate<{ _id: string; units: number }>(
        [
          { $match: { 'hold.until': { $gt: ANY_TIME }, ...wanted } },
          { $unwind: '$hold.items' },
          { $match: wanted },
          { $group: { _id: '$hold.items.productServiceId', units: { $sum: '$hold.items.quantity' } } },
        ],
        { session, hint: 'hold', ...SNAPSHOT },
      )
      .toArray();
    return new Map(held.map(({ _id, units }) => [_id, units]));
  }

  async function inOrders(
    session: ClientSession,
    { _id: id, sku, formerSkus = [] }: ProductServiceDocument,
    onProgress: () => void,
  ): Promise<Pick<UnitsInUse, 'reserved' | 'gone'>> {
    const sums = { reserved: 0, gone: 0 };
    for (const one of new Set([sku, ...formerSkus])) {
      for (const { archivedAt, hint } of LISTS) {
        const matching = { archivedAt, 'items.sku': one };
        for (let last: Chunk | undefined; ;) {
          const found: Chunk[] = await orders
            .aggregate<Chunk>(chunkOf(matching, { id, sku: one }, last), { session, hint, ...SNAPSHOT })
            .toArray();
          onProgress();
          last = found[0];
          sums.reserved += last?.reserved ?? 0;
          sums.gone += last?.gone ?? 0;
          if (!last || last.orders < CHUNK) break;
        }
      }
    }
    return sums;
  }

  /** Returns the first of these products as they were at one time, as many as that is kept for, and one at least. */
  async function inSnapshot(ids: readonly string[], onProgress: () => void): Promise<Snapshot> {
    const session = connection.getClient().startSession({ snapshot: true });
    const until = performance.now() + SNAPSHOT_MS;
    try {
      const found = await products
        .find({ _id: { $in: [...ids] } }, { session, sort: { _id: 1 }, ...SNAPSHOT })
        .toArray();
      const held = await heldIn(session, ids);
      const all: StockInUse[] = [];
      for (const [n, product] of found.entries()) {
        const { _id: id, stock, stockRevision, stockReceived } = product;
        if (!stock) continue;
        const units = { ...(await inOrders(session, product, onProgress)), held: held.get(id) ?? 0 };
        const counted = { held: 0, ...stock, id, received: stockReceived ?? null };
        all.push({ stock: counted, units, stockRevision });
        if (performance.now() > until) return { all, rest: found.slice(n + 1).map(({ _id }) => _id) };
      }
      return { all, rest: [] };
    } finally {
      await session.endSession();
    }
  }

  return {
    /**
     * Returns the stock of those of the products that have one, each as it was at one time.
     * @param onProgress called while it lasts
     * @throws {MongoServerError} one of them has taken longer than MongoDB keeps what was at that time
     */
    async inUse(ids: readonly string[], onProgress: () => void = () => undefined): Promise<StockInUse[]> {
      const all: StockInUse[] = [];
      for (let rest = ids; rest.length > 0;) {
        const snapshot = await inSnapshot(rest, onProgress);
        all.push(...snapshot.all);
        rest = snapshot.rest;
      }
      return all;
    },
  };
}

/** What was counted of some products, and those that are left for the next snapshot. */
interface Snapshot {
  all: StockInUse[];
  rest: string[];
}

/** Returns how MongoDB adds up the units of a product in the next orders of a list, by the rules of domain/stock.ts. */
function chunkOf(
  matching: object,
  { id, sku }: { id: string; sku: string },
  after?: Pick<Chunk, 'at' | 'id'>,
): object[] {
  const isLine = {
    $and: [
      { $eq: ['$$line.productServiceId', id] },
      { $eq: ['$$line.sku', sku] },
      { $eq: ['$$line.kind', 'product'] },
    ],
  };
  // An order that is damaged keeps nothing else from being added up.
  const lines = {
    $filter: { input: { $cond: [{ $isArray: '$items' }, '$items', []] }, as: 'line', cond: isLine },
  };
  const count = (name: string) => ({
    $cond: [{ $isNumber: `$$line.${name}` }, `$$line.${name}`, 0],
  });
  const sumOf = (each: object) => ({ $sum: { $map: { input: '$lines', as: 'line', in: each } } });
  const open = {
    $subtract: [count('quantity'), { $add: [count('fulfilledQuantity'), count('cancelledQuantity')] }],
  };
  const gone = {
    $subtract: [
      { $add: [count('fulfilledQuantity'), count('writtenOffQuantity')] },
      count('restockedQuantity'),
    ],
  };
  return [
    { $match: matching },
    ...(after
      ? [
          {
            $match: {
              createdAt: { $lte: after.at },
              $nor: [{ createdAt: after.at, _id: { $gte: after.id } }],
            },
          },
        ]
      : []),
    { $sort: { createdAt: -1, _id: -1 } },
    { $limit: CHUNK },
    { $set: { lines } },
    {
      $group: {
        _id: null,
        orders: { $sum: 1 },
        reserved: { $sum: { $cond: [{ $eq: ['$reservation', 'held'] }, sumOf(open), 0] } },
        gone: { $sum: sumOf(gone) },
        at: { $last: '$createdAt' },
        id: { $last: '$_id' },
      },
    },
  ];
}
