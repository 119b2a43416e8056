import { continueAsNew, proxyActivities, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { WebhookActivities } from '../activities/webhooks.activities';
import { byOneWorker } from './one-worker';
import { showWork } from './work.display';
import { AUTO_UPGRADE } from './versions';

/**
 * Has one worker at a time make deliveries of all events: a Schedule starts it, and starts it again if it was ended. Two that
 * believe to be the one make no delivery twice.
 */
export async function webhooksWorkflow({ eventsTaskQueue }: { eventsTaskQueue: string }): Promise<void> {
  const { dispatchWebhooks } = proxyActivities<WebhookActivities>(byOneWorker(eventsTaskQueue));
  showWork(
    'Makes deliveries of all events',
    'Nothing, unless deliveries lag: docs/runbook.md#webhook-deliveries-lag.',
  );
  for (;;) {
    await dispatchWebhooks.executeWithOptions({ summary: 'Make deliveries of all events' }, []);
    // replay-tested: test/workflows/replay.test.ts
    if (workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof webhooksWorkflow>({ eventsTaskQueue });
  }
}

// It never ends, and must not wait for workers that are gone.
setWorkflowOptions({ versioningBehavior: AUTO_UPGRADE }, webhooksWorkflow);
