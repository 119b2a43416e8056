import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { PaymentProvider } from '../../../src/payments/payment-provider';
import type { Activities } from '../../../src/worker/activities';
import type { Sabotage } from '../../support/worker';
import { deferred, type Deferred } from './deferred';

export type StepName = keyof Activities;

/** One attempt at a step of one order. */
export interface Attempt {
  /** Its name and, from the second time on that the order comes to it with other arguments, its number: `fulfillOrder#2`. */
  step: string;
  name: StepName;
  /** Counts from 1. */
  number: number;
  workflowId: string;
  /** Resolves when the next attempt has come to its end. */
  overtaken: Promise<void>;
  /** Resolves when the life of the order is over, as far as the test is concerned. */
  lifeOver: Promise<void>;
}

/** What happens instead of the effect; most have the effect too, sooner or later. */
export type Fault = (attempt: Attempt, effect: () => Promise<unknown>) => Promise<unknown>;

/** How the payment service answers when the payment of an order is to be authorised. */
export type Authorizing = 'answered' | 'done but unanswered' | 'unanswered';

export interface Plan {
  authorizing?: Authorizing;
  /** By step. */
  faults?: ReadonlyMap<string, Fault>;
}

export type Saboteur = ReturnType<typeof createSaboteur>;

/** Watches the steps of every order, and spoils those that it was told to. Payments are spoiled at the provider. */
export function createSaboteur() {
  const subjects = new Map<string, Subject>();
  const current = new AsyncLocalStorage<Running>();
  const subject = (orderId: string): Subject => {
    const known = subjects.get(orderId) ?? newSubject();
    subjects.set(orderId, known);
    return known;
  };

  function spoiledActivity(name: StepName, run: AnyFunction): AnyFunction {
    return (...args) => {
      const { id, orderId = id } = args[0] as { id?: string; orderId?: string };
      const running = begin(subject(orderId!), name, args);
      const work = () => (name in OPERATIONS ? run(...args) : spoiled(running, () => run(...args)));
      const result = current.run(running, work).finally(running.end);
      running.subject.runs.add(result.catch(() => undefined));
      return result;
    };
  }

  function spoiledOperation(operation: keyof PaymentProvider, run: AnyFunction): AnyFunction {
    return (...args) => {
      const running = current.getStore()!;
      const effect = () => run(...args);
      // An activity may ask for more than the operation it is named after.
      return OPERATIONS[running.attempt.name] === operation ? spoiled(running, effect) : effect();
    };
  }

  const sabotage: Sabotage = {
    activities: (activities) => mapMethods(activities, spoiledActivity),
    provider: (provider) => ({ ...mapMethods(provider, spoiledOperation), name: provider.name }),
  };

  return {
    sabotage,
    plan: (orderId: string, plan: Plan) => void (subject(orderId).plan = plan),
    /** The steps of the order so far, each once. */
    stepsOf: (orderId: string) => [...subject(orderId).steps.keys()],
    spoiledStepsOf: (orderId: string) => [...subject(orderId).spoiledSteps],
    /** Lets go of what has waited for the end, and waits for whatever still runs behind the workflow's back. */
    async endLife(orderId: string): Promise<void> {
      subject(orderId).over.resolve();
      await Promise.all(subject(orderId).runs);
    },
  };
}

type AnyFunction = (...args: unknown[]) => Promise<unknown>;

/** The operation of the provider that each payment step is about. */
const OPERATIONS: Partial<Record<StepName, keyof PaymentProvider>> = {
  authorizePayment: 'authorize',
  findAuthorization: 'find',
  capturePayment: 'capture',
  refundPayment: 'refund',
  voidPayment: 'void',
};

interface Subject {
  plan: Plan;
  /** The ends of the attempts at each step, and the arguments that make it another one. */
  steps: Map<string, { args: string; ends: Deferred[] }>;
  spoiledSteps: Set<string>;
  runs: Set<Promise<unknown>>;
  over: Deferred;
}

interface Running {
  subject: Subject;
  attempt: Attempt;
  end: () => void;
}

function newSubject(): Subject {
  return { plan: {}, steps: new Map(), spoiledSteps: new Set(), runs: new Set(), over: deferred() };
}

function begin(subject: Subject, name: StepName, args: unknown[]): Running {
  const step = stepOf(subject, name, JSON.stringify(args));
  const { ends } = subject.steps.get(step)!;
  if (ends.length === 0) ends.push(deferred());
  const end = ends.at(-1)!;
  const next = deferred();
  ends.push(next);
  const attempt: Attempt = {
    step,
    name,
    number: ends.length - 1,
    overtaken: next.promise,
    lifeOver: subject.over.promise,
    workflowId: Context.current().info.workflowExecution!.workflowId,
  };
  return { subject, attempt, end: end.resolve };
}

function stepOf({ steps }: Subject, name: StepName, args: string): string {
  for (let n = 1; ; n++) {
    const step = n === 1 ? name : `${name}#${n}`;
    const known = steps.get(step);
    if (!known) steps.set(step, { args, ends: [] });
    if (!known || known.args === args) return step;
  }
}

function spoiled({ subject, attempt }: Running, effect: () => Promise<unknown>) {
  const { plan, over, spoiledSteps } = subject;
  const { authorizing = 'answered', faults } = plan;
  const isUnanswered = () => attempt.name === 'authorizePayment' && !over.isResolved();
  const asUsual = () =>
    authorizing !== 'answered' && isUnanswered() ? withoutAnswer(authorizing, effect) : effect();
  const fault = faults?.get(attempt.step);
  if (!fault) return asUsual();
  spoiledSteps.add(attempt.step);
  return fault(attempt, asUsual);
}

/**
 * The delay is longer than the workflow's patience with the payment service, so that Temporal does not wait for the
 * next attempt but says at once that the time is over.
 */
async function withoutAnswer(authorizing: Authorizing, effect: () => Promise<unknown>): Promise<never> {
  if (authorizing === 'done but unanswered') await effect();
  throw ApplicationFailure.create({ message: 'The payment service does not answer.', nextRetryDelay: '1h' });
}

function mapMethods<T extends object>(
  methods: T,
  wrap: (name: keyof T, method: AnyFunction) => AnyFunction,
): T {
  const functions = Object.entries(methods).filter(([, value]) => typeof value === 'function');
  return Object.fromEntries(
    functions.map(([name, method]) => [name, wrap(name as keyof T, method as AnyFunction)]),
  ) as T;
}
