import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter, type PayloadCodec } from '@temporalio/common';

export interface TemporalAccess {
  address: string;
  namespace: string;
  /** The `temporal` that runs it, if it was started here. */
  executable?: string;
  /** Decrypts its histories. */
  codec: PayloadCodec;
}

export interface WorkflowStep {
  name: string;
  /** In words. */
  summary: string;
}

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];
type Payload = Parameters<typeof defaultPayloadConverter.fromPayload>[0];

/** Returns the activities of a workflow in the order of its history. */
export async function workflowSteps(
  { address, namespace, codec }: TemporalAccess,
  workflowId: string,
): Promise<WorkflowStep[]> {
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection, namespace });
    const { events } = await workflow.getHandle(workflowId).fetchHistory();
    const activities = (events ?? []).flatMap((event) => {
      const name = activityName(event);
      return name === undefined ? [] : [{ name, summary: event.userMetadata?.summary }];
    });
    const summaries = await codec.decode(activities.map(({ summary }) => summary ?? {}));
    return activities.map(({ name }, index) => ({ name, summary: textOf(summaries[index]!) }));
  } finally {
    await connection.close();
  }
}

/** A regular activity has its own event; a local one has the marker that the SDK records for replay. */
function activityName(event: HistoryEvent): string | undefined {
  const marker = event.markerRecordedEventAttributes?.details?.data?.payloads?.[0];
  return (
    event.activityTaskScheduledEventAttributes?.activityType?.name ??
    decode<{ activity_type?: string }>(marker)?.activity_type
  );
}

/** The server's own part of a marker is never encrypted. */
function decode<T>(payload: Payload | null | undefined): T | undefined {
  return payload ? defaultPayloadConverter.fromPayload<T>(payload) : undefined;
}

function textOf(payload: Payload): string {
  return payload.metadata?.encoding ? defaultPayloadConverter.fromPayload<string>(payload) : '';
}
