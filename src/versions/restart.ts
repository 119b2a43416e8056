import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { SEARCH_ATTRIBUTES, type Beginning } from '../../workflows/contract';
import { isCompleted } from '../temporal/errors';

const { WorkflowIdReusePolicy, WorkflowIdConflictPolicy, WorkflowExecutionStatus } = temporal.api.enums.v1;
const OWN_ATTRIBUTES: readonly string[] = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);
/** Not encrypted, as it says nothing: unencrypted payloads are always read. */
const RESUME = defaultPayloadConverter.toPayload('resume' satisfies Beginning);

/** A run of a workflow, as lists show it. */
export interface Run {
  workflowId: string;
  runId: string;
}

/**
 * Ends a run of an order's workflow that is pinned to a version, and starts another one that resumes the order from its
 * document. The new run replays nothing of the old one. Its input is copied as it is, so that this needs no key of what is
 * encrypted. Returns false if that run is over, or on another version.
 *
 * Both are one step, so there is no moment without a workflow. The id of the request is made of that of the run, so doing the
 * same again a little later, after a look at the same list, finds the run that was started before, and ends nothing.
 */
export async function restartOrder(
  client: Client,
  { workflowId, runId }: Run,
  buildId: string,
): Promise<boolean> {
  const { workflowService } = client;
  const { namespace, identity } = client.options;
  const execution = { workflowId, runId };
  const [{ workflowExecutionInfo }, { history }] = await Promise.all([
    workflowService.describeWorkflowExecution({ namespace, execution }),
    workflowService.getWorkflowExecutionHistory({ namespace, execution, maximumPageSize: 1 }),
  ]);
  const { status, searchAttributes, versioningInfo } = workflowExecutionInfo!;
  if (status !== WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING) return false;
  if (versioningInfo?.deploymentVersion?.buildId !== buildId) return false;
  const { workflowExecutionStartedEventAttributes, userMetadata } = history!.events![0]!;
  const { workflowType, taskQueue, input, memo, header } = workflowExecutionStartedEventAttributes!;
  const [request, policy] = input!.payloads!;
  const fields = Object.entries(searchAttributes?.indexedFields ?? {});
  try {
    const { started } = await workflowService.startWorkflowExecution({
      namespace,
      identity,
      requestId: `resume-${runId}`,
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
    return started;
  } catch (error) {
    if (isCompleted(error)) return false; // it was completed meanwhile
    throw error;
  }
}
