import { join } from 'node:path';
import { spawnNode } from '../support/process';
import { openShop, orderRequest } from '../support/shop';
import type { Shop } from '../support/shop';

const WORKER = join(__dirname, '..', 'support', 'mortal-worker.ts');
const STEPS = ['priceOrder', 'openOrder', 'confirmOrder', 'rejectOrder', 'cancelOrder'];
const MOMENTS = STEPS.flatMap((step) => [`before ${step}`, `after ${step}`]);

/** Kills the first worker at that moment, lets a second one finish, and returns what became of order and stock. */
async function killedAt(moment: string) {
  const shop = await openShop({ timeoutMs: 120_000 });
  try {
    const product = await shop.sell({ available: moment.endsWith('rejectOrder') ? 1 : 100 });
    const request = orderRequest({ items: [{ productServiceId: product.id, quantity: 2 }] });
    const env = { ...process.env, MONGODB_URI: shop.db.uri, TASK_QUEUE: shop.taskQueue, DIE_AT: moment };
    const mortal = spawnNode(['--import', 'tsx', WORKER], env);
    await mortal.line(/worker started/);
    const placed = shop.workflows.place(request);
    const cancelled = moment.endsWith('cancelOrder') && placed.then(() => cancel(shop, request));
    expect(await mortal.ended).toBe('SIGKILL');
    await shop.startWorker();
    expect(await placed).not.toBeNull();
    await cancelled;
    const stored = await shop.orders.findById(request.orderId);
    const count = await shop.db.connection.collection('orders').countDocuments();
    return { status: stored!.status, version: stored!.version, count, stock: await shop.stockOf(product.id) };
  } finally {
    await shop.close();
  }
}

function cancel(shop: Shop, request: Parameters<Shop['workflows']['cancel']>[0]) {
  return shop.workflows.cancel(request, { by: 'usr_1', reason: null, requestId: 'test' });
}

const CONFIRMED = { status: 'confirmed', version: 2, count: 1, stock: { available: 98, reserved: 2 } };
const REJECTED = { status: 'rejected', version: 1, count: 1, stock: { available: 1, reserved: 0 } };
const CANCELLED = { status: 'cancelled', version: 3, count: 1, stock: { available: 100, reserved: 0 } };

function expectedAfter(moment: string) {
  if (moment.endsWith('rejectOrder')) return REJECTED;
  return moment.endsWith('cancelOrder') ? CANCELLED : CONFIRMED;
}

it('whichever step a worker is killed at, another worker finishes the order, exactly once', async () => {
  // A killed worker is noticed by the workflow task's time-out of 10 s: all moments wait for it together.
  const outcomes = await Promise.all(
    MOMENTS.map(async (moment) => ({ moment, ...(await killedAt(moment)) })),
  );
  expect(outcomes).toEqual(MOMENTS.map((moment) => ({ moment, ...expectedAfter(moment) })));
}, 180_000);
