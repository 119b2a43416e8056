import { trusted, type ClientSession, type Connection } from 'mongoose';
import type { AnsweredCommand, Order } from '../domain/order';
import { DuplicateOrder, type UniqueField } from '../domain/errors';
import { duplicateKey, isDuplicateKey } from '../mongodb/errors';
import { createAnsweredCommandModel, type AnsweredCommandDocument } from './answered-commands.model';
import { orderQuery, type OrderFilter, type OrderPosition } from './order-filter';
import { unfinishedQuery, type Unfinished } from './unfinished-orders';
import { fromDocument, toDocument, withoutDates } from './order-documents';
import { createOrderModel, type OrderDocument } from './orders.model';

export type OrderRepository = ReturnType<typeof createOrderRepository>;

export function createOrderRepository(connection: Connection) {
  const orders = createOrderModel(connection);
  const answers = createAnsweredCommandModel(connection);
  /** Writes whole orders: Mongoose would cast and check each field, which costs more than the write. */
  const documents = connection.collection<OrderDocument>(orders.collection.collectionName);
  return {
    async findById(id: string): Promise<Order | null> {
      const found = await orders.findById(id).lean<OrderDocument>();
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

    /** Keeps an answer for which the order is about to have no room, unless a later one to the same command is kept. */
    async keepAnswer(orderId: string, answer: AnsweredCommand): Promise<void> {
      const earlier = {
        _id: `${orderId}/${answer.id}`,
        'answer.revision': trusted({ $lt: answer.revision }),
      };
      try {
        await answers.updateOne(earlier, { $set: { answer } }, { upsert: true });
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
    },

    /** Returns the answer to the command that is kept beside the order, or null. */
    async findAnswer(orderId: string, commandId: string): Promise<AnsweredCommand | null> {
      const found = await answers.findById(`${orderId}/${commandId}`).lean<AnsweredCommandDocument>();
      return found && (withoutDates(found.answer) as AnsweredCommand);
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
