import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import type { Order } from '../../src/domain/order';
import { orderNumberOf } from '../../src/domain/order-number';
import type { OrderRepository } from '../../src/orders/orders.repository';
import { policy } from '../domain/fixtures';
import { Ledger } from '../domain/order-life/ledger';
import { card, pricing, retryWindowMs, step } from '../domain/order-life/steps';
import { World } from '../domain/order-life/world';

/** An order as each of its writes has left it. */
export type Life = Order[];

const life = fc
  .tuple(
    fc.record({ pricing, card, retryWindowMs }),
    fc.array(step, { minLength: 2, maxLength: 10, size: 'max' }),
  )
  .map(([{ pricing, card, retryWindowMs }, steps]) => {
    const beginning = { pricing, card, policy: { ...policy, retryWindowMs } };
    const world = new World({ ...beginning, ledger: new Ledger('once', false) });
    for (const one of steps) world.take(one);
    return world.written;
  });

/** Returns lives of that many orders, which differ from run to run. */
export function orderLives(count: number): Life[] {
  return fc.sample(life, count).map((orders) => {
    const id = `ord_${randomBytes(16).toString('hex')}`;
    const own = JSON.stringify(orders).replaceAll('ord_1', id).replaceAll(DAY_OF_MODEL, yesterday());
    return (JSON.parse(own) as Order[]).map((order) => ({ ...order, number: orderNumberOf(id) }));
  });
}

const DAY_OF_MODEL = '2026-01-01T';

/** Events of times that are long past would not be kept. */
function yesterday(): string {
  return new Date(Date.now() - 86_400_000).toISOString().slice(0, DAY_OF_MODEL.length);
}

/** Makes the writes of a life, one after the other. */
export async function live(
  orders: OrderRepository,
  transact: Transacting,
  [first, ...rest]: Life,
): Promise<void> {
  await transact((session) => orders.insert(first!, session));
  for (const order of rest)
    if (!(await orders.save(order))) throw new Error(`${order.id} was written by others.`);
}

type Transacting = (
  work: (session: Parameters<OrderRepository['insert']>[1]) => Promise<void>,
) => Promise<void>;

/** Returns the order as the first write of each version has left it. */
export function versionsOf(written: Life): Order[] {
  return written.filter(({ version }, n) => version > (written[n - 1]?.version ?? 0));
}
