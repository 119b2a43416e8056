import {
  Client,
  Connection,
  WorkflowNotFoundError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import pLimit from 'p-limit';
import type { StoredOrder } from './documents';
import type { Findings } from './finding';
import { isClosed, owedOf } from './orders';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
const { EventType, WorkflowTaskFailedCause: Cause } = temporal.api.enums.v1;
const ENDS_OF_TASKS: ReadonlySet<unknown> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
]);

/** What is read of Temporal at a time. */
const CONCURRENCY = 8;
const ORDER_WORKFLOW = 'orderWorkflow';
const CLOSED_ORDER_WORKFLOW = 'closedOrderWorkflow';
const OF_ORDERS: ReadonlySet<string> = new Set([ORDER_WORKFLOW, CLOSED_ORDER_WORKFLOW]);

/** Why a workflow task may fail without anything being wrong: something has happened meanwhile, or an operator did it. */
const HARMLESS: ReadonlySet<unknown> = new Set([
  Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
  Cause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
  Cause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
  Cause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
  Cause.WORKFLOW_TASK_FAILED_CAUSE_FAILOVER_CLOSE_COMMAND,
  Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_UPDATE,
]);

/** A key that was used for another request fails the workflow of the other one. */
const HARMLESS_FAILURES: ReadonlySet<unknown> = new Set(['IdempotencyKeyReused']);

/** What the audit of workflows has to know of an order. */
export interface KnownOrder {
  /** Whether there is still something to do for it. */
  isOpen: boolean;
  states: { OrderStatus: string; PaymentStatus: string; FulfillmentStatus: string };
}

export function knownOrder(order: StoredOrder): KnownOrder {
  return {
    isOpen: !isClosed(order) || owedOf(order).length > 0 || Boolean(order.intention),
    states: {
      OrderStatus: order.status,
      PaymentStatus: order.paymentStatus,
      FulfillmentStatus: order.fulfillmentStatus,
    },
  };
}

export interface TemporalOptions {
  temporalAddress: string;
  namespace: string;
  /** Restricts the audit to the workflows of this queue; by default, it is about all of the namespace. */
  taskQueue?: string;
}

/** Judges the workflows by the orders, and the other way round. */
export async function auditWorkflows(
  { temporalAddress, namespace, taskQueue }: TemporalOptions,
  orders: ReadonlyMap<string, KnownOrder>,
  findings: Findings,
): Promise<void> {
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    const client = new Client({ connection, namespace });
    const runs = await runsOf(client, taskQueue);
    const ofOrders = runs.filter(({ type }) => OF_ORDERS.has(type)).map(({ workflowId }) => workflowId);
    const ids = new Set([...ofOrders, ...[...orders.keys()].map(workflowIdOf)]);
    const limit = pLimit(CONCURRENCY);
    const newest = await Promise.all(
      [...ids].map((id) => limit(() => auditWorkflow(client, id, orders, findings))),
    );
    const others = runs.filter(({ runId }) => !newest.includes(runId));
    await Promise.all(others.map((run) => limit(() => auditRun(client, run, findings))));
  } finally {
    await connection.close();
  }
}

interface WorkflowRun {
  workflowId: string;
  runId: string;
  type: string;
}

/** Returns all runs that Temporal remembers, of whatever workflow: also those before a new start, a reset, or the next run. */
async function runsOf({ workflow }: Client, taskQueue?: string): Promise<WorkflowRun[]> {
  const query = taskQueue === undefined ? undefined : `TaskQueue = '${taskQueue}'`;
  const runs: WorkflowRun[] = [];
  for await (const { workflowId, runId, type } of workflow.list({ query }))
    runs.push({ workflowId, runId, type });
  return runs;
}

/** Judges what has become of the workflow tasks of a run that tells nothing else about an order. */
async function auditRun({ workflow }: Client, run: WorkflowRun, findings: Findings): Promise<void> {
  const handle = workflow.getHandle(run.workflowId, run.runId);
  const described = await handle.describe().catch(unlessForgotten);
  const history = described && (await handle.fetchHistory().catch(unlessForgotten));
  if (!history) return;
  const events = history.events ?? [];
  if (described.status.name === 'RUNNING') auditPendingTask(described, events, findings);
  auditTasks(run.workflowId, events, findings);
}

function unlessForgotten(error: unknown): undefined {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}

