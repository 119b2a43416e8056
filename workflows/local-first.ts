import {
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  sleep,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';
import { messageOf } from './failures';

type Activities<A> = { [K in keyof A]: (...args: never[]) => Promise<unknown> };

/** How often a step is tried, and how. Stages that are left out are skipped. */
export interface Stages {
  local?: LocalActivityOptions;
  /** A regular activity with a few attempts; `onStuck` is called when they have failed. */
  few?: ActivityOptions;
  /** A regular activity with unlimited attempts. */
  unlimited: ActivityOptions;
}

/** How long to wait before a step that an operator has failed or completed by hand is tried again. */
const AFTER_OPERATOR = '10s';

export interface LocalFirstOptions {
  /** Tells whether a result is the activity's own, and not one with which an operator has completed it. */
  isResult(value: unknown): boolean;
  /** Called with the summary of a step when it begins. */
  onBegin?(summary: string): void;
  /** Called when the few attempts have failed, before the unlimited ones. */
  onStuck?(step: string, failure: string): void;
}

/**
 * Returns steps on our own database. A local activity costs one event instead of six. When its short budget
 * is used up, the same activity is scheduled as a regular one, so that the Temporal UI shows the pending
 * attempt and its last failure. This is safe because activities are idempotent. A step never fails: what an
 * operator fails is tried again.
 * @param summaries the text beside the name of each step in the Temporal UI
 */
export function localFirst<A extends Activities<A>>(
  summaries: { [K in keyof A]: string },
  { local, few, unlimited }: Stages,
  { isResult, onBegin = () => undefined, onStuck = () => undefined }: LocalFirstOptions,
): A {
  const localProxy = local && proxyLocalActivities(local);
  const fewProxy = few && proxyActivities(few);
  const unlimitedProxy = proxyActivities(unlimited);

  function stepOf(name: string, summary: string) {
    const options = { summary };
    return async (...args: unknown[]): Promise<unknown> => {
      onBegin(summary);
      if (localProxy) {
        const result = await localProxy[name]!.executeWithOptions(options, args).catch(asFailed);
        if (isResult(result)) return result;
      }
      if (fewProxy) {
        const result = await fewProxy[name]!.executeWithOptions(options, args).catch(asFailed);
        if (isResult(result)) return result;
        onStuck(name, result instanceof Failed ? result.message : 'its result is malformed');
      }
      for (;;) {
        const result = await unlimitedProxy[name]!.executeWithOptions(options, args).catch(asFailed);
        if (isResult(result)) return result;
        await sleep(AFTER_OPERATOR);
      }
    };
  }

  const steps = Object.entries<string>(summaries).map(([name, summary]) => [name, stepOf(name, summary)]);
  return Object.fromEntries(steps) as A;
}

class Failed extends Error {}

function asFailed(error: unknown): Failed {
  if (isCancellation(error)) throw error;
  return new Failed(messageOf(error));
}
