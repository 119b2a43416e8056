import type { WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils';
import type { Order } from '../../src/domain/order';
import { getOrderQuery, getTimelineQuery, orderWorkflowId } from '../../workflows/contract';
import { expectConsistency } from '../support/consistency';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { customerOf } from './saga/commands';

const DEADLINE_MS = 3 * 24 * 60 * 60 * 1_000;
const COMMANDS = 160;
/** Temporal allows ten updates of a workflow in flight. */
const AT_A_TIME = 8;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ policy: { fulfillmentDeadlineMs: DEADLINE_MS } });
});
afterAll(() => shop.close());

type Events = NonNullable<History['events']>;
type Timestamp = Events[number]['eventTime'];

/** Returns the events of each run of a workflow, from the first run to the last. */
async function runsOf({ workflowId }: WorkflowHandle): Promise<Events[]> {
  const runs: Events[] = [];
  let runId: string | undefined;
  do {
    const { events } = await shop.temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.unshift(events!);
    runId = events![0]!.workflowExecutionStartedEventAttributes!.continuedExecutionRunId || undefined;
  } while (runId);
  return runs;
}

const milliseconds = (time: Timestamp) => Number(time!.seconds) * 1_000 + time!.nanos! / 1_000_000;

/**
 * Returns between which times the timers of a run fire, in milliseconds since the epoch: the workflow counts from a time
 * within the task that starts the timer, and Temporal from the end of that task.
 */
function dueTimes(events: Events): { from: number; to: number }[] {
  const eventOf = (id: unknown) => events.find(({ eventId }) => String(eventId) === String(id))!;
  return events.flatMap(({ timerStartedEventAttributes: timer }) => {
    if (!timer) return [];
    const completed = eventOf(timer.workflowTaskCompletedEventId);
    const started = eventOf(completed.workflowTaskCompletedEventAttributes!.startedEventId);
    const duration = milliseconds(timer.startToFireTimeout);
    return [
      {
        from: Math.floor(milliseconds(started.eventTime)) + duration,
        to: milliseconds(completed.eventTime) + duration,
      },
    ];
  });
}

it('an order with many commands continues in new runs, without losing a command or its deadline', async () => {
  const { id: productId } = await shop.sell();
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: 2 }] });
  const customer = customerOf(shop, shop, request);
  const placed = (await customer.place()) as Order;

  const notes = Array.from({ length: COMMANDS }, (_, n) => `note ${n}`).values();
  const write = async () => {
    for (const note of notes) expect(await customer.amend({ note })).toMatchObject({ status: 'confirmed' });
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, write));

  const order = (await customer.stored())!;
  expect(order).toEqual({
    ...placed,
    version: placed.version + COMMANDS,
    revision: placed.revision + COMMANDS,
    commands: order.commands,
    note: expect.stringMatching(/^note 1[45]\d$/),
    updatedAt: order.updatedAt,
  });
  expect(order.commands).toHaveLength(50); // the last ones
  expect(await customer.place()).toEqual(order); // a repeat places nothing

  const handle = shop.temporal.client.workflow.getHandle(orderWorkflowId(order.id));
  const [, ...continued] = await runsOf(handle);
  expect(continued.length).toBeGreaterThan(0);
  const { at } = order.statusHistory.find(({ to }) => to === 'confirmed')!;
  for (const events of await runsOf(handle)) expect(events.length).toBeLessThan(1_000);
  for (const events of continued) {
    const [timer, ...others] = dueTimes(events);
    expect(timer!.from).toBeLessThanOrEqual(Date.parse(at) + DEADLINE_MS);
    expect(timer!.to).toBeGreaterThanOrEqual(Date.parse(at) + DEADLINE_MS);
    expect(others).toEqual([]);
  }

  // What it shows is continued, too.
  const report = await handle.query(getOrderQuery);
  expect(report).toMatchObject({ status: 'confirmed', total: order.total, isSinceExact: true });
  expect(Date.parse(report.since)).toBeLessThan(Number(milliseconds(continued[0]![0]!.eventTime)));
  const { entries, leftOut } = await handle.query(getTimelineQuery);
  expect(entries).toEqual(entries.map(({ at }) => ({ at, what: 'command', detail: 'amend: done' })));
  // A workflow that was started, three states of one placing, and the commands.
  expect([entries.length, leftOut + entries.length]).toEqual([60, 3 + COMMANDS]);

  expect(await customer.cancel()).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' });
  const last = (await handle.query(getTimelineQuery)).entries.slice(-6);
  expect(last.map(({ what, detail }) => `${what} ${detail}`)).toEqual(
    expect.arrayContaining(['status confirmed → cancelled', 'paymentStatus authorized → voided']),
  );
  expect(await handle.result()).toEqual({ status: 'cancelled' });
  await expectConsistency(shop, { productId, initial: 100, orders: [(await customer.stored())!] });
});
