import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from './internals';

/** Fetches the arguments of the newest run of a workflow, from the first event of its history alone. */
export async function workflowInput(client: Client, workflowId: string): Promise<unknown[]> {
  const { namespace, loadedDataConverter } = client.workflow.options;
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId },
    maximumPageSize: 1,
  });
  const { input } = history!.events![0]!.workflowExecutionStartedEventAttributes!;
  return decodeArrayFromPayloads(loadedDataConverter, input?.payloads);
}
