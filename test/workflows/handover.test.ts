import { createDeployment } from '../../src/versions/deployment';
import { buildIdOf } from '../../src/versions/bundle';
import type { Activities } from '../../src/worker/activities';
import { moveSignal, orderWorkflowId } from '../../workflows/contract';
import { testWorkerConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { taskQueueEnv } from '../support/task-queues';
import { customerOf, type Customer } from './saga/commands';

/** An order that should continue in another run while the payment service does not respond. */
let shop: Shop;
let productId: string;
/** The orders whose payments cannot be authorised, and those for which that was tried. */
const [unpaid, tried] = [new Set<string>(), new Set<string>()];
beforeAll(async () => {
  shop = await openShop({ own: true, policy: { inlinePayments: false } });
  await shop.startWorker({ activities: refusing });
  productId = (await shop.sell()).id;
});
afterAll(() => shop.close());

function refusing(activities: Activities): Activities {
  return {
    ...activities,
    authorizePayment(call) {
      tried.add(call.orderId);
      if (unpaid.has(call.orderId)) throw new Error('The payment service does not respond.');
      return activities.authorizePayment(call);
    },
  };
}

interface Waiting {
  id: string;
  customer: Customer;
  placed: ReturnType<Customer['place']>;
}

/** Returns an order whose payment is under way. */
async function waiting(): Promise<Waiting> {
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: 1 }] });
  unpaid.add(request.orderId);
  const customer = customerOf(shop, shop, request);
  const placed = customer.place();
  await eventually(async () => expect([...tried]).toContain(request.orderId));
  return { id: request.orderId, customer, placed };
}

const handleOf = (id: string, runId?: string) =>
  shop.temporal.client.workflow.getHandle(orderWorkflowId(id), runId);
const historyOf = async (id: string, runId?: string) => (await handleOf(id, runId).fetchHistory()).events!;
const firstRunOf = async (id: string): Promise<string> =>
  (await historyOf(id))[0]!.workflowExecutionStartedEventAttributes!.firstExecutionRunId!;

/** Returns how many commands a run has accepted. */
async function acceptedBy(id: string, runId?: string): Promise<number> {
  return (await historyOf(id, runId)).filter(
    ({ workflowExecutionUpdateAcceptedEventAttributes: accepted }) =>
      accepted && accepted.acceptedRequest!.input!.name !== 'place',
  ).length;
}

describe('an order whose payment is under way', () => {
  it('takes commands when it belongs on another version, and moves once it is paid', async () => {
    const [paidLater, cancelled] = [await waiting(), await waiting()];
    const { client } = shop.temporal;
    const config = testWorkerConfig(taskQueueEnv(shop.taskQueue));
    await shop.startWorker({ activities: refusing }, undefined, { WORKER_BUILD_ID: 'next' });
    for (const { id } of [paidLater, cancelled])
      // Temporal tells its queues of a version one after the other.
      await eventually(async () => {
        await handleOf(id).signal(moveSignal);
        const seen = (await historyOf(id)).map(({ workflowTaskStartedEventAttributes: task }) => task);
        expect(seen.some((task) => task?.targetWorkerDeploymentVersionChanged)).toBe(true);
      });

    expect(await cancelled.customer.cancel()).toMatchObject({ status: 'cancelled' });
    await cancelled.placed;
    await recordHistory('cancelled-when-it-belonged-elsewhere', handleOf(cancelled.id));

    const amended = paidLater.customer.amend({ note: 'Ring twice' });
    await eventually(async () => expect(await acceptedBy(paidLater.id)).toBe(1));
    unpaid.delete(paidLater.id);
    expect(await amended).toMatchObject({ status: 'confirmed', note: 'Ring twice' });
    const ours = await buildIdOf(process.env.TEST_WORKFLOW_BUNDLE!);
    const deployment = createDeployment(client, config);
    expect(await deployment.routing()).toMatchObject({ current: 'next' });
    await eventually(async () => expect(await buildOf(paidLater.id)).toBe('next'));
    expect(await buildOf(paidLater.id, await firstRunOf(paidLater.id))).toBe(ours);
  });

  it('takes none but the cancellation that ends the wait when its history is long', async () => {
    const [paidLater, cancelled] = [await waiting(), await waiting()];
    for (const { id } of [paidLater, cancelled]) await fill(id);

    expect(await cancelled.customer.cancel()).toMatchObject({ status: 'cancelled' });
    await recordHistory('cancelled-when-its-history-was-long', handleOf(cancelled.id));

    const amended = paidLater.customer.amend({ note: 'Ring twice' });
    const units = paidLater.customer.cancelUnits('some', [{ productServiceId: productId, quantity: 1 }]);
    unpaid.delete(paidLater.id);
    await Promise.all([amended, units]);
    expect(await acceptedBy(paidLater.id, await firstRunOf(paidLater.id))).toBe(0);
    expect(await acceptedBy(paidLater.id)).toBe(2);
  });
});

async function buildOf(id: string, runId?: string): Promise<string> {
  const { raw } = await handleOf(id, runId).describe();
  return raw.workflowExecutionInfo!.versioningInfo!.deploymentVersion!.buildId!;
}

/** Makes the history of an order so long that it should continue as new. */
async function fill(id: string): Promise<void> {
  for (let n = 0; n < 500; n += 50)
    await Promise.all(Array.from({ length: 50 }, () => handleOf(id).signal(moveSignal)));
}
