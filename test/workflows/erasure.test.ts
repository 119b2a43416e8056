import { newId } from '../../src/common/ids';
import type { OrderRequest } from '../../src/domain/order';
import { createErasures } from '../../src/personal-data/erasures';
import { createUsersRepository } from '../../src/users/users.repository';
import type { Activities } from '../../src/worker/activities';
import { COMMANDS, erasureWorkflowId, orderWorkflowId } from '../../workflows/contract';
import { newCommand } from '../support/commands';
import { eventually, HANG_MS } from '../support/eventually';
import { lines } from '../support/order-api';
import { openShop, orderRequest, type Shop } from '../support/shop';

const STEPS = ['closeAccount', 'eraseHistories', 'eraseData'] as const;
/** When each step loses its worker, attempt by attempt. */
const TROUBLES = ['before', 'after'] as const;

let shop: Shop;
const attempts = Object.fromEntries(STEPS.map((step) => [step, 0])) as Record<string, number>;
beforeAll(async () => {
  shop = await openShop({ own: true });
  await shop.startWorker({ activities: losingWorkers });
});
afterAll(() => shop.close());

function losingWorkers(activities: Activities): Activities {
  const unlucky = STEPS.map((step) => {
    const run = activities[step] as (...args: unknown[]) => Promise<unknown>;
    const attempt = async (...args: unknown[]) => {
      const trouble = TROUBLES[attempts[step]!++];
      if (trouble === 'before') throw new Error('The worker is lost.');
      const answer = await run(...args);
      if (trouble === 'after') throw new Error('The worker is lost, and its answer with it.');
      return answer;
    };
    return [step, attempt];
  });
  return { ...activities, ...Object.fromEntries(unlucky) } as Activities;
}

/** A customer with a cancelled order that has a note. */
async function customer(): Promise<{ id: string; order: OrderRequest }> {
  const id = newId('usr');
  const user = { id, email: `${id}@example.com`, name: 'Ada', role: 'CUSTOMER', passwordHash: 'x' } as const;
  await createUsersRepository(shop.db.connection).insert(user);
  const { id: productId } = await shop.sell();
  const order = orderRequest({ ...lines([productId, 1]), customerId: id, note: 'Ring twice' });
  await shop.place(order);
  await shop.workflows.execute(order, COMMANDS.cancel, { ...newCommand(), reason: 'No longer needed' });
  await shop.temporal.client.workflow.getHandle(orderWorkflowId(order.orderId)).result();
  return { id, order };
}

function ask(userId: string, { by = userId, lateMs = 100 } = {}) {
  const options = { taskQueue: shop.taskQueue, timeoutMs: HANG_MS, lateMs };
  return createErasures(shop.temporal, options).begin({ userId, by, requestId: `of ${by}` });
}

const erasureOf = (id: string) => shop.temporal.client.workflow.getHandle(erasureWorkflowId(id));

it('erases everything once, however often it is asked for, and whichever step loses its worker', async () => {
  const { id, order } = await customer();
  const answers = await Promise.all([ask(id), ask(id, { by: 'usr_admin' })]);
  expect(answers).toEqual([{ refusal: null }, { refusal: null }]);
  await erasureOf(id).result();

  for (const step of STEPS) expect(attempts[step]).toBeGreaterThan(TROUBLES.length);
  expect(await shop.orders.findById(order.orderId)).toMatchObject({ status: 'cancelled', note: null });
  const { connection } = shop.db;
  expect(await connection.collection('users').findOne({ _id: id as never })).toMatchObject({
    name: 'erased',
    status: 'erased',
  });
  const closings = { action: 'user.erase', object: id };
  expect(await connection.collection('audit').countDocuments(closings)).toBe(1);
  await eventually(async () => expect(await shop.workflows.find(order.orderId)).toBeNull());
  expect(await ask(id)).toEqual({ refusal: null }); // changes nothing
});

it('is continued by the next request after an operator has terminated it', async () => {
  const { id, order } = await customer();
  expect(await ask(id, { lateMs: 3_600_000 })).toEqual({ refusal: null });
  await erasureOf(id).terminate();
  expect(await shop.orders.findById(order.orderId)).toMatchObject({ note: 'Ring twice' });
  expect(await ask(id, { by: 'usr_admin' })).toEqual({ refusal: null });
  await erasureOf(id).result();
  expect(await shop.orders.findById(order.orderId)).toMatchObject({ note: null });
});
