import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { Order, OrderRequest } from '../../src/domain/order';
import { OrderRejected } from '../../src/domain/rejection';
import type { Activities } from '../../src/worker';
import { recordHistory } from '../support/histories';
import { openShop, orderRequest } from '../support/shop';
import type { Shop } from '../support/shop';

/** What happens to one order's run of a step, before or after its effect. `attempt` counts from 1. */
type Fault = (attempt: number) => Promise<void>;
type Step = keyof Activities;
type Moment = 'before' | 'after';

const FORWARD: Step[] = ['priceOrder', 'openOrder', 'confirmOrder'];
const MOMENTS: Moment[] = ['before', 'after'];

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeoutMs: 55_000 });
  await shop.startWorker(withFaults);
});
afterAll(() => shop.close());

/** Fails the local attempts and the first regular one. */
const retryable: Fault = async (attempt) => {
  if (attempt <= 3) throw new Error('the network is down');
};
const refusal: Fault = async () => {
  throw new OrderRejected('OutOfStock', 'none left');
};
/** Longer than a local activity may take: the next attempt overtakes this one, which goes on behind its back. */
const stall: Fault = async (attempt) => {
  if (attempt === 1) await delay(6_000);
};

describe.each(MOMENTS)('when a step fails %s its effect', (moment) => {
  it('for a reason that passes, the order is placed all the same, once', async () => {
    for (const [n, placed] of (await placeWith(FORWARD, moment, retryable)).entries()) {
      await recordHistory(`${FORWARD[n]}-retried-${moment}`, placed.handle);
      expect(placed).toMatchObject({
        order: { status: 'confirmed', version: 2 },
        stock: { available: 0, reserved: 2 },
      });
    }
  });

  it('for good, the order is rejected and holds nothing', async () => {
    const steps = moment === 'before' ? FORWARD : FORWARD.filter((step) => step !== 'confirmOrder');
    for (const [n, { order, stock, handle }] of (await placeWith(steps, moment, refusal)).entries()) {
      await recordHistory(`${steps[n]}-refused-${moment}`, handle);
      expect(order).toMatchObject({
        status: 'rejected',
        rejection: { code: 'out_of_stock', detail: 'none left' },
      });
      expect(stock).toEqual({ available: 2, reserved: 0 });
    }
  });

  it('by stalling, the order is placed all the same, once, also when the stalled run ends later', async () => {
    for (const placed of await placeWith(FORWARD, moment, stall)) {
      expect(placed).toMatchObject({
        order: { status: 'confirmed', version: 2 },
        stock: { available: 0, reserved: 2 },
      });
    }
  });

  it.each(['retryable', 'stall'] as const)(
    'and it is a compensation (%s), it is done all the same, once',
    async (kind) => {
      const undoing = faultAt('rejectOrder', moment, kind === 'stall' ? stall : retryable);
      const refused = faultAt('confirmOrder', 'before', refusal);
      const { order, stock } = await place(async (step, at, attempt) => {
        await refused(step, at, attempt);
        await undoing(step, at, attempt);
      });
      expect(order).toMatchObject({ status: 'rejected', version: 2, reservation: 'released' });
      expect(stock).toEqual({ available: 2, reserved: 0 });
    },
  );

  it('and it cancels, the stock is released once', async () => {
    const { request, productId } = await sellAndRequest();
    inject(request, faultAt('cancelOrder', moment, retryable));
    await shop.workflows.place(request);
    const command = { by: 'usr_1', reason: null, requestId: 'test' };
    expect(await shop.workflows.cancel(request, command)).toMatchObject({ status: 'cancelled', version: 3 });
    expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 0 });
  });
});

it('a confirmed order stays confirmed whatever becomes of the step that confirmed it', async () => {
  const [placed] = await placeWith(['confirmOrder'], 'after', refusal);
  expect(placed).toMatchObject({ order: { status: 'confirmed' }, stock: { available: 0, reserved: 2 } });
});

