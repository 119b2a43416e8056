import { setTimeout as delay } from 'node:timers/promises';
import { mongo } from 'mongoose';
import type { Rig } from './rig/rig';

/** What of a stored order tells whether anything is still to be done for it. */
interface StoredOrder {
  _id: string;
  status: string;
  paymentStatus: string;
  intention: object | null;
  compensations: { step: string; state: string }[];
}

export interface Settlement {
  /** How long it took until all were settled, or until the limit. */
  seconds: number;
  /** Orders that were not settled then, and what they waited for. */
  unsettled: string[];
}

const POLL_MS = 500;

/** Waits until each of the orders is settled, with nobody's help. */
export async function settle(
  { mongodbUri }: Pick<Rig, 'mongodbUri'>,
  orderIds: readonly string[],
  { limitMs, signal }: { limitMs: number; signal: AbortSignal },
): Promise<Settlement> {
  const client = new mongo.MongoClient(mongodbUri);
  const start = performance.now();
  try {
    const orders = client.db().collection<StoredOrder>('orders');
    for (;;) {
      const stored = await orders
        .find({ _id: { $in: [...orderIds] } }, { readConcern: { level: 'majority' } })
        .toArray()
        .catch(() => []);
      const byId = new Map(stored.map((order) => [order._id, order]));
      const unsettled = orderIds.flatMap((id) => whyUnsettled(id, byId.get(id)) ?? []);
      const elapsedMs = performance.now() - start;
      if (unsettled.length === 0 || elapsedMs > limitMs) return { seconds: elapsedMs / 1_000, unsettled };
      await delay(POLL_MS, undefined, { signal });
    }
  } finally {
    await client.close();
  }
}

function whyUnsettled(id: string, order: StoredOrder | undefined): string | undefined {
  if (!order) return `${id} is not stored`;
  if (order.status === 'pending') return `${id} is pending`;
  if (order.status === 'confirmed' && order.paymentStatus === 'pending')
    return `${id} is ${order.status}, and its payment pending`;
  if (order.intention !== null) return `${id} has an intention: ${JSON.stringify(order.intention)}`;
  const owed = order.compensations.filter(({ state }) => state !== 'resolved');
  return owed.length > 0 ? `${id} owes ${owed.map(({ step }) => step).join()}` : undefined;
}
