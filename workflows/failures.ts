import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { ErrorRecord } from '../src/domain/order';

export function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Makes why an order turned a command down a failure of the update; a plain error would fail the workflow task.
 * @param version the version of the order, which the next If-Match has to name
 */
export function asFailure({ type, message, ...more }: ErrorRecord, version?: number): ApplicationFailure {
  const hasMore = Object.keys(more).length > 0;
  const details = version === undefined && !hasMore ? [] : [version ?? null, ...(hasMore ? [more] : [])];
  return ApplicationFailure.create({ message, type, details, nonRetryable: true, category: 'BENIGN' });
}