it('a workflow cancelled while a step hangs leaves a cancelled order that holds nothing', async () => {
  const outcomes = FORWARD.map(async (step) => {
    const { request, productId } = await sellAndRequest();
    let started!: () => void;
    const atStep = new Promise<void>((resolve) => (started = resolve));
    inject(request, async (name, moment, attempt) => {
      if (name !== step || moment !== 'before' || attempt > 1) return;
      started();
      await delay(2_000);
    });
    await shop.workflows.start(request);
    await atStep;
    const handle = shop.temporal.client.workflow.getHandle(`order-${request.orderId}`);
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    await recordHistory(`cancelled-at-${step}`, handle);
    expect(await shop.orders.findById(request.orderId)).toMatchObject({ status: 'cancelled' });
    expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 0 });
  });
  await Promise.all(outcomes);
});

it('an order that was rejected stays so when its opening comes late', async () => {
  const { request, productId } = await sellAndRequest();
  const { priceOrder, openOrder, rejectOrder } = shop.activities;
  const pricing = await priceOrder(request);
  const rejected = await rejectOrder(request, pricing, { code: 'out_of_stock', detail: 'none left' });
  expect(await openOrder(request, pricing)).toEqual(rejected);
  expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 0 });
});

type AnyFault = (step: string, moment: Moment, attempt: number) => Promise<void>;

function faultAt(step: string, moment: Moment, fault: Fault): AnyFault {
  return async (name, at, attempt) => {
    if (name === step && at === moment) await fault(attempt);
  };
}

interface Outcome {
  handle: WorkflowHandle;
  order: Order | null;
  stock: { available: number; reserved: number } | null;
}

/** One order per step, each with its own product, all at the same time. */
function placeWith(steps: string[], moment: Moment, fault: Fault): Promise<Outcome[]> {
  return Promise.all(steps.map((step) => place(faultAt(step, moment, fault))));
}

async function place(fault: AnyFault): Promise<Outcome> {
  const { request, productId } = await sellAndRequest();
  const lastRun = inject(request, fault);
  const answer = await shop.workflows.place(request);
  await lastRun();
  const order = await shop.orders.findById(request.orderId);
  expect(order).toEqual(answer);
  const handle = shop.temporal.client.workflow.getHandle(`order-${request.orderId}`);
  return { order, stock: await shop.stockOf(productId), handle };
}

/** There is just as much as is ordered: a step that ran before must not be taken for a shortage. */
async function sellAndRequest(): Promise<{ request: OrderRequest; productId: string }> {
  const { id } = await shop.sell({ available: 2 });
  return { request: orderRequest({ items: [{ productServiceId: id, quantity: 2 }] }), productId: id };
}

const running = new Map<string, Set<Promise<unknown>>>();

/** Returns a wait for the runs of the order's steps that are still going on behind the workflow's back. */
function inject({ orderId }: OrderRequest, fault: AnyFault): () => Promise<void> {
  const attempts = new Map<string, number>();
  const runs = new Set<Promise<unknown>>();
  running.set(orderId, runs);
  injected.set(orderId, async (step, moment) => {
    const key = `${step} ${moment}`;
    attempts.set(key, (attempts.get(key) ?? 0) + 1);
    await fault(step, moment, attempts.get(key)!);
  });
  return async () => void (await Promise.allSettled([...runs]));
}

const injected = new Map<string, (step: string, moment: Moment) => Promise<void>>();

function withFaults(activities: Activities): Activities {
  const entries = Object.entries(activities).map(([name, activity]) => {
    const run = activity as (request: OrderRequest, ...rest: unknown[]) => Promise<unknown>;
    const faulty = async (request: OrderRequest, ...rest: unknown[]) => {
      const fault = injected.get(request.orderId);
      await fault?.(name, 'before');
      const result = await run(request, ...rest);
      await fault?.(name, 'after');
      return result;
    };
    const tracked = (request: OrderRequest, ...rest: unknown[]) => {
      const result = faulty(request, ...rest);
      running.get(request.orderId)?.add(result);
      return result;
    };
    return [name, tracked];
  });
  return Object.fromEntries(entries) as Activities;
}
