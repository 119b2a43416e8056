import {
  ScheduleAlreadyRunning,
  ScheduleClient,
  ScheduleOverlapPolicy,
  type Connection,
  type ScheduleSpec,
} from '@temporalio/client';
import type { Config } from '../config';
import {
  AUDIT_LOG_WORKFLOW,
  CARTS_WORKFLOW,
  JANITOR_WORKFLOW,
  ORDERS_AUDIT_WORKFLOW,
  RECONCILIATION_WORKFLOW,
  RELAY_WORKFLOW,
  RETENTION_WORKFLOW,
  WEBHOOKS_WORKFLOW,
} from '../../workflows/contract';

/** Work that is done again and again, one run at a time, by a workflow on the task queue of the orders. */
interface Maintenance {
  /** The end of the id of its Schedule, which begins with the task queue, and the id of its workflows. */
  name: string;
  workflowType: string;
  spec: ScheduleSpec;
  /** What it does, for people who look at it in Temporal. */
  summary: string;
  /** The arguments of its workflow; none by default. */
  args?(queues: Queues): unknown[];
  /** Whether it is started when its Schedule is new, instead of at the first time that this names. */
  isStartedAtOnce?: true;
}

type Queues = Pick<Config['temporal'], 'paymentsTaskQueue' | 'eventsTaskQueue'>;

const MAINTENANCE: readonly Maintenance[] = [
  {
    name: 'janitor',
    workflowType: JANITOR_WORKFLOW,
    spec: { intervals: [{ every: '2m' }] },
    summary: 'Has orders that nobody has moved for long finished',
  },
  {
    name: 'reconciliation',
    workflowType: RECONCILIATION_WORKFLOW,
    spec: { calendars: [{ hour: 2, minute: 30 }] }, // UTC
    summary: 'Compares the payments of the last days with the orders',
    args: ({ paymentsTaskQueue }) => [{ paymentsTaskQueue }],
  },
  {
    name: 'audit',
    workflowType: ORDERS_AUDIT_WORKFLOW,
    spec: { calendars: [{ hour: 4, minute: 30 }] }, // UTC
    summary: 'Looks for damage in orders, stock, workflows and events',
    args: ({ paymentsTaskQueue }) => [{ paymentsTaskQueue }],
  },
  {
    name: 'audit-log',
    workflowType: AUDIT_LOG_WORKFLOW,
    spec: { intervals: [{ every: '1m' }] },
    summary: 'Chains the new entries of the audit log',
  },
  {
    name: 'retention',
    workflowType: RETENTION_WORKFLOW,
    spec: { calendars: [{ hour: 3, minute: 30 }] }, // UTC
    summary: 'Removes and erases what is too old to be kept',
  },
  {
    name: 'carts',
    workflowType: CARTS_WORKFLOW,
    spec: { intervals: [{ every: '15m' }] },
    summary: 'Releases what carts have held too long, and finds those that were abandoned',
  },
  {
    name: 'relay',
    workflowType: RELAY_WORKFLOW,
    spec: { intervals: [{ every: '1m' }] },
    summary: 'Makes events of all that is written; it never ends, and is started again if it was ended',
    args: ({ eventsTaskQueue }) => [{ eventsTaskQueue }],
    isStartedAtOnce: true,
  },
  {
    name: 'webhooks',
    workflowType: WEBHOOKS_WORKFLOW,
    spec: { intervals: [{ every: '1m' }] },
    summary: 'Makes deliveries of events; it never ends, and is started again if it was ended',
    args: ({ eventsTaskQueue }) => [{ eventsTaskQueue }],
    isStartedAtOnce: true,
  },
];

/** A run that was missed, since Temporal was down, is made up for only by the next one. */
const CATCHUP_WINDOW = '1m' as const;

/**
 * Creates the Schedules, or brings them in line with this version. One that an operator has paused stays paused.
 * Returns their ids.
 */
export async function createSchedules(
  connection: Connection,
  { namespace, taskQueue, ...queues }: Pick<Config['temporal'], 'namespace' | 'taskQueue'> & Queues,
): Promise<string[]> {
  const client = new ScheduleClient({ connection, namespace });
  const ids: string[] = [];
  for (const { name, workflowType, spec, summary, args, isStartedAtOnce } of MAINTENANCE) {
    const scheduleId = `${taskQueue}-${name}`;
    const schedule = {
      spec,
      action: {
        type: 'startWorkflow' as const,
        workflowType,
        workflowId: scheduleId,
        taskQueue,
        args: args?.(queues) ?? [],
        staticSummary: summary,
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW },
    };
    const create = async () => {
      const handle = await client.create({ scheduleId, ...schedule });
      // Not by `triggerImmediately`: the Schedule would not count that run, and start another one beside it.
      if (isStartedAtOnce) await handle.trigger(ScheduleOverlapPolicy.SKIP);
    };
    const createOrUpdate = create().catch(async (error: unknown) => {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await client.getHandle(scheduleId).update((known) => ({ ...schedule, state: known.state }));
    });
    await createOrUpdate.catch((error: unknown) => {
      throw unavailable(scheduleId, namespace, error);
    });
    ids.push(scheduleId);
  }
  return ids;
}

function unavailable(scheduleId: string, namespace: string, cause: unknown): Error {
  return new Error(
    `The Schedule ${scheduleId} of namespace ${namespace} cannot be set up (${(cause as Error).message}). ` +
      'Correct TEMPORAL_NAMESPACE, or let someone run it who may create Schedules there.',
    { cause },
  );
}
