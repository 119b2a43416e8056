import type { System } from './system';

export interface StoredOrder {
  _id: string;
  status: string;
  paymentStatus: string;
  total: number;
  items: { productServiceId: string; quantity: number }[];
  intention: object | null;
  compensations: object[];
}

export interface StoredPayment {
  _id: string;
  orderId: string;
  /** What is authorised and neither captured nor voided. */
  open: number;
}

export interface StoredProduct {
  _id: string;
  stock: { available: number; reserved: number };
}

/** What is stored after orders were placed and nothing else was done. */
export interface Books {
  orders: readonly StoredOrder[];
  payments: readonly StoredPayment[];
  products: readonly StoredProduct[];
  /** The number of workflows that run. */
  running: number;
}

export async function readBooks({ database, countWorkflows }: System): Promise<Books> {
  return {
    orders: await database.collection<StoredOrder>('orders').find().toArray(),
    payments: await database.collection<StoredPayment>('sandbox_payments').find().toArray(),
    products: await database.collection<StoredProduct>('product_services').find().toArray(),
    running: await countWorkflows(`ExecutionStatus = 'Running'`),
  };
}

/**
 * Returns what does not agree, found by code that shares nothing with the application.
 * @param accepted the ids of all orders that the API has confirmed
 * @param stocked the units of each product before the first order
 */
export function imbalances(
  { orders, payments, products, running }: Books,
  accepted: readonly string[],
  stocked: number,
): string[] {
  const stored = new Set(orders.map(({ _id }) => _id));
  const paid = totals(payments.map(({ orderId, open }) => [orderId, open]));
  const ordered = totals(
    orders.flatMap(({ items }) => items.map((item) => [item.productServiceId, item.quantity])),
  );
  return [
    ...accepted.filter((id) => !stored.has(id)).map((id) => `${id} was confirmed and is not stored`),
    ...orders.filter((order) => !isPlaced(order)).map(({ _id }) => `${_id} is not placed, or owes something`),
    ...orders
      .filter(({ _id, total }) => paid.get(_id) !== total)
      .map(({ _id }) => `${_id} is not paid exactly`),
    ...payments.filter(({ orderId }) => !stored.has(orderId)).map(({ _id }) => `${_id} pays for no order`),
    ...products
      .filter(({ _id, stock }) => {
        const reserved = ordered.get(_id) ?? 0;
        return stock.reserved !== reserved || stock.available !== stocked - reserved;
      })
      .map(({ _id }) => `the stock of ${_id} does not agree with its orders`),
    ...(running === orders.length ? [] : [`${orders.length} orders have ${running} running workflows`]),
  ];
}

function isPlaced({ status, paymentStatus, intention, compensations }: StoredOrder): boolean {
  return (
    status === 'confirmed' &&
    paymentStatus === 'authorized' &&
    intention === null &&
    compensations.length === 0
  );
}

function totals(amounts: readonly (readonly [key: string, amount: number])[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [key, amount] of amounts) sums.set(key, (sums.get(key) ?? 0) + amount);
  return sums;
}
