import { CancellationScope, condition, log } from '@temporalio/workflow';
import {
  RESOLVED,
  VOIDED,
  type CompensationEvent,
  type ResolveCompensation,
} from '../src/domain/compensation';
import type { ErrorRecord } from '../src/domain/order';
import type { Owed } from '../src/domain/order-summary';
import { FAILURES } from './contract';
import { asFailure, messageOf } from './failures';
import type { Attempts } from './payment.steps';

export interface CompensationDeps {
  /** Gives up or pays back the money. Returns whether anything was reserved. */
  settle(owed: Owed, attempts: Attempts): Promise<boolean>;
  /** Saves how an attempt ended, once it is its turn. */
  record(step: string, event: CompensationEvent): Promise<void>;
  /** Saves that an operator has settled it. Returns why not, if the order turns that down. */
  resolve(command: ResolveCompensation): Promise<ErrorRecord | null>;
}

/** The wish of an operator to have a compensation retried or, with `resolution`, marked as resolved. */
interface OperatorRequest {
  resolution?: ResolveCompensation;
  /** It was carried out or turned down. */
  isAcknowledged: boolean;
  error?: ErrorRecord | null;
}

interface Task {
  owed: Owed;
  /** The order owes it: if others have paid the amount back, it does not any more, and must not be paid again. */
  isOwed: boolean;
  /** The first attempts are over. */
  isTried: boolean;
  /** Those that are not acknowledged. */
  requests: OperatorRequest[];
}

type Outcome = { wasAuthorized: boolean } | { failure: string };

/** How long to wait after the payment service has refused: in the meantime, an operator may settle it. */
const AFTER_REFUSAL = '60s';

/**
 * Carries out the compensations of an order. Each is tried a few times, then recorded as pending, and retried
 * without limit until it succeeds or an operator resolves it, even if the workflow is cancelled meanwhile.
 */
export function createCompensations({ settle, record, resolve }: CompensationDeps) {
  const tasks = new Map<string, Task>();
  let fault: Error | undefined;

  /** Starts those that are not under way, and ends those that are not owed any more. */
  function follow(owed: readonly Owed[]): void {
    const steps = new Set(owed.map(({ step }) => step));
    for (const task of tasks.values()) task.isOwed = steps.has(task.owed.step);
    for (const one of owed) {
      if (tasks.has(one.step)) continue;
      const task: Task = { owed: one, isOwed: true, isTried: false, requests: [] };
      tasks.set(one.step, task);
      CancellationScope.nonCancellable(() => run(task)).catch((error: Error) => (fault = error));
    }
  }

  async function run(task: Task): Promise<void> {
    const { owed } = task;
    const outcome = await attempt(owed, owed.state === 'pending' ? 'one' : 'few');
    const conflict =
      'failure' in outcome ? await retryUntilSettled(task, outcome.failure) : await done(task, outcome);
    tasks.delete(owed.step);
    for (const one of task.requests) {
      if (one.resolution && one.error === undefined) one.error = conflict;
      one.isAcknowledged = true;
    }
  }

  async function attempt(owed: Owed, attempts: Attempts): Promise<Outcome> {
    try {
      const wasAuthorized = await settle(owed, attempts);
      // An operator may have completed it by hand.
      return typeof wasAuthorized === 'boolean' ? { wasAuthorized } : { failure: 'its result is malformed' };
    } catch (error) {
      return { failure: messageOf(error) };
    }
  }

  /** Returns the error for a conflicting operator request. */
  async function retryUntilSettled(task: Task, firstFailure: string): Promise<ErrorRecord> {
    for (let failure = firstFailure; ;) {
      if (!task.isOwed) return RESOLVED;
      const request = resolutionIn(task);
      if (request) {
        request.error = await resolve(request.resolution!);
        if (!request.error || request.error.type === FAILURES.notFound) return RESOLVED;
        acknowledge(task, (one) => one === request); // the order turns it down, so the payment is still owed
        continue;
      }
      await recordPending(task, failure);
      const outcome = await retry(task);
      if (!('failure' in outcome)) return done(task, outcome);
      if (!resolutionIn(task)) ({ failure } = outcome); // else the attempt was only interrupted
    }
  }

  async function recordPending(task: Task, failure: string): Promise<void> {
    const { step } = task.owed;
    log.warn('compensation pending', { compensation: step, failure });
    await record(step, { state: 'pending', failure });
    task.isTried = true;
    acknowledge(task, ({ resolution }) => !resolution);
  }

  function acknowledge(task: Task, isAnswered: (request: OperatorRequest) => boolean): void {
    for (const request of task.requests) request.isAcknowledged ||= isAnswered(request);
    task.requests = task.requests.filter(({ isAcknowledged }) => !isAcknowledged);
  }

  /**
   * Tries without limit until it succeeds, is not owed any more, or an operator asks for something; a retry is one more
   * attempt.
   */
  async function retry(task: Task): Promise<Outcome> {
    const scope = new CancellationScope();
    let outcome: Outcome | undefined;
    const trying = scope.run(() => attempt(task.owed, 'unlimited')).then((result) => (outcome = result));
    const isInterrupted = () => task.requests.length > 0 || !task.isOwed;
    await condition(() => isInterrupted() || outcome !== undefined);
    if (!outcome) scope.cancel();
    else if ('failure' in outcome) await condition(isInterrupted, AFTER_REFUSAL);
    const last = await trying; // an attempt under way may have succeeded
    return 'failure' in last && task.isOwed && !resolutionIn(task) ? attempt(task.owed, 'one') : last;
  }

  async function done({ owed }: Task, { wasAuthorized }: { wasAuthorized: boolean }): Promise<ErrorRecord> {
    await record(owed.step, { state: 'done', wasAuthorized });
    return VOIDED;
  }

  /**
   * Waits until the request about a compensation under way is acknowledged.
   * @throws the failure of the update when it is turned down
   */
  async function ask(step: string, resolution?: ResolveCompensation): Promise<void> {
    const request: OperatorRequest = { resolution, isAcknowledged: false };
    tasks.get(step)!.requests.push(request);
    await uncancelled(() => request.isAcknowledged);
    if (request.error) throw asFailure(request.error);
  }

  return {
    follow,
    isUnderWay: (step: string) => tasks.has(step),
    requestRetry: ({ step }: { step: string }) => ask(step),
    requestResolution: (resolution: ResolveCompensation) => ask(resolution.step, resolution),
    /** Resolves when each that is under way has been tried. */
    tried: () => uncancelled(() => [...tasks.values()].every(({ isTried }) => isTried)),
    /** @throws what a fault of our own has thrown, which fails the workflow task, and not the order */
    isIdle(): boolean {
      if (fault) throw fault;
      return tasks.size === 0;
    },
    /**
     * Returns whether nothing but retries is under way: the next run of the workflow can start them again.
     */
    isQuiet: () => [...tasks.values()].every(({ isTried, requests }) => isTried && requests.length === 0),
  };
}

function uncancelled(isSo: () => boolean): Promise<void> {
  return CancellationScope.nonCancellable(() => condition(isSo));
}

function resolutionIn({ requests }: Task): OperatorRequest | undefined {
  return requests.find(({ resolution }) => resolution);
}