/** Judges the newest run of a workflow, and returns its id. */
async function auditWorkflow(
  client: Client,
  workflowId: string,
  orders: ReadonlyMap<string, KnownOrder>,
  findings: Findings,
): Promise<string | undefined> {
  const orderId = workflowId.slice(workflowId.indexOf('ord_'));
  const isOwn = workflowId === workflowIdOf(orderId);
  const order = orders.get(orderId);
  const described = await describe(client, workflowId);
  const isRunning = described?.status.name === 'RUNNING';
  // One that was terminated and is not needed any more tells nothing, and neither does one that Temporal has forgotten.
  if (isOwn && order?.isOpen && !isRunning)
    findings.add('workflow_missing', orderId, 'RUNNING', described?.status.name ?? null);
  if (!described) return undefined;
  if (!order && isRunning) findings.add('workflow_without_order', workflowId, 'an order', null);
  if (order && isRunning && !(isOwn && order.isOpen))
    findings.add('workflow_left_over', workflowId, 'an end', described.status.name);
  if (isOwn && order && isRunning) auditAttributes(described, order, findings);
  const { events } = await client.workflow.getHandle(workflowId, described.runId).fetchHistory();
  if (isRunning) auditPending(described, events ?? [], findings);
  auditTasks(workflowId, events ?? [], findings);
  auditEnd(workflowId, events ?? [], findings);
  return described.runId;
}

async function describe(
  { workflow }: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | undefined> {
  return workflow.getHandle(workflowId).describe().catch(unlessForgotten);
}

function auditAttributes(
  { workflowId, searchAttributes }: WorkflowExecutionDescription,
  { states }: KnownOrder,
  findings: Findings,
): void {
  const found = Object.fromEntries(Object.keys(states).map((name) => [name, searchAttributes[name]?.[0]]));
  findings.same('workflow_differs', workflowId, states, found);
}

/** Judges what is under way: it has to be in its first attempt. */
function auditPending(
  described: WorkflowExecutionDescription,
  events: readonly HistoryEvent[],
  findings: Findings,
): void {
  auditPendingTask(described, events, findings);
  for (const { activityType, attempt: tried, lastFailure } of described.raw.pendingActivities ?? []) {
    if ((tried ?? 1) <= 1) continue;
    const found = { activity: activityType?.name, attempt: tried, failure: lastFailure?.message };
    findings.add('activity_failing', described.workflowId, { attempt: 1 }, found);
  }
}

function auditPendingTask(
  { workflowId, raw, searchAttributes }: WorkflowExecutionDescription,
  events: readonly HistoryEvent[],
  findings: Findings,
): void {
  const { attempt = 1 } = raw.pendingWorkflowTask ?? {};
  if (attempt! > 1) {
    const problems = searchAttributes.TemporalReportedProblems ?? [];
    const kind = isOnlyLate(events, problems) ? 'workflow_task_late' : 'workflow_task_failing';
    findings.add(kind, workflowId, { attempt: 1 }, { attempt, problems });
  }
}

/**
 * Tells a workflow task that nobody has completed in time, as on a machine that is too busy, from one that was failed. The
 * history has the first attempt of a task alone; what has become of the later ones, the server reports.
 */
function isOnlyLate(events: readonly HistoryEvent[], problems: readonly unknown[]): boolean {
  const last = events.findLast(({ eventType }) => ENDS_OF_TASKS.has(eventType));
  return (
    last?.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT &&
    !problems.includes('category=WorkflowTaskFailed')
  );
}

function auditTasks(workflowId: string, events: readonly HistoryEvent[], findings: Findings): void {
  for (const { eventType, workflowTaskFailedEventAttributes: failed } of events)
    if (eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED && !HARMLESS.has(failed?.cause)) {
      const found = { cause: Cause[failed!.cause!], failure: failed!.failure?.message };
      findings.add('workflow_task_failing', workflowId, 'no failed workflow task', found);
    }
}

function auditEnd(workflowId: string, events: readonly HistoryEvent[], findings: Findings): void {
  for (const event of events) {
    const ended = event.workflowExecutionFailedEventAttributes?.failure;
    if (ended && !HARMLESS_FAILURES.has(ended.applicationFailureInfo?.type))
      findings.add('workflow_failed', workflowId, 'no failure', ended.message);
  }
}

function workflowIdOf(orderId: string): string {
  return `order-${orderId}`;
}
