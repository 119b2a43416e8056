import { isDeepStrictEqual } from 'node:util';
import { trusted, type ClientSession, type Connection, type QueryFilter } from 'mongoose';
import { TIME_FIELDS, type Order, type OrderState } from '../domain/order';
import { DuplicateOrder } from '../domain/errors';
import { isDuplicateKey } from '../mongodb/errors';
import { createOrderModel, USUAL, USUAL_OF_ITEM, type OrderDocument } from './orders.model';

export interface OrderFilter extends Partial<OrderState> {
  customerId?: string;
  /** Matches orders created at or after this time. */
  from?: Date;
  /** Matches orders created before this time. */
  to?: Date;
}

/** The place of an order in a list: the next page begins after it. */
export interface OrderPosition {
  createdAt: Date;
  id: string;
}

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

    /** Lists orders, newest first, without archived ones. */
    async list(
      filter: OrderFilter,
      { limit, after }: { limit: number; after?: OrderPosition },
    ): Promise<Order[]> {
      const found = await orders
        .find({ $and: [{ archivedAt: null }, matching(filter), ...(after ? [olderThan(after)] : [])] })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit)
        .lean<OrderDocument[]>();
      return found.map(fromDocument);
    },

    /** @throws {DuplicateOrder} which ends the transaction */
    async insert(order: Order, session: ClientSession): Promise<void> {
      try {
        await documents.insertOne(toDocument(order), { session, ignoreUndefined: true });
      } catch (error) {
        throw isDuplicateKey(error) ? new DuplicateOrder(order.id, { cause: error }) : error;
      }
    },

    /** Replaces the preceding revision of an order. Returns false if another revision is stored. */
    async save(order: Order, session?: ClientSession): Promise<boolean> {
      const preceding = { _id: order.id, revision: order.revision - 1 };
      const options = { session, ignoreUndefined: true };
      const { matchedCount } = await documents.replaceOne(preceding, toDocument(order), options);
      return matchedCount === 1;
    },
  };
}

function matching({ from, to, ...equal }: OrderFilter): QueryFilter<OrderDocument> {
  const range = { ...(from && { $gte: from }), ...(to && { $lt: to }) };
  const defined = Object.fromEntries(Object.entries(equal).filter(([, value]) => value !== undefined));
  return from || to ? { ...defined, createdAt: trusted(range) } : defined;
}

function olderThan({ createdAt, id }: OrderPosition): QueryFilter<OrderDocument> {
  return {
    $or: [{ createdAt: trusted({ $lt: createdAt }) }, { createdAt, _id: trusted({ $lt: id }) }],
  };
}

function toDocument({ id, ...order }: Order): OrderDocument {
  const items = order.items.map((item) => without(USUAL_OF_ITEM, item));
  const document = without(USUAL, { ...order, items });
  return { ...(withDates(document) as Omit<OrderDocument, '_id'>), _id: id };
}

function fromDocument({ _id, items, ...document }: OrderDocument): Order {
  const whole = items.map((item) => ({ ...USUAL_OF_ITEM, ...item }));
  return withoutDates({ ...USUAL, metadata: {}, ...document, id: _id, items: whole }) as Order;
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
