import { isDeepStrictEqual } from 'node:util';
import type { ClientSession, Connection } from 'mongoose';
import { TIME_FIELDS, type Order } from '../domain/order';
import { DuplicateOrder, type UniqueField } from '../domain/errors';
import { duplicateKey } from '../mongodb/errors';
import { orderQuery, type OrderFilter, type OrderPosition } from './order-filter';
import { unfinishedQuery, type Unfinished } from './unfinished-orders';
import {
  createOrderModel,
  metadataOf,
  tagsOf,
  USUAL,
  USUAL_OF_ITEM,
  type OrderDocument,
} from './orders.model';

export type OrderRepository = ReturnType<typeof createOrderRepository>;

export function createOrderRepository(connection: Connection) {
  const orders = createOrderModel(connection);
  /** Writes whole orders: Mongoose would cast and check each field, which costs more than the write. */
  const documents = connection.collection<OrderDocument>(orders.collection.collectionName);
  return {
    async findById(id: string): Promise<Order | null> {
      const found = await orders.findById(id).lean<OrderDocument>();
      return found && fromDocument(found);
    },

    /** Reads an order to decide on it: only what a majority has, and what will not be rolled back. */
    async load(id: string): Promise<Order | null> {
      const found = await orders.findById(id).readConcern('majority').lean<OrderDocument>();
      return found && fromDocument(found);
    },

    /** Lists the orders that match, in the order that `sortOf` says. */
    async list(
      filter: OrderFilter,
      { limit, after }: { limit: number; after?: OrderPosition },
    ): Promise<Order[]> {
      const { filter: matching, sort, hint } = orderQuery(filter, after);
      const found = await orders.find(matching, null, { sort, limit, ...hint }).lean<OrderDocument[]>();
      return found.map(fromDocument);
    },

    /** Lists the oldest orders that may be stuck. */
    async listUnfinished(
      which: Unfinished,
      page: { before: Date; after?: OrderPosition; limit: number },
    ): Promise<Order[]> {
      const { filter, sort, hint } = unfinishedQuery(which, page);
      const found = await orders
        .find(filter, null, { sort, hint, limit: page.limit })
        .lean<OrderDocument[]>();
      return found.map(fromDocument);
    },

    /** Returns the id of the customer's order with this reference, or null. */
    async findByExternalRef(customerId: string, externalRef: string): Promise<string | null> {
      const found = await orders
        .findOne({ customerId, externalRef }, { _id: 1 })
        .hint('external_ref_of_customer')
        .lean<Pick<OrderDocument, '_id'>>();
      return found && found._id;
    },

    /** @throws {DuplicateOrder} which ends the transaction */
    async insert(order: Order, session: ClientSession): Promise<void> {
      await unlessDuplicate(order.id, () =>
        documents.insertOne(toDocument(order), { session, ignoreUndefined: true }),
      );
    },

    /**
     * Replaces the preceding revision of an order. Returns false if another revision is stored.
     * @throws {DuplicateOrder} which ends the transaction
     */
    async save(order: Order, session?: ClientSession): Promise<boolean> {
      const preceding = { _id: order.id, revision: order.revision - 1 };
      const options = { session, ignoreUndefined: true };
      const { matchedCount } = await unlessDuplicate(order.id, () =>
        documents.replaceOne(preceding, toDocument(order), options),
      );
      return matchedCount === 1;
    },
  };
}

/** @throws {DuplicateOrder} */
async function unlessDuplicate<T>(orderId: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const key = duplicateKey(error);
    if (!key) throw error;
    const field = UNIQUE_FIELDS.find((name) => key.includes(name)) ?? 'id';
    throw new DuplicateOrder(orderId, field, { cause: error });
  }
}

const UNIQUE_FIELDS: readonly UniqueField[] = ['number', 'externalRef'];

function toDocument({ id, ...order }: Order): OrderDocument {
  const items = order.items.map((item) => without(USUAL_OF_ITEM, item));
  const document = without(USUAL, { ...order, items });
  const metadata = document.metadata && tagsOf(document.metadata);
  const stored = { ...document, ...(metadata && { metadata }) };
  return { ...(withDates(stored) as Omit<OrderDocument, '_id'>), _id: id };
}

function fromDocument({ _id, items, metadata = [], ...document }: OrderDocument): Order {
  const whole = items.map((item) => ({ ...USUAL_OF_ITEM, ...item }));
  const fields = { ...USUAL, ...document, metadata: metadataOf(metadata) };
  return withoutDates({ ...fields, id: _id, items: whole }) as Order;
}

/** Returns the fields without those that have their usual value. */
function without<T extends object>(usual: object, fields: T): Partial<T> {
  const differs = ([field, value]: [string, unknown]) =>
    !Object.hasOwn(usual, field) || !isDeepStrictEqual(value, (usual as Record<string, unknown>)[field]);
  return Object.fromEntries(Object.entries(fields).filter(differs)) as Partial<T>;
}

const TIMES: ReadonlySet<string> = new Set(TIME_FIELDS);

function withDates(value: unknown, field = ''): unknown {
  if (typeof value === 'string' && TIMES.has(field)) return new Date(value);
  if (field === 'metadata') return value; // the names of its fields are the customer's
  if (Array.isArray(value)) return value.map((entry) => withDates(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, withDates(entry, name)]));
}

/** Changes its argument, which is fresh from the driver, since a copy would double the cost of a read. */
function withoutDates(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  for (const field of Object.keys(fields)) fields[field] = withoutDates(fields[field]);
  return fields;
}
