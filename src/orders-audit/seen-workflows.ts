import { WorkflowNotFoundError, type WorkflowExecutionInfo } from '@temporalio/client';
import pLimit from 'p-limit';
import { orderIdIn } from '../domain/order-id';
import type { RememberedOrder, SeenWorkflow } from '../domain/order-findings';
import { latestIn, type Run } from './histories';
import type { TemporalClient } from '../temporal/client';
import { isUnavailable } from '../temporal/errors';
import {
  CLOSED_ORDER_WORKFLOW,
  closedOrderWorkflowId,
  ORDER_WORKFLOW,
  orderWorkflowId,
  SEARCH_ATTRIBUTES,
} from '../../workflows/contract';

/** A run of a workflow of a list, with the order that it is for. */
export interface ListedWorkflow extends Run {
  orderId: string;
  /** Whether it is the order's own, and runs or has completed. */
  isNeeded: boolean;
  isRunning: boolean;
}

export interface WorkflowList {
  workflows: ListedWorkflow[];
  /** Null at the end of the list. */
  nextCursor: string | null;
}

export type SeenWorkflows = ReturnType<typeof createSeenWorkflows>;

const LIST_LIMIT = 500;
/** How many histories are read at a time: orders have the same server. */
const HISTORIES = 4;
/** How many runs of the workflows of one order are read; the latest ones, if there are more. */
const RUNS = 50;
const CALL_TIMEOUT_MS = 10_000;

