import { mongo } from 'mongoose';

/*
 * What MongoDB has, as the documentation of the data says. Written down once more here, since the audit must not believe
 * what the application believes: a mistake in one of them shows as a difference.
 */

export interface StoredItem {
  productServiceId: string;
  kind: 'product' | 'service' | null;
  quantity: number;
  unitPrice: number | null;
  subtotal: number | null;
  tax: number | null;
  total: number | null;
  fulfilledQuantity: number;
  cancelledQuantity?: number;
  cancelledAmount?: number;
  refundedQuantity?: number;
  restockedQuantity?: number;
  writtenOffQuantity?: number;
}

export interface StoredPaymentRef {
  key: string;
  amount: number;
  captures: 'once' | 'many';
  isClosed?: boolean;
}

export interface StoredRefund {
  id: string;
  amount: number;
  status: 'pending' | 'succeeded' | 'failed';
  by: string;
}

export interface StoredOrder {
  _id: string;
  customerId: string;
  status: 'pending' | 'confirmed' | 'completed' | 'rejected' | 'cancelled';
  paymentStatus: string;
  fulfillmentStatus: string;
  items: StoredItem[];
  subtotal: number | null;
  tax: number | null;
  total: number | null;
  payment: StoredPaymentRef | null;
  captured: number;
  refunded: number;
  cancelled?: number;
  fulfillments: {
    id: string;
    by: string;
    items: { productServiceId: string; quantity: number }[];
    deliveredAt?: Date | null;
    undone?: object;
  }[];
  refunds: StoredRefund[];
  compensations: {
    step: string;
    kind: 'void' | 'refund' | 'release';
    amount: number;
    refundId?: string;
    payment: StoredPaymentRef;
    state: 'owed' | 'pending' | 'resolved';
  }[];
  disputes?: { id: string; amount: number; status: 'opened' | 'won' | 'lost' }[];
  reservation: 'none' | 'held' | 'released' | 'committed';
  rejection: { code: string } | null;
  statusHistory: { at: Date; axis: string; from: string | null; to: string }[];
  intention?: { kind: string } | null;
  commands?: StoredAnswer[];
  version: number;
  revision: number;
  payBy?: Date | null;
  retryUntil?: Date | null;
  cart?: { id: string };
  createdAt: Date;
}

/** How an order has answered a command. */
export interface StoredAnswer {
  id: string;
  version: number;
  revision: number;
  error?: { type: string } | null;
}

/** An answer for which the order has no room any more. */
export interface StoredAnswered {
  /** The id of the order, a slash, and that of the command. */
  _id: string;
  answer: StoredAnswer;
}

export interface StoredPayment {
  _id: string;
  orderId: string;
  status: string;
  amount: number;
  authorized: number;
  open: number;
  captured: number;
  voided: number;
  refunded: number;
  disputed: number;
  operations: {
    key: string;
    kind: string;
    amount: number;
    released?: number;
    decides?: string;
  }[];
}

export interface StoredProduct {
  _id: string;
  stock: { available: number; reserved: number; held?: number } | null;
}

export interface StoredCart {
  _id: string;
  status: string;
  orderId: string | null;
  hold: { items: { productServiceId: string; quantity: number }[] } | null;
}

export interface StoredEvent {
  _id: string;
  position: number;
  object: string;
  version: number;
  /** When the version was written. */
  at: Date;
  follows: number | null;
  order?: StoredOrder;
}

export interface StoredUnpaid {
  _id: string;
  orders: { orderId: string; units: { productServiceId: string; quantity: number }[] }[];
}

export interface StoredAdjustment {
  _id: string;
  productServiceId: string;
  delta: number;
}

export interface StoredAuditEntry {
  action: string;
  object: string;
  changes: { field: string; after?: unknown }[];
}

/** The database at one moment: all that is read here is as it was when the first was read. */
export interface Snapshot {
  find<T extends object>(
    collection: string,
    filter?: mongo.Filter<T>,
    sort?: mongo.Sort,
  ): AsyncIterable<T> & { toArray(): Promise<T[]> };
}

/** Does work with a snapshot of the database, on a connection of its own. */
export async function withSnapshot<R>(uri: string, work: (snapshot: Snapshot) => Promise<R>): Promise<R> {
  const client = new mongo.MongoClient(uri, { readPreference: 'primary' });
  const session = client.startSession({ snapshot: true });
  try {
    return await work({
      find: <T extends object>(collection: string, filter: mongo.Filter<T> = {}, sort: mongo.Sort = {}) => {
        const cursor = client.db().collection<T>(collection).find(filter, { session }).sort(sort);
        return cursor as unknown as AsyncIterable<T> & { toArray(): Promise<T[]> };
      },
    });
  } finally {
    await session.endSession();
    await client.close();
  }
}

/** Returns pages of what is found, so that what belongs to each page can be read at once. */
export async function* pagesOf<T>(found: AsyncIterable<T>, size = 500): AsyncIterable<T[]> {
  let page: T[] = [];
  for await (const one of found) {
    page.push(one);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

export function sum<T>(some: readonly T[], valueOf: (one: T) => number): number {
  return some.reduce((total, one) => total + valueOf(one), 0);
}

export const amountOf = ({ amount }: { amount: number }): number => amount;

export function groupBy<T>(some: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of some) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
}
