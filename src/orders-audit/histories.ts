import type { temporal as api } from '@temporalio/proto';
import type { RememberedOrder } from '../domain/order-findings';
import { isSummary } from '../domain/order-summary';
import type { TemporalClient } from '../temporal/client';
import { isMissing } from '../temporal/errors';
import { decodeArrayFromPayloads } from '../temporal/internals';
import { UndecodablePayload } from '../temporal/payload-codec';

/** A run of a workflow. */
export interface Run {
  workflowId: string;
  runId: string;
}

type HistoryEvent = api.api.history.v1.IHistoryEvent;
type Payloads = api.api.common.v1.IPayloads;

const CALL_TIMEOUT_MS = 10_000;

/**
 * Returns the latest version of its order that the history of a run has: each step tells as what it has left the order. Unreadable
 * if it has only such as was encrypted with a key that is gone; null if it has none, or Temporal has forgotten the run.
 */
export async function latestIn(
  { client }: Pick<TemporalClient, 'client'>,
  execution: Run,
): Promise<RememberedOrder | 'unreadable' | null> {
  const { workflowService, options, workflow } = client;
  let latest: RememberedOrder | null = null;
  let isUnreadable = false;
  for (let nextPageToken: Uint8Array | undefined; ;) {
    const request = { namespace: options.namespace, execution, nextPageToken };
    const page = await client
      .withDeadline(Date.now() + CALL_TIMEOUT_MS, () => workflowService.getWorkflowExecutionHistory(request))
      .catch(unlessForgotten);
    for (const event of page?.history?.events ?? []) {
      const values = await readable(resultOf(event), workflow.options.loadedDataConverter);
      isUnreadable ||= values === null;
      for (const value of values ?? []) {
        // Of two of the same version, the later one tells more.
        if (isSummary(value) && value.version >= (latest?.version ?? 1)) latest = value;
      }
    }
    nextPageToken = page?.nextPageToken;
    if (!nextPageToken || nextPageToken.length === 0) return latest ?? (isUnreadable ? 'unreadable' : null);
  }
}

/** Returns what an activity has returned, if that is what the event tells of. */
function resultOf({
  activityTaskCompletedEventAttributes: activity,
  markerRecordedEventAttributes: marker,
}: HistoryEvent): Payloads | null | undefined {
  return activity ? activity.result : marker?.details?.result;
}

type Converter = Parameters<typeof decodeArrayFromPayloads>[0];

/** Returns null if it was encrypted with a key that is gone. */
async function readable(
  result: Payloads | null | undefined,
  converter: Converter,
): Promise<unknown[] | null> {
  if (!result?.payloads?.length) return [];
  try {
    return await decodeArrayFromPayloads(converter, result.payloads);
  } catch (error) {
    if (error instanceof UndecodablePayload) return null;
    throw error;
  }
}

function unlessForgotten(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}
