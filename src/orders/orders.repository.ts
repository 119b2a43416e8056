import { trusted } from 'mongoose';
import type { ClientSession, Connection, QueryFilter } from 'mongoose';
import { DuplicateOrder } from '../domain/order';
import type { Order, OrderState } from '../domain/order';
import { isDuplicateKey } from '../mongodb/unavailable';
import { createOrderModel } from './orders.model';
import type { OrderDocument } from './orders.model';

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
  /** Newest first. */
  list(filter: OrderFilter, page: { limit: number; after?: OrderPosition }): Promise<Order[]>;
  /** @throws {DuplicateOrder} which ends the transaction */
  insert(order: Order, session: ClientSession): Promise<void>;
  /** Writes the next version of an order; false when the stored one is no longer the version before it. */
  save(order: Order, session?: ClientSession): Promise<boolean>;
}

export function createOrderRepository(connection: Connection): OrderRepository {
  const orders = createOrderModel(connection);
  return {
    async findById(id, session) {
      const found = await orders.findById(id, null, { session }).lean<OrderDocument>();
      return found && fromDocument(found);
    },

    async list(filter, { limit, after }) {
      const found = await orders
        .find({ $and: [matching(filter), ...(after ? [olderThan(after)] : [])] })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit)
        .lean<OrderDocument[]>();
      return found.map(fromDocument);
    },

    async insert(order, session) {
      try {
        await orders.create([toDocument(order)], { session });
      } catch (error) {
        throw isDuplicateKey(error) ? new DuplicateOrder(order.id, { cause: error }) : error;
      }
    },

    async save(order, session) {
      const before = { _id: order.id, version: order.version - 1 };
      const { matchedCount } = await orders.replaceOne(before, toDocument(order), { session });
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
  return {
    ...order,
    _id: id,
    statusHistory: order.statusHistory.map((change) => ({ ...change, at: new Date(change.at) })),
    createdAt: new Date(order.createdAt),
    updatedAt: new Date(order.updatedAt),
  };
}

function fromDocument({ _id, ...document }: OrderDocument): Order {
  return {
    ...document,
    id: _id,
    statusHistory: document.statusHistory.map((change) => ({ ...change, at: change.at.toISOString() })),
    createdAt: document.createdAt.toISOString(),
    updatedAt: document.updatedAt.toISOString(),
  };
}
