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

const WHAT_TELLS = { status: 1, paymentStatus: 1, intention: 1, compensations: 1 };

export interface Settlement {
  /** How long it took until all were settled, or until the limit. */
  seconds: number;
  /** Orders that were not settled then, and what they waited for. */
  unsettled: string[];
  /** How long it might take. */
  limitS: number;
}

const POLL_MS = 500;

export interface SettleOptions {
  limitMs: number;
  /** Since when, by the clock of `performance`; by default, from now on. */
  start?: number;
  signal: AbortSignal;
}

/**
 * Waits until each order that is stored is settled, with nobody's help.
 * @param accepted the ids of those that have to be stored
 */
export async function settle(
  { mongodbUri }: Pick<Rig, 'mongodbUri'>,
  accepted: readonly string[],
  { limitMs, start = performance.now(), signal }: SettleOptions,
): Promise<Settlement> {
  const client = new mongo.MongoClient(mongodbUri);
  const limitS = limitMs / 1_000;
  try {
    const orders = client.db().collection<StoredOrder>('orders');
    for (;;) {
      const stored = await orders
        .find({}, { readConcern: { level: 'majority' }, projection: WHAT_TELLS })
        .toArray()
        .catch(() => undefined);
      const byId = new Map(stored?.map((order) => [order._id, order]));
      const ids = new Set([...accepted, ...byId.keys()]);
      const unsettled = stored
        ? [...ids].flatMap((id) => whyUnsettled(id, byId.get(id)) ?? [])
        : ['MongoDB does not tell of any order'];
      const elapsedMs = performance.now() - start;
      if (unsettled.length === 0 || elapsedMs > limitMs)
        return { seconds: elapsedMs / 1_000, unsettled, limitS };
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
