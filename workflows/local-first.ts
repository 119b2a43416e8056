import {
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';
import { isFinal, messageOf } from './failures';

type Activities<A> = { [K in keyof A]: (...args: never[]) => Promise<unknown> };

/** How often a step is tried, and how. Stages that are left out are skipped. */
export interface Stages {
  local?: LocalActivityOptions;
  /** A regular activity with a few attempts; `onStuck` is called when they have failed. */
  few?: ActivityOptions;
  /** A regular activity with unlimited attempts. */
  unlimited: ActivityOptions;
}

/**
 * Returns steps on our own database. A local activity costs one event instead of six. When its short budget
 * is used up, the same activity is scheduled as a regular one, so that the Temporal UI shows the pending
 * attempt and its last failure. This is safe because activities are idempotent. A business error is final.
 * @param summaries the text beside the name of each step in the Temporal UI
 * @param onStuck called when the few attempts have failed, before the unlimited ones
 */
export function localFirst<A extends Activities<A>>(
  summaries: { [K in keyof A]: string },
  { local, few, unlimited }: Stages,
  onStuck: (step: string, failure: string) => void = () => undefined,
): A {
  const localProxy = local && proxyLocalActivities(local);
  const fewProxy = few && proxyActivities(few);
  const unlimitedProxy = proxyActivities(unlimited);

  function stepOf(name: string, summary: string) {
    return async (...args: unknown[]): Promise<unknown> => {
      if (localProxy) {
        try {
          return await localProxy[name]!.executeWithOptions({ summary }, args);
        } catch (error) {
          throwIfFinal(error);
        }
      }
      if (fewProxy) {
        try {
          return await fewProxy[name]!.executeWithOptions({ summary }, args);
        } catch (error) {
          throwIfFinal(error);
          onStuck(name, messageOf(error));
        }
      }
      return unlimitedProxy[name]!.executeWithOptions({ summary }, args);
    };
  }

  const steps = Object.entries<string>(summaries).map(([name, summary]) => [name, stepOf(name, summary)]);
  return Object.fromEntries(steps) as A;
}

function throwIfFinal(error: unknown): void {
  if (isCancellation(error) || isFinal(error)) throw error;
}
