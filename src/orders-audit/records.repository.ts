import type { Connection, mongo } from 'mongoose';
import { fromDocument as cartFromDocument } from '../carts/cart-documents';
import { createCartModel, type CartDocument } from '../carts/carts.model';
import type { AuditFinding } from '../domain/audit-findings';
import { malformedCart, type StoredCart } from '../domain/cart-findings';
import type { Order } from '../domain/order';
import type { FeedPeriod, SeenEvents } from '../domain/order-findings';
import { malformed, type Flaw } from '../domain/order-flaws';
import {
  createEventModel,
  createRelayModel,
  RELAY,
  type EventDocument,
  type RelayDocument,
} from '../events/events.model';
import { fromDocument } from '../orders/order-documents';
import { createOrderModel, type OrderDocument } from '../orders/orders.model';
import { createUnpaidOrdersModel, type UnpaidOrdersDocument } from '../orders/unpaid-orders.model';
import {
  createProductServiceModel,
  type ProductServiceDocument,
} from '../product-service/product-service.model';

/** Where a page begins, and how many it has at most. */
export interface Page {
  /** The id of the last one of the page before; null for the first page. */
  after: string | null;
  limit: number;
}

/** All ids of orders are between these. */
const ORDERS = { from: 'ord_', to: 'ord`' } as const;

/** An order as it is stored; one that cannot even be read is damaged. */
export type StoredOrder = { id: string } & ({ order: Order; flaw?: never } | { order?: never; flaw: Flaw });

/** A cart as it is stored; one that cannot even be read is damaged. */
export type SeenCart = { id: string; version: number | null } & (
  { stored: StoredCart; flaw?: never } | { stored?: never; flaw: Omit<AuditFinding, 'subject'> }
);

type BriefOrder = Pick<Order, 'status' | 'compensations' | 'version'>;

export type AuditRecords = ReturnType<typeof createAuditRecords>;

