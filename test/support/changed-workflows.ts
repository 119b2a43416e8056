/** The workflows of a next release, in which that of orders begins with something else: a history of ours does not suit it. */
import { setWorkflowOptions, upsertMemo } from '@temporalio/workflow';
import { orderWorkflow as usual } from '../../workflows/order.workflow';
import { PINNED } from '../../workflows/versions';

export * from '../../workflows';

export async function orderWorkflow(...args: Parameters<typeof usual>): ReturnType<typeof usual> {
  upsertMemo({ release: 'next' });
  return usual(...args);
}

setWorkflowOptions({ versioningBehavior: PINNED }, orderWorkflow);
