import { CancellationScope, condition, log } from '@temporalio/workflow';
import { withDone, withPending, withResolved, type ResolveCompensation } from '../src/domain/compensation';
import type { Compensation, Order } from '../src/domain/order';
import { InvalidTransition } from '../src/domain/errors';
import { asFailure, messageOf } from './failures';
import type { VoidAttempts } from './payment.steps';

export interface CompensatorDeps {
  /** Gives the payment back; returns whether there was anything. */
  attempt(compensation: Compensation, attempts: VoidAttempts): Promise<boolean>;
  /** Told after each of them. */
  attempted(): void;
  /** Saves what the change makes of the order, after whatever is being done to it now. */
  record(change: (order: Order) => Order): Promise<void>;
  now(): string;
}

/** What an operator wants of a compensation; `heard` when it has been done, or refused. */
interface Word {
  resolve?: ResolveCompensation;
  refusal?: InvalidTransition;
  heard: boolean;
}

interface Running {
  /** It was tried: done, or known to keep failing. */
  isAttempted: boolean;
  words: Word[];
}

/** When the payment service says a definite no: it may have been settled there, by a person or by time. */
const AFTER_REFUSAL = '60s';

/** What operators are told whose word that it was settled by hand has come too late: theirs may be another payment. */
const GIVEN_BACK = 'The payment service has just given this payment back: do not pay it back once more.';
const SETTLED = 'Somebody else has just settled this: read the order, and do not pay it back once more.';

/** How it was settled: by the word of a person, or by itself; and what whoever says otherwise is told. */
interface End {
  word?: Word;
  otherwise: string;
}

type Outcome = { wasAuthorized: boolean } | { failure: string };

/**
 * Does what an order owes, however long it takes and whatever cancels the workflow meanwhile. From the fifth attempt
 * on the order says so, and an operator may have it tried at once, or say that it was settled by hand.
 */
export function createCompensator({ attempt, attempted, record, now }: CompensatorDeps) {
  const running = new Map<string, Running>();

  /** Begins with those that are not under way yet. */
  function start(compensations: readonly Compensation[]): void {
    for (const compensation of compensations) {
      if (running.has(compensation.step)) continue;
      const task: Running = { isAttempted: false, words: [] };
      running.set(compensation.step, task);
      void CancellationScope.nonCancellable(async () => {
        const end = await settle(compensation, task);
        running.delete(compensation.step);
        task.isAttempted = true;
        for (const word of task.words) {
          if (word.resolve && word !== end.word) word.refusal = new InvalidTransition(end.otherwise);
          word.heard = true;
        }
      });
    }
  }

  async function settle(compensation: Compensation, task: Running): Promise<End> {
    const tryIt = (attempts: VoidAttempts) => outcomeOf(attempt(compensation, attempts), attempted);
    let outcome = await tryIt(compensation.state === 'pending' ? 'one' : 'few');
    while ('failure' in outcome) {
      const word = task.words.find(({ resolve }) => resolve);
      if (word) return { word: await recordResolved(word), otherwise: SETTLED };
      await recordPending(compensation, outcome.failure);
      task.isAttempted = true;
      for (const word of task.words) word.heard ||= !word.resolve;
      task.words = task.words.filter((word) => word.resolve);
      outcome = await insist(tryIt, task);
      if ('failure' in outcome && !task.words.some((word) => word.resolve)) outcome = await tryIt('one');
    }
    const { wasAuthorized } = outcome;
    await record((order) =>
      owes(order, compensation) ? withDone(order, compensation, wasAuthorized, now()) : order,
    );
    return { otherwise: GIVEN_BACK };
  }

  /** Returns the word, unless the order did not owe it any more. */
  async function recordResolved(word: Word): Promise<Word | undefined> {
    let isKept = false;
    await record((order) => {
      const next = withResolved(order, word.resolve!, now());
      isKept = next !== order;
      return next;
    });
    return isKept ? word : undefined;
  }

  /** Tries without limit until it is done or an operator says something. */
  async function insist(
    tryIt: (attempts: VoidAttempts) => Promise<Outcome>,
    task: Running,
  ): Promise<Outcome> {
    const scope = new CancellationScope();
    let outcome: Outcome | undefined;
    const trying = scope.run(() => tryIt('unlimited')).then((result) => (outcome = result));
    await condition(() => task.words.length > 0 || outcome !== undefined);
    if (!outcome) scope.cancel();
    else if ('failure' in outcome) await condition(() => task.words.length > 0, AFTER_REFUSAL);
    return trying; // an attempt under way may have done it
  }

  /** Says it on the order, unless that says so: its version is the customer's If-Match. */
  async function recordPending(compensation: Compensation, failure: string): Promise<void> {
    log.warn('compensation pending', { compensation: compensation.step, failure });
    await record((order) => {
      const isKnown = isPendingFor(order, compensation, failure);
      return isKnown ? order : withPending(order, compensation, failure, now());
    });
  }

  /** Has it tried at once, or settled, and waits until that has been done. Throws the failure of the update. */
  async function tell(step: string, resolve?: ResolveCompensation): Promise<void> {
    const task = running.get(step);
    if (!task) return; // done since
    const word: Word = { resolve, heard: false };
    task.words.push(word);
    await patiently(() => word.heard);
    if (word.refusal) throw asFailure(word.refusal);
  }

  return {
    start,
    tell,
    /** Resolves when all that is under way was tried. */
    attempted: () => patiently(() => [...running.values()].every((task) => task.isAttempted)),
    isIdle: () => running.size === 0,
    /** Nothing but attempts without limit is under way: they can begin again elsewhere. */
    isQuiet: () => [...running.values()].every(({ isAttempted, words }) => isAttempted && words.length === 0),
  };
}

function patiently(isSo: () => boolean): Promise<void> {
  return CancellationScope.nonCancellable(() => condition(isSo));
}

function isPendingFor({ compensations }: Order, { step }: Compensation, failure: string): boolean {
  const known = compensations.find((one) => one.step === step);
  return known?.state === 'pending' && known.failure === failure;
}

function owes({ compensations }: Order, { step }: Compensation): boolean {
  return compensations.some((one) => one.step === step);
}

function outcomeOf(attempt: Promise<boolean>, attempted: () => void): Promise<Outcome> {
  return attempt.then(
    (wasAuthorized) => {
      attempted();
      return { wasAuthorized };
    },
    (error: unknown) => {
      attempted();
      return { failure: messageOf(error) };
    },
  );
}
