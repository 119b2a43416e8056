import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from './internals';

/** What the newest run of a workflow was started with: the first event of its history, and no more, is fetched. */
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
