import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';

type Activities<A> = { [K in keyof A]: (...args: never[]) => Promise<unknown> };

export interface Attempts {
  local: LocalActivityOptions;
  regular: ActivityOptions;
}

/**
 * Steps on our own database: a local activity costs one event instead of six; when its short budget is used up,
 * the same activity is called again as a regular one, so that the Temporal UI shows the pending attempt and its
 * last failure. An answer of the business (non-retryable) is final at once. Safe because activities are idempotent.
 * @param summaries what each step does, shown beside its name in the Temporal UI
 */
export function localFirst<A extends Activities<A>>(
  summaries: { [K in keyof A]: string },
  { local, regular }: Attempts,
): A {
  const locals = proxyLocalActivities(local);
  const regulars = proxyActivities(regular);
  const step =
    (name: string, summary: string) =>
    async (...args: unknown[]) => {
      try {
        return await locals[name]!.executeWithOptions({ summary }, args);
      } catch (error) {
        if (isCancellation(error) || isFinal(error)) throw error;
        return await regulars[name]!.executeWithOptions({ summary }, args);
      }
    };
  const steps = Object.entries<string>(summaries).map(([name, summary]) => [name, step(name, summary)]);
  return Object.fromEntries(steps) as A;
}

function isFinal(error: unknown): boolean {
  // Not `retryState`: the one of a local activity does not tell.
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof ApplicationFailure &&
    !!error.cause.nonRetryable
  );
}
