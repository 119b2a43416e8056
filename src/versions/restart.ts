import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { randomUUID } from 'node:crypto';
import { SEARCH_ATTRIBUTES, type Beginning } from '../../workflows/contract';

const { WorkflowIdReusePolicy, WorkflowIdConflictPolicy, WorkflowExecutionStatus } = temporal.api.enums.v1;
const OWN_ATTRIBUTES: readonly string[] = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);
/** Not encrypted, as it says nothing: unencrypted payloads are always read. */
const RESUME = defaultPayloadConverter.toPayload('resume' satisfies Beginning);

/**
 * Ends the run of an order's workflow, and starts another one that resumes the order from its document. The new run replays
 * nothing of the old one. Its input is copied as it is, so that this needs no key of what is encrypted. Returns false if the
 * workflow does not run any more.
 */
export async function restartOrder(client: Client, workflowId: string): Promise<boolean> {
  const { workflowService } = client;
  const { namespace, identity } = client.options;
  const execution = { workflowId };
  const [{ workflowExecutionInfo }, { history }] = await Promise.all([
    workflowService.describeWorkflowExecution({ namespace, execution }),
    workflowService.getWorkflowExecutionHistory({ namespace, execution, maximumPageSize: 1 }),
  ]);
  const { status, searchAttributes } = workflowExecutionInfo!;
  if (status !== WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING) return false;
  const { workflowExecutionStartedEventAttributes, userMetadata } = history!.events![0]!;
  const { workflowType, taskQueue, input, memo, header } = workflowExecutionStartedEventAttributes!;
  const [request, policy] = input!.payloads!;
  const fields = Object.entries(searchAttributes?.indexedFields ?? {});
  await workflowService.startWorkflowExecution({
    namespace,
    identity,
    requestId: randomUUID(),
    workflowId,
    workflowType,
    taskQueue: { name: taskQueue!.name },
    input: { payloads: [request!, policy!, RESUME] },
    memo,
    header,
    userMetadata,
    searchAttributes: {
      indexedFields: Object.fromEntries(fields.filter(([name]) => OWN_ATTRIBUTES.includes(name))),
    },
    workflowIdReusePolicy: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
  });
  return true;
}
