import { ApplicationFailure } from '@temporalio/common';
import type { Order } from '../../src/domain/order';
import { firstPayment, paymentRef } from '../../src/domain/order-payment';
import { orderWorkflowId } from '../../workflows/contract';
import { ledgerOf } from '../support/consistency';
import { recordHistory } from '../support/histories';
import { eventually } from '../support/eventually';
import type { TestWorker } from '../support/worker';
import { LIVES, type Life } from './saga/lives';
import { beginSaga, openSpoiledShop, wordOf, type Saga, type SpoiledShop } from './saga/saga';
import type { Authorizing, Fault } from './saga/saboteur';

let spoiled: SpoiledShop;
let worker: TestWorker;
beforeAll(async () => {
  spoiled = await openSpoiledShop();
  worker = await spoiled.startWorker();
});
afterAll(() => spoiled.shop.close());

const CANCELLED = LIVES.find(({ name }) => name === 'cancelled')!;
const STEP = 'voidPayment-1';

/** Fails until it is told to work. */
function outage(): { fault: Fault; end(): void } {
  let isOver = false;
  const fault: Fault = async (_attempt, effect) => {
    if (!isOver) throw new Error('It is down.');
    return effect();
  };
  return { fault, end: () => void (isOver = true) };
}

const handleOf = ({ orderId }: Saga) =>
  spoiled.shop.temporal.client.workflow.getHandle(orderWorkflowId(orderId));

async function isShownPending(saga: Saga): Promise<unknown> {
  const { typedSearchAttributes } = await handleOf(saga).describe();
  return typedSearchAttributes.getAll().find(({ key }) => key.name === 'CompensationPending')?.value;
}

/** An order that is cancelled, and owes a payment that cannot be given back. */
async function cancelledInVain() {
  const saga = await beginSaga(spoiled, CANCELLED);
  const { fault, end } = outage();
  saga.spoil('voidPayment', fault);
  await saga.make(0);
  const order = (await saga.make(1)) as Order;
  expect(order).toMatchObject({ status: 'cancelled', compensations: [{ step: STEP, state: 'pending' }] });
  return { saga, endOutage: end };
}

async function cancelledInTemporalInVain() {
  const saga = await beginSaga(spoiled, CANCELLED);
  const { fault, end } = outage();
  saga.spoil('voidPayment', fault);
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

it('a compensation is still owed after its worker has gone, and done by the next one', async () => {
  const { saga, endOutage } = await cancelledInVain();
  await worker.stop();
  worker = await spoiled.startWorker();
  expect(await isShownPending(saga)).toBe(true);
  expect(await saga.customer.retry(STEP)).toMatchObject({ compensations: [{ state: 'pending' }] });
  endOutage();
  expect(await saga.customer.retry(STEP)).toMatchObject({ paymentStatus: 'voided', compensations: [] });
  await expectSettled(saga);
});

it.each([
  ['was cancelled', cancelledInVain],
  ['was cancelled in Temporal', cancelledInTemporalInVain],
])(
  'a compensation is still owed in the run that the workflow of an order goes on in that %s',
  async (how, begin) => {
    const { saga, endOutage } = await begin();
    const { runId: first } = await handleOf(saga).describe();
    let runId = first;
    for (let tried = 0; runId === first && tried < 200; tried++) {
      expect(await saga.customer.retry(STEP)).toMatchObject({ compensations: [{ state: 'pending' }] });
      ({ runId } = await handleOf(saga).describe());
    }
    expect(runId).not.toBe(first);
    const run = spoiled.shop.temporal.client.workflow.getHandle(orderWorkflowId(saga.orderId), first);
    expect((await run.describe()).historyLength).toBeLessThan(1_000);
    await recordHistory(`owing-when-it-${how.toLowerCase().replaceAll(' ', '-')}`, run);
    expect(await isShownPending(saga)).toBe(true);
    endOutage();
    expect(await saga.customer.retry(STEP)).toMatchObject({ paymentStatus: 'voided', compensations: [] });
    await expectSettled(saga);
  },
);

it('a step on our own database that keeps failing is shown, and the order is cancelled when it works', async () => {
  const saga = await beginSaga(spoiled, CANCELLED);
  const { fault, end } = outage();
  saga.spoil('cancelOrder', fault);
  await saga.make(0);
  const cancelled = saga.make(1);
  await eventually(async () => expect(await isShownPending(saga)).toBe(true));
  const { currentDetails } = await handleOf(saga).query<{ currentDetails: string }>(
    '__temporal_workflow_metadata',
  );
  expect(currentDetails).toContain('**compensation_pending**: `cancelOrder` keeps failing (It is down.)');
  expect(await saga.customer.stored()).toMatchObject({ status: 'confirmed' });
  end();
  expect(wordOf(await cancelled)).toBe('cancelled');
  await expectSettled(saga);
});

it.each<[Authorizing, string]>([
  ['done but unanswered', 'voided'],
  ['unanswered', 'declined'],
])(
  'a payment of which nobody can be asked (%s) is %s under its key, and never made',
  async (authorizing, paymentStatus) => {
    const life: Life = { ...LIVES[0]!, authorizing };
    const saga = await beginSaga(spoiled, life);
    saga.spoil('findAuthorization', async () => {
      throw ApplicationFailure.create({ message: 'It is down.', nextRetryDelay: '1h' });
    });
    expect(await saga.make(0)).toMatchObject({
      status: 'rejected',
      rejection: { code: 'payment_declined', detail: expect.stringContaining('did not respond in time') },
    });
    expect(await saga.rest()).toMatchObject({ order: { paymentStatus, reservation: 'released', owed: [] } });
    const order = (await saga.customer.stored())!;
    const late = { ...paymentRef(order, firstPayment(order)), requestId: 'test' };
    await expect(spoiled.shop.activities.authorizePayment(late)).rejects.toMatchObject({
      name: 'PaymentDeclined',
    });
    expect(await ledgerOf(spoiled.shop, order.id)).toMatchObject({ open: 0, captured: 0 });
    await saga.end();
  },
);
