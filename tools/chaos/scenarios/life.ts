import { mongo } from 'mongoose';
import type { Caller } from '../clients/caller';
import { calls, openLines } from '../clients/calls';
import type { Shop } from '../clients/shop';
import type { Rig } from '../rig/rig';

/** What one order has left behind, so that two lives can be compared. */
export interface Book {
  /** How many orders there are now that were not there before. */
  orders: number;
  states: string;
  /** In minor units. */
  total: number;
  cancelled: number;
  captured: number;
  refunded: number;
  /** Of the ledger of the sandbox. */
  payments: number;
  paid: number;
  paidBack: number;
  open: number;
  /** By what the stock of each product changed. */
  stock: string;
}

interface StoredOrder {
  _id: string;
  status: string;
  paymentStatus: string;
  fulfillmentStatus: string;
  total: number;
  cancelled: number;
  captured: number;
  refunded: number;
}

interface StoredPayment {
  _id: string;
  orderId: string;
  captured: number;
  refunded: number;
  open: number;
}

interface StoredProduct {
  _id: string;
  stock: { available: number; reserved: number; held?: number } | null;
}

/** The life of an order: what was asked for one after the other, and what became of it. */
export interface Life {
  /** Undefined if it was never known. */
  orderId?: string;
  /** The calls that were not answered as they should be. */
  refused: string[];
}

/** Places an order, amends it, fulfills, refunds and cancels a part of it. */
export async function live(caller: Caller, shop: Shop): Promise<Life> {
  const [customer] = shop.customers as [string];
  const [first, second] = shop.products.map(({ id }) => id) as [string, string];
  const refused: string[] = [];
  const lines = (firstUnits: number) => [
    { productId: first, quantity: firstUnits },
    { productId: second, quantity: 1 },
  ];
  const make = async (call: Parameters<Caller['call']>[0]) => {
    const { outcome, answer, order } = await caller.call(call);
    if (outcome !== 'ok')
      refused.push(`${call.op}: ${outcome}, ${answer.status ?? ''} ${answer.code ?? ''}`.trim());
    return order;
  };
  const placed = await make(calls.place(customer, lines(2), 'pm_card_visa', false));
  if (!placed) return { refused };
  const { id } = placed;
  const confirmed = await whenConfirmed(caller, customer, id);
  await make(calls.amend(customer, id, lines(3), confirmed));
  await make(calls.fulfill(shop.admin, id, [{ productId: first, quantity: 2 }]));
  await make(calls.refund(shop.admin, id, 500));
  const last = await make(calls.cancel(shop.admin, id));
  if (last && openLines(last).length > 0) refused.push('order.cancel: something is still open');
  return { orderId: id, refused };
}

/** Reads the order until it is placed, since it may have been accepted first; returns its version. */
async function whenConfirmed(caller: Caller, token: string, id: string): Promise<number> {
  for (let read = 0; read < MOST_READS; read++) {
    const { order } = await caller.call(calls.read(token, id));
    if (order && order.status !== 'pending') return order.version;
    await new Promise((resolve) => setTimeout(resolve, READ_PAUSE_MS));
  }
  return 0;
}

const MOST_READS = 240;
const READ_PAUSE_MS = 250;

/** Compares what is stored before and after each life. */
export async function openBooks({ mongodbUri }: Pick<Rig, 'mongodbUri'>) {
  const client = new mongo.MongoClient(mongodbUri, { readConcern: { level: 'majority' } });
  const db = client.db();
  const stock = async () =>
    new Map(
      (await db.collection<StoredProduct>('product_services').find().toArray()).map((product) => [
        product._id,
        product.stock ?? { available: 0, reserved: 0 },
      ]),
    );
  const count = () => db.collection('orders').countDocuments();
  let before = { stock: await stock(), orders: await count() };
  return {
    async turn(orderId: string | undefined): Promise<Book> {
      const now = { stock: await stock(), orders: await count() };
      const order = await db.collection<StoredOrder>('orders').findOne({ _id: orderId ?? '' });
      const payments = await db.collection<StoredPayment>('sandbox_payments').find({ orderId }).toArray();
      const sum = (field: 'captured' | 'refunded' | 'open') =>
        payments.reduce((total, payment) => total + payment[field], 0);
      const moved = [...now.stock].flatMap(([id, { available, reserved, held = 0 }], index) => {
        const was = before.stock.get(id);
        const by = [
          available - (was?.available ?? 0),
          reserved - (was?.reserved ?? 0),
          held - (was?.held ?? 0),
        ];
        return by.some((units) => units !== 0) ? [`${index}: ${by.join('/')}`] : [];
      });
      const book: Book = {
        orders: now.orders - before.orders,
        states: order
          ? `${order.status} ${order.paymentStatus} ${order.fulfillmentStatus}`
          : 'there is no order',
        total: order?.total ?? 0,
        cancelled: order?.cancelled ?? 0,
        captured: order?.captured ?? 0,
        refunded: order?.refunded ?? 0,
        payments: payments.length,
        paid: sum('captured'),
        paidBack: sum('refunded'),
        open: sum('open'),
        stock: moved.join(', '),
      };
      before = now;
      return book;
    },
    close: () => client.close(),
  };
}
