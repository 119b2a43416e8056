import { Client, Connection } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import pLimit from 'p-limit';
import type { Bar } from './proof';
import type { Rig } from './rig/rig';

/** Histories that are read at a time: after a long run there are thousands. */
const CONCURRENCY = 8;

/** An attempt of an activity that was not heard of in time. */
export interface TimedOut {
  workflowId: string;
  activity: string;
  queue: string;
}

/** Those of each queue have to have timed out, or no worker of it was continued too late. */
export function barsOfTimeOuts(timedOut: readonly TimedOut[], queues: readonly string[]): Bar[] {
  return queues.map((queue) => ({
    what: `attempts of the queue ${queue} that timed out`,
    atLeast: 1,
    found: timedOut.filter((one) => one.queue === queue).length,
  }));
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
          return timeOutsIn(events ?? []).map((timedOut) => ({ workflowId, ...timedOut }));
        }),
      );
    return (await Promise.all(reads)).flat();
  } finally {
    await connection.close();
  }
}

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

function timeOutsIn(events: readonly HistoryEvent[]): Omit<TimedOut, 'workflowId'>[] {
  const scheduled = new Map(
    events.map(({ eventId, activityTaskScheduledEventAttributes: of }) => [
      String(eventId),
      { activity: of?.activityType?.name ?? '', queue: of?.taskQueue?.name ?? '' },
    ]),
  );
  return events.flatMap((event) => {
    const started = event.activityTaskStartedEventAttributes;
    const ended = event.activityTaskTimedOutEventAttributes;
    const isTimeOut = started?.lastFailure?.timeoutFailureInfo ?? ended;
    return isTimeOut ? [scheduled.get(String((started ?? ended)!.scheduledEventId))!] : [];
  });
}
