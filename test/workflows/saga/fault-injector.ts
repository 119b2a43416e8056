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
  /** The name and, if the order has had this step with other arguments before, a number: `fulfillOrder#2`. */
  step: string;
  name: StepName;
  /** Counts from 1. */
  number: number;
  workflowId: string;
  /** Resolves when the next attempt has ended. */
  overtaken: Promise<void>;
  /** Resolves when the test ends the scenario. */
  scenarioOver: Promise<void>;
}

/** Runs instead of a step, and mostly calls `effect`, which is the step itself. */
export type Fault = (attempt: Attempt, effect: () => Promise<unknown>) => Promise<unknown>;

/** How the payment service reacts when the payment of an order is authorised. */
export type Authorizing = 'response' | 'done without a response' | 'no response';

export interface Plan {
  authorizing?: Authorizing;
  /** The faults, by step. */
  faults?: ReadonlyMap<string, Fault>;
}

export type FaultInjector = ReturnType<typeof createFaultInjector>;

/** Observes the steps of each order and injects the planned faults; those of payments at the provider. */
export function createFaultInjector() {
  const subjects = new Map<string, Subject>();
  const current = new AsyncLocalStorage<Running>();
  const subject = (orderId: string): Subject => {
    const known = subjects.get(orderId) ?? newSubject();
    subjects.set(orderId, known);
    return known;
  };

  function faultyActivity(name: StepName, run: AnyFunction): AnyFunction {
    return (...args) => {
      const { orderId, by, passed } = args[0] as { orderId: string; by?: string; passed?: string };
      // How often a workflow asks about a payment that waits for its customer depends on the time that this takes.
      if (name === 'checkPayment' && by === 'system' && passed === undefined) return run(...args);
      const running = begin(subject(orderId), name, args);
      const work = () => (name in OPERATIONS ? run(...args) : withFault(running, () => run(...args)));
      const result = current.run(running, work).finally(running.end);
      running.subject.runs.add(result.catch(() => undefined));
      return result;
    };
  }

  function faultyOperation(operation: keyof PaymentProvider, run: AnyFunction): AnyFunction {
    return (...args) => {
      const running = current.getStore()!;
      const effect = () => run(...args);
      // An activity may call other operations than the one that it is named after.
      return OPERATIONS[running.attempt.name] === operation ? withFault(running, effect) : effect();
    };
  }

  const sabotage: Sabotage = {
    activities: (activities) => mapMethods(activities, faultyActivity),
    provider: (provider) => ({
      ...mapMethods(provider, faultyOperation),
      name: provider.name,
      captures: provider.captures,
    }),
  };

  return {
    sabotage,
    plan: (orderId: string, plan: Plan) => void (subject(orderId).plan = plan),
    /** Returns the steps of the order so far, without repetitions. */
    stepsOf: (orderId: string) => [...subject(orderId).steps.keys()],
    faultyStepsOf: (orderId: string) => [...subject(orderId).faultySteps],
    /** Releases the attempts that wait for the end, and waits until all attempts have ended. */
    async endScenario(orderId: string): Promise<void> {
      subject(orderId).over.resolve();
      await Promise.all(subject(orderId).runs);
    },
  };
}

type AnyFunction = (...args: unknown[]) => Promise<unknown>;

/** The operation of the provider that each payment step is named after. */
const OPERATIONS: Partial<Record<StepName, keyof PaymentProvider>> = {
  authorizePayment: 'authorize',
  findAuthorization: 'find',
  inspectPayment: 'find',
  capturePayment: 'capture',
  refundPayment: 'refund',
  voidPayment: 'void',
  releasePayment: 'release',
  payBack: 'refund',
};

interface Subject {
  plan: Plan;
  /** The attempts at each step, by their ends, and the arguments that identify the step. */
  steps: Map<string, { args: string; ends: Deferred[] }>;
  faultySteps: Set<string>;
  runs: Set<Promise<unknown>>;
  over: Deferred;
}

interface Running {
  subject: Subject;
  attempt: Attempt;
  end: () => void;
}

function newSubject(): Subject {
  return { plan: {}, steps: new Map(), faultySteps: new Set(), runs: new Set(), over: deferred() };
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
    scenarioOver: subject.over.promise,
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

function withFault({ subject, attempt }: Running, effect: () => Promise<unknown>) {
  const { plan, over, faultySteps } = subject;
  const { authorizing = 'response', faults } = plan;
  const hasNoResponse = () => attempt.name === 'authorizePayment' && !over.isResolved();
  const asUsual = () =>
    authorizing !== 'response' && hasNoResponse() ? withoutResponse(authorizing, effect) : effect();
  const fault = faults?.get(attempt.step);
  if (!fault) return asUsual();
  faultySteps.add(attempt.step);
  return fault(attempt, asUsual);
}

/** Fails as the last attempt does, since the attempts before it would take two minutes. */
async function withoutResponse(authorizing: Authorizing, effect: () => Promise<unknown>): Promise<never> {
  if (authorizing === 'done without a response') await effect();
  throw ApplicationFailure.nonRetryable('The payment service does not respond.');
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
