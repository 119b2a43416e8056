import type { WorkflowHandle } from '@temporalio/client';

/** Returns what the Temporal UI shows as the current details of a workflow, in Markdown. */
export async function currentDetailsOf(handle: Pick<WorkflowHandle, 'query'>): Promise<string> {
  const metadata = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails;
}
