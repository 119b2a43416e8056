import { ApplicationFailure } from '@temporalio/common';
import type { Order } from '../../src/domain/order';
import { paymentTaskOf } from '../../src/domain/intention';
import { requestOf } from '../../src/domain/placing';
import type { AppError } from '../../src/errors/app-error';
import { createOrderService, type OrderService, type Placement } from '../../src/orders/orders.service';
import { orderWorkflowId } from '../../workflows/contract';
import { activitiesOn } from '../support/activities';
import { ledgerOf } from '../support/consistency';
import { currentDetailsOf } from '../support/current-details';
import { recordHistory } from '../support/histories';
import { eventually } from '../support/eventually';
import type { TestWorker } from '../support/worker';
import { SCENARIOS, type Scenario } from './saga/scenarios';
import { beginSaga, openFaultyShop, outcomeOf, type Saga, type FaultyShop } from './saga/saga';
import type { Authorizing, Fault } from './saga/fault-injector';

let faulty: FaultyShop;
let worker: TestWorker;
beforeAll(async () => {
  faulty = await openFaultyShop();
  worker = await faulty.startWorker();
});
afterAll(() => faulty.shop.close());

const scenarioOf = (name: string): Scenario => SCENARIOS.find((scenario) => scenario.name === name)!;
const CANCELLED = scenarioOf('cancelled');
const STEP = 'voidPayment-1';

/** Fails until the outage ends. */
function outage(): { fault: Fault; end(): void } {
  let isOver = false;
  const fault: Fault = async (_attempt, effect) => {
    if (!isOver) throw new Error('It is down.');
    return effect();
  };
  return { fault, end: () => void (isOver = true) };
}

const handleOf = ({ orderId }: Saga) =>
  faulty.shop.temporal.client.workflow.getHandle(orderWorkflowId(orderId));

async function isShownPending(saga: Saga): Promise<unknown> {
  const { typedSearchAttributes } = await handleOf(saga).describe();
  return typedSearchAttributes.getAll().find(({ key }) => key.name === 'CompensationPending')?.value;
}

/** Cancels an order whose payment cannot be voided. */
async function cancelledInOutage() {
  const saga = await beginSaga(faulty, CANCELLED);
  const { fault, end } = outage();
  saga.inject('voidPayment', fault);
  await saga.make(0);
  const order = (await saga.make(1)) as Order;
  expect(order).toMatchObject({ status: 'cancelled', compensations: [{ step: STEP, state: 'pending' }] });
  return { saga, endOutage: end };
}

async function cancelledInTemporalInOutage() {
  const saga = await beginSaga(faulty, CANCELLED);
  const { fault, end } = outage();
  saga.inject('voidPayment', fault);
  await saga.make(0);
  await handleOf(saga).cancel();
  await eventually(async () => expect(await isShownPending(saga)).toBe(true));
  return { saga, endOutage: end };
}

async function expectSettled(saga: Saga): Promise<void> {
  expect(await saga.rest()).toMatchObject({ order: { paymentStatus: 'voided', owed: [] } });
  expect(await isShownPending(saga)).toBe(false);
  await saga.end();
}

it('a pending compensation outlives its worker, and the next worker carries it out', async () => {
  const { saga, endOutage } = await cancelledInOutage();
  await worker.stop();
  worker = await faulty.startWorker();
  expect(await isShownPending(saga)).toBe(true);
  expect(await saga.customer.retry(STEP)).toMatchObject({ compensations: [{ state: 'pending' }] });
  endOutage();
  expect(await saga.customer.retry(STEP)).toMatchObject({ paymentStatus: 'voided', compensations: [] });
  await expectSettled(saga);
});

it.concurrent.each([
  ['was cancelled', cancelledInOutage],
  ['was cancelled in Temporal', cancelledInTemporalInOutage],
])('a pending compensation continues in a new run after the order %s', async (how, begin) => {
  const { saga, endOutage } = await begin();
  const { runId: first } = await handleOf(saga).describe();
  let runId = first;
  for (let tried = 0; runId === first && tried < 200; tried++) {
    expect(await saga.customer.retry(STEP)).toMatchObject({ compensations: [{ state: 'pending' }] });
    ({ runId } = await handleOf(saga).describe());
  }
  expect(runId).not.toBe(first);
  const run = faulty.shop.temporal.client.workflow.getHandle(orderWorkflowId(saga.orderId), first);
  expect((await run.describe()).historyLength).toBeLessThan(1_000);
  await recordHistory(`owing-when-it-${how.toLowerCase().replaceAll(' ', '-')}`, run);
  expect(await isShownPending(saga)).toBe(true);
  endOutage();
  expect(await saga.customer.retry(STEP)).toMatchObject({ paymentStatus: 'voided', compensations: [] });
  await expectSettled(saga);
});

const ADMIN = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;

it.concurrent.each<[string, (service: OrderService, order: Order) => Promise<unknown>]>([
  ['a command that the order turns down', (service, { id }) => service.cancel(id, ADMIN, { reason: null })],
  ['a repeated POST', (service, order) => service.place({ ...requestOf(order), attemptId: 'repeated' })],
])('%s resumes a terminated workflow that still owes a compensation', async (_, send) => {
  const { saga, endOutage } = await cancelledInOutage();
  await handleOf(saga).terminate();
  endOutage();
  const order = (await saga.customer.stored())!;
  const answer = await send(createOrderService(faulty.shop), order).catch(({ code }: AppError) => code);
  expect(answer === 'invalid_transition' || (answer as Placement).isReplay).toBe(true);
  await saga.settled();
  await expectSettled(saga);
});

it.concurrent(
  'a step on our own database that keeps failing is shown, and the order is cancelled once it works',
  async () => {
    const saga = await beginSaga(faulty, CANCELLED);
    const { fault, end } = outage();
    saga.inject('cancelOrder', fault);
    await saga.make(0);
    const cancelled = saga.make(1);
    await eventually(async () => expect(await isShownPending(saga)).toBe(true));
    expect(await currentDetailsOf(handleOf(saga))).toContain(
      '**compensation_pending**: `cancelOrder` keeps failing (It is down.)',
    );
    expect(await saga.customer.stored()).toMatchObject({ status: 'confirmed' });
    end();
    expect(outcomeOf(await cancelled)).toBe('cancelled');
    await expectSettled(saga);
  },
);

it.concurrent.each<[Authorizing, string]>([
  ['done without a response', 'voided'],
  ['no response', 'declined'],
])(
  'a payment without a known outcome (%s) is %s by its key, and cannot be authorised later',
  async (authorizing, paymentStatus) => {
    const saga = await beginSaga(faulty, { ...scenarioOf('placed'), authorizing });
    saga.inject('findAuthorization', async () => {
      throw ApplicationFailure.nonRetryable('It is down.'); // as after the last attempt
    });
    expect(await saga.make(0)).toMatchObject({
      status: 'rejected',
      rejection: { code: 'payment_declined', detail: expect.stringContaining('did not respond in time') },
    });
    expect(await saga.rest()).toMatchObject({ order: { paymentStatus, reservation: 'released', owed: [] } });
    const order = (await saga.customer.stored())!;
    const task = paymentTaskOf({ ...order, status: 'pending', paymentStatus: 'pending' })!;
    const late = { ...task, orderId: order.id, requestId: 'test' };
    expect(await activitiesOn(faulty.shop.db).authorizePayment(late)).toMatchObject({ state: 'declined' });
    expect(await ledgerOf(faulty.shop, order.id)).toMatchObject({ open: 0, captured: 0 });
    await saga.end();
  },
);
