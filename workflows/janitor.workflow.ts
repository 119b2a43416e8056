import { proxyActivities, setWorkflowOptions } from '@temporalio/workflow';
import type { JanitorActivities, JanitorReport } from '../activities/janitor.activities';
import { showWork, unlessLonger, UPKEEP } from './work.display';
import { AUTO_UPGRADE } from './versions';

const { finishStuckOrders } = proxyActivities<JanitorActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '15s', // a worker that is gone is noticed, and another one continues
  retry: { initialInterval: '5s', maximumInterval: '60s' },
});

/** Has the orders that nobody has moved for long finished: a Schedule starts it, one run at a time. */
export async function janitorWorkflow(): Promise<JanitorReport> {
  showWork('Has orders finished that nobody has moved for long', unlessLonger('an hour', UPKEEP));
  return finishStuckOrders.executeWithOptions(
    { summary: 'Look for stuck orders and have them finished' },
    [],
  );
}

// A single step: one that waited for workers that are gone would keep its Schedule from starting another.
setWorkflowOptions({ versioningBehavior: AUTO_UPGRADE }, janitorWorkflow);
