import { Client, Connection } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import pLimit from 'p-limit';
import type { Rig } from './rig/rig';

/** Histories that are read at a time: after a long run there are thousands. */
const CONCURRENCY = 8;

/** An attempt of an activity that was not heard of in time. */
export interface TimedOut {
  workflowId: string;
  activity: string;
}

/** Returns the attempts that timed out, of all workflows that Temporal remembers, as far as another attempt followed or none was left. */
export async function timedOutActivities({ temporalAddress, namespace }: Rig): Promise<TimedOut[]> {
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    const { workflow } = new Client({ connection, namespace });
    const limit = pLimit(CONCURRENCY);
    const reads: Promise<TimedOut[]>[] = [];
    for await (const { workflowId, runId } of workflow.list())
      reads.push(
        limit(async () => {
          const { events } = await workflow.getHandle(workflowId, runId).fetchHistory();
          return timeOutsIn(events ?? []).map((activity) => ({ workflowId, activity }));
        }),
      );
    return (await Promise.all(reads)).flat();
  } finally {
    await connection.close();
  }
}

function timeOutsIn(events: readonly temporal.api.history.v1.IHistoryEvent[]): string[] {
  const scheduled = new Map(
    events.map((event) => [
      String(event.eventId),
      event.activityTaskScheduledEventAttributes?.activityType?.name ?? '',
    ]),
  );
  return events.flatMap((event) => {
    const started = event.activityTaskStartedEventAttributes;
    const ended = event.activityTaskTimedOutEventAttributes;
    const isTimeOut = started?.lastFailure?.timeoutFailureInfo ?? ended;
    return isTimeOut ? [scheduled.get(String((started ?? ended)!.scheduledEventId)) ?? ''] : [];
  });
}
