import type { ClientSession, Connection } from 'mongoose';
import { withoutUnpaid, withUnpaid, type UnpaidLimits, type UnpaidOrder } from '../domain/unpaid';
import { createUnpaidOrdersModel } from './unpaid-orders.model';

export type UnpaidOrdersRepository = ReturnType<typeof createUnpaidOrdersRepository>;

/**
 * The orders that wait for their customers, always inside the transaction that writes the order. All of a customer are in
 * one document, so that of two transactions that add one, the later has to begin again: together they cannot exceed a limit.
 */
export function createUnpaidOrdersRepository(connection: Connection) {
  const unpaid = createUnpaidOrdersModel(connection);

  async function change(
    customerId: string,
    next: (orders: UnpaidOrder[]) => UnpaidOrder[],
    session: ClientSession,
  ): Promise<void> {
    const found = await unpaid.findById(customerId, null, { session }).lean();
    const orders = next(found?.orders ?? []);
    if (orders.length === 0) await unpaid.deleteOne({ _id: customerId }, { session });
    else await unpaid.updateOne({ _id: customerId }, { $set: { orders } }, { session, upsert: true });
  }

  return {
    /** @throws {OrderRejected} the customer has too many */
    add: (customerId: string, order: UnpaidOrder, limits: UnpaidLimits, session: ClientSession) =>
      change(customerId, (orders) => withUnpaid(orders, order, limits), session),

    remove: (customerId: string, orderId: string, session: ClientSession) =>
      change(customerId, (orders) => withoutUnpaid(orders, orderId), session),
  };
}
