import { mongo, type ClientSession, type Connection } from 'mongoose';
import { ANY_TIME, createCartModel, type CartDocument } from '../carts/carts.model';
import type { CountedStock, UnitsInUse } from '../domain/stock-flaws';
import { createOrderModel, type OrderDocument } from '../orders/orders.model';
import {
  createProductServiceModel,
  type ProductServiceDocument,
  type Stock,
} from '../product-service/product-service.model';

/** The stock of a product and where its units are, as both were at one time. */
export interface StockInUse {
  stock: CountedStock;
  units: UnitsInUse;
  /** The condition of a write that believes it: each movement of the stock raises it. */
  stockRevision: number;
}

/** The stock of some products. */
export interface StocksInUse {
  all: StockInUse[];
  /** Those of which it cannot be told now: to add up their orders takes long, and their stock has moved meanwhile. */
  moving: string[];
}

export type StockUnits = ReturnType<typeof createStockUnits>;

/** How long products are added to a snapshot, in milliseconds: MongoDB keeps what was at its time for five minutes. */
const SNAPSHOT_MS = 20_000;
/** How many orders are added up at a time, so that MongoDB always answers soon. */
const CHUNK = 5_000;

/** Said of each read of a snapshot, since the connection has another one, which would hide that of the session. */
const SNAPSHOT = { readConcern: { level: 'snapshot' } } as const;

/** With what is read: in a snapshot, or as it is now. */
type ReadOptions = { session: ClientSession; readConcern: { level: 'snapshot' } } | Record<string, never>;

/** What MongoDB answers when what was at the time of a snapshot is no longer kept. */
const SNAPSHOT_TOO_OLD = 239;

/** Where one chunk of the orders of a product ends, and what they have of the product. */
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
  async function heldIn(ids: readonly string[], options: ReadOptions): Promise<Map<string, number>> {
    const wanted = { 'hold.items.productServiceId': { $in: [...ids] } };
    const held = await carts
      .aggregate<{ _id: string; units: number }>(
        [
          { $match: { 'hold.until': { $gt: ANY_TIME }, ...wanted } },
          { $unwind: '$hold.items' },
          { $match: wanted },
          { $group: { _id: '$hold.items.productServiceId', units: { $sum: '$hold.items.quantity' } } },
        ],
        { hint: 'held', ...options },
      )
      .toArray();
    return new Map(held.map(({ _id, units }) => [_id, units]));
  }

  async function inOrders(
    id: string,
    options: ReadOptions,
    onProgress: () => void,
  ): Promise<Pick<UnitsInUse, 'reserved' | 'gone'>> {
    const sums = { reserved: 0, gone: 0 };
    for (let last: Chunk | undefined; ;) {
      const found: Chunk[] = await orders
        .aggregate<Chunk>(chunkOf(id, last), { hint: 'product', ...options })
        .toArray();
      onProgress();
      last = found[0];
      sums.reserved += last?.reserved ?? 0;
      sums.gone += last?.gone ?? 0;
      if (!last || last.orders < CHUNK) return sums;
    }
  }

  /** Returns the first of these products as they were at one time, as many as that is kept for. */
  async function inSnapshot(ids: readonly string[], onProgress: () => void): Promise<Snapshot> {
    const session = connection.getClient().startSession({ snapshot: true });
    const options = { session, ...SNAPSHOT };
    const until = performance.now() + SNAPSHOT_MS;
    try {
      const found = await products.find(among(ids), { sort: { _id: 1 }, ...options }).toArray();
      const held = await heldIn(ids, options);
      const all: StockInUse[] = [];
      const beyond = (n: number) => found.slice(n + 1).map(({ _id }) => _id);
      for (const [n, product] of found.entries()) {
        const { _id: id, stock } = product;
        if (!stock) continue;
        try {
          const units = await inOrders(id, options, onProgress);
          all.push(inUseOf(product, stock, { ...units, held: held.get(id) ?? 0 }));
        } catch (error) {
          if (!isTooOld(error)) throw error;
          return { all, outlived: id, rest: beyond(n) };
        }
        if (performance.now() > until) return { all, rest: beyond(n) };
      }
      return { all, rest: [] };
    } finally {
      await session.endSession();
    }
  }

  /**
   * Returns the stock of a product of which more orders have to be added up than a snapshot is kept for: each of them as it was
   * when it was read, so the sum is true if nothing of the stock has moved meanwhile. Null if something has.
   */
  async function withoutSnapshot(id: string, onProgress: () => void): Promise<StockInUse | null> {
    const before = await products.findOne({ _id: id });
    const held = await heldIn([id], {});
    const units = await inOrders(id, {}, onProgress);
    const after = await products.findOne({ _id: id }, { projection: { stockRevision: 1 } });
    if (!before?.stock || after?.stockRevision !== before.stockRevision) return null;
    return inUseOf(before, before.stock, { ...units, held: held.get(id) ?? 0 });
  }

  return {
    /**
     * Returns the stock of those of the products that have one, each as it was at one time.
     * @param onProgress called while it lasts
     */
    async inUse(ids: readonly string[], onProgress: () => void = () => undefined): Promise<StocksInUse> {
      const all: StockInUse[] = [];
      const moving: string[] = [];
      for (let rest = ids; rest.length > 0;) {
        const { outlived, ...snapshot } = await inSnapshot(rest, onProgress);
        all.push(...snapshot.all);
        rest = snapshot.rest;
        if (outlived === undefined) continue;
        const found = await withoutSnapshot(outlived, onProgress);
        if (found) all.push(found);
        else moving.push(outlived);
      }
      return { all, moving };
    },
  };
}

/** What was counted of some products, and those that are left for the next snapshot. */
interface Snapshot {
  all: StockInUse[];
  /** The product that has taken longer than the snapshot was kept. */
  outlived?: string;
  rest: string[];
}

function among(ids: readonly string[]) {
  return { _id: { $in: [...ids] } };
}

function isTooOld(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === SNAPSHOT_TOO_OLD;
}

function inUseOf(
  { _id: id, stockRevision, stockReceived }: ProductServiceDocument,
  stock: Stock,
  units: UnitsInUse,
): StockInUse {
  return { stock: { held: 0, ...stock, id, received: stockReceived ?? null }, units, stockRevision };
}

/** Returns how MongoDB adds up the units of a product in the next orders that have it, by the rules of domain/stock.ts. */
function chunkOf(id: string, after?: Pick<Chunk, 'at' | 'id'>): object[] {
  const isLine = {
    $and: [{ $eq: ['$$line.productServiceId', id] }, { $eq: ['$$line.kind', 'product'] }],
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
    { $match: { 'items.productServiceId': id } },
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