/** Reads what Temporal has of the workflows on a task queue. */
export function createSeenWorkflows(temporal: Pick<TemporalClient, 'client'>, taskQueue: string) {
  const { client } = temporal;
  const { workflowService, options } = client;
  const within = <T>(call: () => Promise<T>) => client.withDeadline(Date.now() + CALL_TIMEOUT_MS, call);
  const ofQueue = `TaskQueue = '${taskQueue}'`;

  async function describe(workflowId: string) {
    try {
      return await within(() => client.workflow.getHandle(workflowId).describe());
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }

  /** Returns the latest version of each order that the histories of runs of its workflows have. */
  async function remembered(
    runs: readonly (Run & { orderId: string })[],
  ): Promise<Map<string, RememberedOrder | 'unreadable'>> {
    const latest = new Map<string, RememberedOrder | 'unreadable'>();
    const limit = pLimit(HISTORIES);
    await Promise.all(
      runs.map(({ orderId, workflowId, runId }) =>
        limit(async () => {
          const found = await latestIn(temporal, { workflowId, runId });
          const known = latest.get(orderId);
          if (found && versionOf(found) >= versionOf(known)) latest.set(orderId, found);
        }),
      ),
    );
    return latest;
  }

  return {
    /**
     * Returns the workflows of orders that run or have completed, a part at a time.
     * @param isWhole whether those of closed orders are wanted as well, and all earlier runs
     */
    async list(cursor: string | null, { isWhole }: { isWhole: boolean }): Promise<WorkflowList> {
      const query = isWhole
        ? `WorkflowType IN ('${ORDER_WORKFLOW}', '${CLOSED_ORDER_WORKFLOW}') AND ${ofQueue}`
        : `WorkflowType = '${ORDER_WORKFLOW}' AND ${ofQueue} AND ExecutionStatus IN ('Running', 'Completed')`;
      const { executions, nextPageToken } = await within(() =>
        workflowService.listWorkflowExecutions({
          namespace: options.namespace,
          query,
          pageSize: LIST_LIMIT,
          nextPageToken: cursor === null ? null : Buffer.from(cursor, 'base64'),
        }),
      );
      const workflows = executions.flatMap(({ execution, status }): ListedWorkflow[] => {
        const { workflowId, runId } = execution as Run;
        const own = orderIdIn(workflowId);
        const orderId = own ?? orderIdIn(workflowId.replace(CLOSED_PREFIX, ''));
        if (orderId === undefined) return [];
        const isRunning = own !== undefined && Number(status) === RUNNING;
        const isNeeded = isRunning || (own !== undefined && Number(status) === COMPLETED);
        return [{ orderId, workflowId, runId, isNeeded, isRunning }];
      });
      const next = nextPageToken?.length > 0 ? Buffer.from(nextPageToken).toString('base64') : null;
      return { workflows, nextCursor: next };
    },

    /** Returns those that run of these orders, as a list has them, which may be some seconds old. */
    async running(orderIds: readonly string[]): Promise<Map<string, SeenWorkflow>> {
      const seen = new Map<string, SeenWorkflow>();
      if (orderIds.length === 0) return seen;
      const ids = orderIds.map((id) => `'${orderWorkflowId(id)}'`).join(', ');
      const query = `WorkflowId IN (${ids}) AND ExecutionStatus = 'Running'`;
      for await (const found of client.workflow.list({ query, pageSize: orderIds.length }))
        seen.set(orderIdIn(found.workflowId)!, seenOf(found));
      return seen;
    },

    /** Returns the workflow of an order as it is now, or null. */
    async ofOrder(orderId: string): Promise<SeenWorkflow | null> {
      const found = await describe(orderWorkflowId(orderId));
      return found && seenOf(found);
    },

    /** Returns the workflow of what happens after the end of an order as it is now, or null. */
    async afterOrder(orderId: string): Promise<SeenWorkflow | null> {
      const found = await describe(closedOrderWorkflowId(orderId));
      return found && seenOf(found);
    },

    remembered,

    /** Returns what the histories of all runs of the workflows of an order have of it. */
    async rememberedOf(orderId: string): Promise<RememberedOrder | 'unreadable' | null> {
      const query = `WorkflowId IN ('${orderWorkflowId(orderId)}', '${closedOrderWorkflowId(orderId)}')`;
      const runs: (Run & { orderId: string })[] = [];
      for await (const { workflowId, runId } of client.workflow.list({ query })) {
        runs.push({ orderId, workflowId, runId });
        if (runs.length === RUNS) break;
      }
      return (await remembered(runs)).get(orderId) ?? null;
    },

    /** Returns the ids of the first workflows whose tasks fail, of any type; none if the server does not tell of them. */
    async failing(): Promise<string[]> {
      const query = `${ofQueue} AND ExecutionStatus = 'Running' AND ${PROBLEMS} IS NOT NULL`;
      const ids: string[] = [];
      try {
        for await (const { workflowId } of client.workflow.list({ query })) {
          ids.push(workflowId);
          if (ids.length === LIST_LIMIT) break; // one deployment fails all; these many say so
        }
      } catch (error) {
        if (isUnavailable(error)) throw error;
      }
      return ids;
    },

    /** Returns why the task of a workflow fails, or null if it does not. */
    async failureOf(workflowId: string): Promise<string | null> {
      const found = await describe(workflowId);
      const problems = found?.raw.workflowExecutionInfo?.searchAttributes?.indexedFields?.[PROBLEMS]?.data;
      if (!found || !problems) return null;
      const { attempt = 1 } = found.raw.pendingWorkflowTask ?? {};
      return `${found.type}, attempt ${attempt}: ${Buffer.from(problems).toString()}`;
    },
  };
}

function versionOf(remembered: RememberedOrder | 'unreadable' | undefined): number {
  return typeof remembered === 'object' ? remembered.version : 0;
}

/** The search attribute in which Temporal tells that the task of a workflow fails again and again. */
const PROBLEMS = 'TemporalReportedProblems';
/** By their numbers in Temporal's API. */
const [RUNNING, COMPLETED] = [1, 2];
const CLOSED_PREFIX = /^closed-/;

type Listed = Pick<WorkflowExecutionInfo, 'status' | 'startTime' | 'typedSearchAttributes'>;

function seenOf({ status, startTime, typedSearchAttributes: shown }: Listed): SeenWorkflow {
  const { orderStatus, paymentStatus, fulfillmentStatus } = SEARCH_ATTRIBUTES;
  return {
    status: status.name,
    startedAt: startTime.toISOString(),
    states: {
      status: shown.get(orderStatus),
      paymentStatus: shown.get(paymentStatus),
      fulfillmentStatus: shown.get(fulfillmentStatus),
    } as SeenWorkflow['states'],
  };
}
