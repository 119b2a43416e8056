import type { Connection } from 'mongoose';
import { createAuditRecorder } from '../audit/recorder';
import { toDocument } from '../carts/cart-documents';
import { createCartModel, type CartDocument } from '../carts/carts.model';
import type { CartRepository } from '../carts/carts.repository';
import type { FieldChange, Origin } from '../domain/audit';
import type { Cart } from '../domain/cart';
import type { Order } from '../domain/order';
import type { CountedStock } from '../domain/stock-flaws';
import { unpaidOf } from '../domain/unpaid';
import type { Transact } from '../mongodb/transaction';
import type { OrderRepository } from '../orders/orders.repository';
import type { UnpaidOrdersRepository } from '../orders/unpaid-orders.repository';
import { createProductServiceModel } from '../product-service/product-service.model';

/** Who repairs, for the audit log. */
const AUDIT: Origin = { by: 'orders-audit', requestId: null, address: null };
/** Repairing says how it is, and asks nobody whether it may be. */
const NO_LIMITS = { orders: 0, units: 0 };

export type RepairRepository = ReturnType<typeof createRepairRepository>;

export interface RepairRepositoryDeps {
  connection: Connection;
  transact: Transact;
  orders: Pick<OrderRepository, 'save'>;
  carts: Pick<CartRepository, 'reopen'>;
  unpaid: UnpaidOrdersRepository;
}

class Outdated extends Error {}

/** What repairs write, on the condition that what was counted has not moved since. */
export function createRepairRepository({
  connection,
  transact,
  orders,
  carts,
  unpaid,
}: RepairRepositoryDeps) {
  const cartDocuments = connection.collection<CartDocument>(createCartModel(connection).collection.name);
  const products = createProductServiceModel(connection);
  const recordAudit = createAuditRecorder(connection);

  async function unlessOutdated(work: Promise<unknown>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      if (error instanceof Outdated) return false;
      throw error;
    }
  }

  return {
    /** Sets counters of a product. Returns false if its stock has moved since that revision. */
    setStock: (
      { id, stockRevision }: Pick<CountedStock, 'id'> & { stockRevision: number },
      counters: readonly { name: string; before: number; after: number }[],
    ): Promise<boolean> =>
      unlessOutdated(
        transact(async (session) => {
          const set = Object.fromEntries(counters.map(({ name, after }) => [`stock.${name}`, after]));
          const { matchedCount } = await products.updateOne(
            { _id: id, stockRevision },
            { $set: set, $inc: { stockRevision: 1 } },
            { session, timestamps: false },
          );
          if (matchedCount === 0) throw new Outdated();
          const changes = counters.map(({ name, before, after }): FieldChange => ({
            field: `stock.${name}`,
            before,
            after,
          }));
          await recordAudit(
            { origin: AUDIT, action: 'stock.recount', object: id, subject: null, changes, personal: [] },
            session,
          );
        }),
      ),

    /** Writes the next version of a cart without moving any stock. Returns false if another version was stored. */
    async setCart({ before, after }: { before: Cart; after: Cart }): Promise<boolean> {
      const { id: _id, version } = before;
      return (await cartDocuments.replaceOne({ _id, version }, toDocument(after))).matchedCount === 1;
    },

    /** Opens the cart for another attempt, if it is still ordered as that order. */
    reopenCart: (cart: Pick<Cart, 'id' | 'orderId'>): Promise<void> =>
      transact((session) => carts.reopen(cart, cart.orderId!, session)),

    /** Counts the order among those that wait for its customer, or not, as it does. Returns false if it has changed. */
    account: (order: Order): Promise<boolean> =>
      unlessOutdated(
        transact(async (session) => {
          // Nothing of it changes, but that of two who write it at once, one has to begin again.
          if (!(await orders.save({ ...order, revision: order.revision + 1 }, session))) throw new Outdated();
          const waiting = unpaidOf(order);
          if (waiting) await unpaid.add(order.customerId, waiting, NO_LIMITS, session);
          else await unpaid.remove(order.customerId, order.id, session);
        }),
      ),
  };
}
