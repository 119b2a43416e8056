import {
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';
import { isFinal, messageOf } from './failures';

type Activities<A> = { [K in keyof A]: (...args: never[]) => Promise<unknown> };

export interface Attempts {
  /** None: the first attempt is to be seen in the history before it is made. */
  local?: LocalActivityOptions;
  /** A few more before somebody is told, when that is asked for. */
  few?: ActivityOptions;
  regular: ActivityOptions;
}

/**
 * Steps on our own database: a local activity costs one event instead of six; when its short budget is used up,
 * the same activity is called again as a regular one, so that the Temporal UI shows the pending attempt and its
 * last failure. An answer of the business (non-retryable) is final at once. Safe because activities are idempotent.
 * @param summaries what each step does, shown beside its name in the Temporal UI
 * @param onStuck told when the few attempts are used up, before those without limit
 */
export function localFirst<A extends Activities<A>>(
  summaries: { [K in keyof A]: string },
  { local, few, regular }: Attempts,
  onStuck: (step: string, failure: string) => void = () => undefined,
): A {
  const first = local && proxyLocalActivities(local);
  const then = few && proxyActivities(few);
  const atLast = proxyActivities(regular);
  const step =
    (name: string, summary: string) =>
    async (...args: unknown[]) => {
      for (const proxy of [first, then]) {
        if (!proxy) continue;
        try {
          return await proxy[name]!.executeWithOptions({ summary }, args);
        } catch (error) {
          if (isCancellation(error) || isFinal(error)) throw error;
          if (proxy === then) onStuck(name, messageOf(error));
        }
      }
      return await atLast[name]!.executeWithOptions({ summary }, args);
    };
  const steps = Object.entries<string>(summaries).map(([name, summary]) => [name, step(name, summary)]);
  return Object.fromEntries(steps) as A;
}
