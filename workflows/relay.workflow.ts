import { continueAsNew, proxyActivities, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { RelayActivities } from '../activities/relay.activities';
import { byOneWorker } from './one-worker';
import { showWork } from './work.display';
import { AUTO_UPGRADE } from './versions';

/**
 * Has one worker at a time make events of all that is written: a Schedule starts it, and starts it again if it was ended. If
 * the worker dies, another one continues; two that believe to be the one are kept apart by MongoDB, and the one from which
 * the other has taken over ends.
 */
export async function relayWorkflow({ eventsTaskQueue }: { eventsTaskQueue: string }): Promise<void> {
  const { relayEvents } = proxyActivities<RelayActivities>(byOneWorker(eventsTaskQueue));
  showWork('Makes events of all that is written', 'Nothing, unless events lag: docs/runbook.md#events-lag.');
  for (;;) {
    const summary = 'Make events of all that is written';
    const { isSuperseded } = await relayEvents.executeWithOptions({ summary }, []);
    if (isSuperseded) return;
    // replay-tested: test/workflows/replay.test.ts
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof relayWorkflow>({ eventsTaskQueue });
  }
}

// It never ends, and must not wait for workers that are gone.
setWorkflowOptions({ versioningBehavior: AUTO_UPGRADE }, relayWorkflow);
