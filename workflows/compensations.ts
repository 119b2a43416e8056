import { CancellationScope, condition, log } from '@temporalio/workflow';
import { withDone, withPending, withResolved, type ResolveCompensation } from '../src/domain/compensation';
import { InvalidTransition } from '../src/domain/errors';
import type { Compensation, Order } from '../src/domain/order';
import { asFailure, messageOf } from './failures';
import type { VoidAttempts } from './payment.steps';

export interface CompensationDeps {
  /** Voids or refunds the payment. Returns whether anything was reserved. */
  voidPayment(compensation: Compensation, attempts: VoidAttempts): Promise<boolean>;
  /** Called after each call of `voidPayment`. */
  onAttempt(): void;
  /** Saves the order as `change` makes it, once it is its turn. */
  record(change: (order: Order) => Order): Promise<void>;
  now(): string;
}

/** The wish of an operator to have a compensation retried or, with `resolution`, marked as resolved. */
interface OperatorRequest {
  resolution?: ResolveCompensation;
  /** It was carried out or rejected. */
  isAcknowledged: boolean;
  rejection?: InvalidTransition;
}

interface Task {
  compensation: Compensation;
  /** The first attempts are over. */
  isTried: boolean;
  /** Those that are not acknowledged. */
  requests: OperatorRequest[];
}

/**
 * How a compensation was settled, by an operator or automatically, and the error for any conflicting operator
 * request.
 */
interface Settlement {
  request?: OperatorRequest;
  conflict: string;
}

type Outcome = { wasAuthorized: boolean } | { failure: string };

/** How long to wait after the payment service has refused: in the meantime, an operator may settle it. */
const AFTER_REFUSAL = '60s';

const VOIDED =
  'The payment service has just voided or refunded this payment: do not pay the customer back again.';
const RESOLVED =
  'Another operator has just settled this compensation: read the order, and do not pay the customer back again.';

/**
 * Carries out the compensations of an order. Each is tried a few times, then recorded as pending, and retried
 * without limit until it succeeds or an operator resolves it, even if the workflow is cancelled meanwhile.
 */
export function createCompensations({ voidPayment, onAttempt, record, now }: CompensationDeps) {
  const tasks = new Map<string, Task>();

  /** Starts those that are not under way. */
  function start(compensations: readonly Compensation[]): void {
    for (const compensation of compensations) {
      if (tasks.has(compensation.step)) continue;
      const task: Task = { compensation, isTried: false, requests: [] };
      tasks.set(compensation.step, task);
      void CancellationScope.nonCancellable(() => run(task));
    }
  }

  async function run(task: Task): Promise<void> {
    const { compensation } = task;
    const outcome = await attempt(compensation, compensation.state === 'pending' ? 'one' : 'few');
    const { request, conflict } = await ('failure' in outcome
      ? retryUntilSettled(task, outcome.failure)
      : settleAsDone(compensation, outcome));
    tasks.delete(compensation.step);
    task.isTried = true;
    for (const one of task.requests) {
      if (one.resolution && one !== request) one.rejection = new InvalidTransition(conflict);
      one.isAcknowledged = true;
    }
  }

  async function attempt(compensation: Compensation, attempts: VoidAttempts): Promise<Outcome> {
    try {
      return { wasAuthorized: await voidPayment(compensation, attempts) };
    } catch (error) {
      return { failure: messageOf(error) };
    } finally {
      onAttempt();
    }
  }

  async function retryUntilSettled(task: Task, firstFailure: string): Promise<Settlement> {
    for (let failure = firstFailure; ;) {
      const request = resolutionIn(task);
      if (request) return settleAsResolved(request);
      await recordPending(task, failure);
      const outcome = await retry(task);
      if (!('failure' in outcome)) return settleAsDone(task.compensation, outcome);
      ({ failure } = outcome);
    }
  }

  /**
   * Records the failure, unless the order has it already: a new version would outdate the customer's
   * If-Match.
   */
  async function recordPending(task: Task, failure: string): Promise<void> {
    const { compensation } = task;
    log.warn('compensation pending', { compensation: compensation.step, failure });
    await record((order) =>
      isPending(order, compensation, failure) ? order : withPending(order, compensation, failure, now()),
    );
    task.isTried = true;
    for (const request of task.requests) if (!request.resolution) request.isAcknowledged = true;
    task.requests = task.requests.filter(({ isAcknowledged }) => !isAcknowledged);
  }

  /**
   * Tries without limit until it succeeds, or an operator asks for something; a retry is one more attempt.
   */
  async function retry(task: Task): Promise<Outcome> {
    const { compensation } = task;
    const scope = new CancellationScope();
    let outcome: Outcome | undefined;
    const trying = scope.run(() => attempt(compensation, 'unlimited')).then((result) => (outcome = result));
    await condition(() => task.requests.length > 0 || outcome !== undefined);
    if (!outcome) scope.cancel();
    else if ('failure' in outcome) await condition(() => task.requests.length > 0, AFTER_REFUSAL);
    const last = await trying; // an attempt under way may have succeeded
    return 'failure' in last && !resolutionIn(task) ? attempt(compensation, 'one') : last;
  }

  async function settleAsDone(
    compensation: Compensation,
    { wasAuthorized }: { wasAuthorized: boolean },
  ): Promise<Settlement> {
    await record((order) =>
      isOutstanding(order, compensation) ? withDone(order, compensation, wasAuthorized, now()) : order,
    );
    return { conflict: VOIDED };
  }

  /** Names the request, unless the compensation was settled by someone else in the meantime. */
  async function settleAsResolved(request: OperatorRequest): Promise<Settlement> {
    let isRecorded = false;
    await record((order) => {
      const next = withResolved(order, request.resolution!, now());
      isRecorded = next !== order;
      return next;
    });
    return { request: isRecorded ? request : undefined, conflict: RESOLVED };
  }

  /** Waits until the request is acknowledged. @throws the failure of the update when it is rejected */
  async function ask(step: string, resolution?: ResolveCompensation): Promise<void> {
    const task = tasks.get(step);
    if (!task) return; // it has just been settled
    const request: OperatorRequest = { resolution, isAcknowledged: false };
    task.requests.push(request);
    await uncancelled(() => request.isAcknowledged);
    if (request.rejection) throw asFailure(request.rejection);
  }

  return {
    start,
    requestRetry: ({ step }: { step: string }) => ask(step),
    requestResolution: (resolution: ResolveCompensation) => ask(resolution.step, resolution),
    /** Resolves when each that is under way has been tried. */
    tried: () => uncancelled(() => [...tasks.values()].every(({ isTried }) => isTried)),
    isIdle: () => tasks.size === 0,
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

function isOutstanding({ compensations }: Order, { step }: Compensation): boolean {
  return compensations.some((one) => one.step === step);
}

function isPending({ compensations }: Order, { step }: Compensation, failure: string): boolean {
  const known = compensations.find((one) => one.step === step);
  return known?.state === 'pending' && known.failure === failure;
}
