import { Schema, type Connection, type Model } from 'mongoose';
import type { UnpaidOrder } from '../domain/unpaid';
import { modelOf } from '../mongodb/model';

/** The orders of a customer that wait for them to pay; absent if there is none. */
export interface UnpaidOrdersDocument {
  /** The id of the customer. */
  _id: string;
  orders: UnpaidOrder[];
}

const unpaidOrdersSchema = new Schema<UnpaidOrdersDocument>(
  {
    _id: { type: String, required: true },
    orders: [
      new Schema(
        {
          orderId: { type: String, required: true },
          units: [
            new Schema(
              {
                productServiceId: { type: String, required: true },
                quantity: { type: Number, required: true },
              },
              { _id: false },
            ),
          ],
        },
        { _id: false },
      ),
    ],
  },
  { collection: 'unpaid_orders', versionKey: false, autoIndex: false, autoCreate: false },
);

export function createUnpaidOrdersModel(connection: Connection): Model<UnpaidOrdersDocument> {
  return modelOf(connection, 'UnpaidOrders', unpaidOrdersSchema);
}