/** All that is read to audit orders: in pages, by the ids, and what of other collections belongs to a page. */
export function createAuditRecords(connection: Connection) {
  const collection = <T extends mongo.Document>(model: { collection: { name: string } }) =>
    connection.collection<T>(model.collection.name);
  const products = collection<ProductServiceDocument>(createProductServiceModel(connection));
  const orders = collection<OrderDocument>(createOrderModel(connection));
  const unpaid = collection<UnpaidOrdersDocument>(createUnpaidOrdersModel(connection));
  const carts = collection<CartDocument>(createCartModel(connection));
  const events = collection<EventDocument>(createEventModel(connection));
  const relay = collection<RelayDocument>(createRelayModel(connection));

  const sortedById = { sort: { _id: 1 }, hint: { _id: 1 } } as const;
  const beyond = (after: string | null) => ({ _id: { $gt: after ?? '' } });
  const among = (ids: readonly string[]) => ({ _id: { $in: [...ids] } });

  return {
    /** Returns the ids of the products that have a stock. */
    async products({ after, limit }: Page): Promise<{ ids: string[]; last: string | null }> {
      const found = await products
        .find(beyond(after), { ...sortedById, limit, projection: { kind: 1 } })
        .toArray();
      const ids = found.filter(({ kind }) => kind === 'product').map(({ _id }) => _id);
      return { ids, last: found.length < limit ? null : found.at(-1)!._id };
    },

    async carts({ after, limit }: Page): Promise<SeenCart[]> {
      return (await carts.find(beyond(after), { ...sortedById, limit }).toArray()).map(readCart);
    },

    seenCarts: async (ids: readonly string[]): Promise<SeenCart[]> =>
      (await carts.find(among(ids)).toArray()).map(readCart),

    /** Returns the versions of those of the carts that are there. */
    async cartVersions(ids: readonly string[]): Promise<Map<string, number | null>> {
      if (ids.length === 0) return new Map();
      const found = await carts.find(among(ids), { projection: { version: 1 } }).toArray();
      return new Map(found.map(({ _id, version }) => [_id, numberOf(version)]));
    },

    /** Returns what carts have become, by the ids of the orders. */
    async ordersOfCarts(ids: readonly string[]): Promise<Map<string, Pick<Order, 'status' | 'cart'>>> {
      if (ids.length === 0) return new Map();
      const found = await orders.find(among(ids), { projection: { status: 1, cart: 1 } }).toArray();
      return new Map(found.map(({ _id, status, cart }) => [_id, { status, cart }]));
    },

    /** Returns which of the products have a stock. */
    async stocked(ids: readonly string[]): Promise<Set<string>> {
      if (ids.length === 0) return new Set();
      const found = await products.find(among(ids), { projection: { 'stock.available': 1 } }).toArray();
      return new Set(found.filter(({ stock }) => stock).map(({ _id }) => _id));
    },

    /** Returns orders of all lists. */
    async orders({ after, limit }: Page): Promise<StoredOrder[]> {
      return (await orders.find(beyond(after), { ...sortedById, limit }).toArray()).map(readOrder);
    },

    ordersById: async (ids: readonly string[]): Promise<StoredOrder[]> =>
      (await orders.find(among(ids)).toArray()).map(readOrder),

    /** Returns what tells whether orders need a workflow, and which version they have. */
    async briefOrders(ids: readonly string[]): Promise<Map<string, BriefOrder>> {
      const projection = { status: 1, compensations: 1, version: 1 };
      const found = await orders.find(among(ids), { projection }).toArray();
      return new Map(found.map(({ _id, ...brief }) => [_id, brief as unknown as BriefOrder]));
    },

    /** Returns the revisions of those of the orders that are there. */
    async revisions(ids: readonly string[]): Promise<Map<string, number>> {
      if (ids.length === 0) return new Map();
      const found = await orders.find(among(ids), { projection: { revision: 1 } }).toArray();
      return new Map(found.map(({ _id, revision }) => [_id, revision]));
    },

    /** Returns the orders that are counted as unpaid, by their customers. */
    async unpaid({ after, limit }: Page): Promise<{ orderIds: string[]; last: string | null }> {
      const found = await unpaid.find(beyond(after), { ...sortedById, limit }).toArray();
      const orderIds = found.flatMap((one) => one.orders.map(({ orderId }) => orderId));
      return { orderIds, last: found.length < limit ? null : found.at(-1)!._id };
    },

    /** Returns which orders of these customers are counted as unpaid. */
    async unpaidOf(customerIds: readonly string[]): Promise<Set<string>> {
      const found = await unpaid.find(among(customerIds)).toArray();
      return new Set(found.flatMap((one) => one.orders.map(({ orderId }) => orderId)));
    },

    async cartsById(ids: readonly string[]): Promise<Map<string, Pick<CartDocument, 'status' | 'orderId'>>> {
      if (ids.length === 0) return new Map();
      const projection = { status: 1, orderId: 1 };
      const found = await carts.find(among(ids), { projection }).toArray();
      return new Map(found.map(({ _id, status, orderId }) => [_id, { status, orderId }]));
    },

    /** Returns of which versions of the orders there are events. The index tells it, but for what follows a gap. */
    async events(ids: readonly string[]): Promise<Map<string, SeenEvents>> {
      const grouped = await events
        .aggregate<{ _id: string; versions: number[] }>(
          [
            { $match: { object: { $in: [...ids] } } },
            { $sort: { object: 1, version: 1 } },
            { $group: { _id: '$object', versions: { $push: '$version' } } },
          ],
          { hint: { object: 1, version: 1 } },
        )
        .toArray();
      const unsure = grouped.flatMap(({ _id: object, versions }) =>
        versions
          .filter((version, n) => version !== (versions[n - 1] ?? 0) + 1)
          .map((version) => ({ object, version })),
      );
      const follows = new Map<string, Map<number, number | null>>();
      if (unsure.length > 0) {
        const projection = { object: 1, version: 1, follows: 1 };
        for await (const one of events.find({ $or: unsure }, { projection })) {
          const known = follows.get(one.object) ?? new Map<number, number | null>();
          follows.set(one.object, known.set(one.version, one.follows));
        }
      }
      return new Map(
        grouped.map(({ _id, versions }) => [_id, { versions, follows: follows.get(_id) ?? new Map() }]),
      );
    },

    /** Returns the ids of orders that have events, those between two: beyond the first one, up to the last one. */
    async *ordersWithEvents({ after, last }: { after: string | null; last: string | null }) {
      const range = { $gt: after ?? ORDERS.from, ...(last === null ? { $lt: ORDERS.to } : { $lte: last }) };
      const found = events.aggregate<{ _id: string }>(
        [{ $match: { object: range } }, { $sort: { object: 1 } }, { $group: { _id: '$object' } }],
        { hint: { object: 1, version: 1 } },
      );
      for await (const { _id } of found) yield _id;
    },

    /** Returns what of the past the feed has; null if it has nothing, or is not known to be complete. */
    async feed(): Promise<FeedPeriod | null> {
      const known = await relay.findOne({ _id: RELAY });
      const oldest = await events.findOne({}, { sort: { position: 1 }, projection: { recordedAt: 1 } });
      if (!known?.followedAt || !oldest) return null;
      return { since: oldest.recordedAt.toISOString(), until: known.followedAt.toISOString() };
    },
  };
}

function readOrder(document: OrderDocument): StoredOrder {
  const { _id: id } = document;
  try {
    return { id, order: fromDocument(document) };
  } catch (error) {
    return { id, flaw: malformed('a document that can be read', (error as Error).message) };
  }
}

function readCart(document: CartDocument): SeenCart {
  const { _id: id, expiresAt, version } = document;
  const seen = { id, version: numberOf(version) };
  try {
    return {
      ...seen,
      stored: { cart: cartFromDocument(document), expiresAt: expiresAt?.toISOString() ?? null },
    };
  } catch (error) {
    return { ...seen, flaw: malformedCart('a document that can be read', (error as Error).message) };
  }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
