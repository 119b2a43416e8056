import { trusted, type ClientSession, type Connection, type QueryFilter } from 'mongoose';
import { TIME_FIELDS, type Order, type OrderState } from '../domain/order';
import { DuplicateOrder } from '../domain/errors';
import { isDuplicateKey } from '../mongodb/errors';
import { createOrderModel, type OrderDocument } from './orders.model';

export interface OrderFilter extends Partial<OrderState> {
  customerId?: string;
  /** Created at or after. */
  from?: Date;
  /** Created before. */
  to?: Date;
}

/** The last order of the page before. */
export interface OrderPosition {
  createdAt: Date;
  id: string;
}

export interface OrderRepository {
  findById(id: string, session?: ClientSession): Promise<Order | null>;
  /** Newest first, without those that are archived. */
  list(filter: OrderFilter, page: { limit: number; after?: OrderPosition }): Promise<Order[]>;
  /** @throws {DuplicateOrder} which ends the transaction */
  insert(order: Order, session: ClientSession): Promise<void>;
  /** Writes the next version of an order; false when the stored one is no longer the version before it. */
  save(order: Order, session?: ClientSession): Promise<boolean>;
}

export function createOrderRepository(connection: Connection): OrderRepository {
  const orders = createOrderModel(connection);
  /** For whole orders: Mongoose would cast and check each field once more, at more than the price of the write itself. */
  const documents = connection.collection<OrderDocument>(orders.collection.collectionName);
  return {
    async findById(id, session) {
      const found = await orders.findById(id, null, { session }).lean<OrderDocument>();
      return found && fromDocument(found);
    },

    async list(filter, { limit, after }) {
      const found = await orders
        .find({ $and: [{ archivedAt: null }, matching(filter), ...(after ? [olderThan(after)] : [])] })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit)
        .lean<OrderDocument[]>();
      return found.map(fromDocument);
    },

    async insert(order, session) {
      try {
        await documents.insertOne(toDocument(order), { session, ignoreUndefined: true });
      } catch (error) {
        throw isDuplicateKey(error) ? new DuplicateOrder(order.id, { cause: error }) : error;
      }
    },

    async save(order, session) {
      const before = { _id: order.id, version: order.version - 1 };
      const options = { session, ignoreUndefined: true };
      const { matchedCount } = await documents.replaceOne(before, toDocument(order), options);
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
  return { ...(withDates(order) as Omit<OrderDocument, '_id'>), _id: id };
}

function fromDocument({ _id, ...document }: OrderDocument): Order {
  return withoutDates({ ...document, id: _id }) as Order;
}

const TIMES: ReadonlySet<string> = new Set(TIME_FIELDS);

function withDates(value: unknown, field = ''): unknown {
  if (typeof value === 'string' && TIMES.has(field)) return new Date(value);
  if (Array.isArray(value)) return value.map((entry) => withDates(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, withDates(entry, name)]));
}

/** Changes what it is given, which comes fresh from the driver: a copy would double the cost of a read. */
function withoutDates(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  for (const field of Object.keys(fields)) fields[field] = withoutDates(fields[field]);
  return fields;
}
