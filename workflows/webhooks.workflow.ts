import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { WebhookActivities } from '../activities/webhooks.activities';

/**
 * Has one worker at a time make deliveries of all events: a Schedule starts it, and starts it again if it was ended. Two that
 * believe to be the one make no delivery twice.
 */
export async function webhooksWorkflow({ eventsTaskQueue }: { eventsTaskQueue: string }): Promise<void> {
  const { dispatchWebhooks } = proxyActivities<WebhookActivities>({
    taskQueue: eventsTaskQueue,
    startToCloseTimeout: '2h', // a turn is shorter
    heartbeatTimeout: '10s', // a worker that is gone is noticed, and another one continues
    retry: { initialInterval: '500ms', maximumInterval: '5s' },
    priority: { priorityKey: 1 }, // before deliveries
  });
  for (;;) {
    await dispatchWebhooks.executeWithOptions({ summary: 'Make deliveries of all events' }, []);
    // replay-tested: test/workflows/replay.test.ts
    if (workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof webhooksWorkflow>({ eventsTaskQueue });
  }
}
