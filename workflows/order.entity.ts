import { allHandlersFinished, CancellationScope, setHandler } from '@temporalio/workflow';
import type { Command } from '../src/domain/command';
import {
  requireUnsettled,
  unsettled,
  type ResolveCompensation,
  type RetryCompensation,
} from '../src/domain/compensation';
import { InvalidTransition } from '../src/domain/errors';
import type { Order, OrderRequest } from '../src/domain/order';
import { isSameWrite } from '../src/domain/same-write';
import { createCompensations } from './compensations';
import type { CommandDone, CommandType, OrderPolicy } from './contract';
import { asFailure, rejecting } from './failures';
import { createHistoryLimit } from './history-limit';
import { createMutex } from './mutex';
import { createOrderDisplay } from './order.display';
import { closingSteps, steps, undoSteps } from './order.steps';
import { createPaymentSteps } from './payment.steps';

export type OrderEntity = ReturnType<typeof createOrderEntity>;

/** When a command is done: once the order is saved, or once its compensations have been tried as well. */
type Until = 'committed' | 'compensated';

/** Thrown when another writer changed the order: what was to be saved has to be decided again. */
class Superseded extends Error {}

/**
 * The order that a workflow holds, and the only way to change it. Changes run one at a time. Each is saved
 * before it is shown, and starts the compensations that it makes necessary.
 * @param carried the order, in a run that continues another as new
 */
export function createOrderEntity(request: OrderRequest, policy: OrderPolicy, carried?: Order) {
  const oneAtATime = createMutex();
  const display = createOrderDisplay();
  const undo = undoSteps(display.showStuck);
  const closing = closingSteps({
    onCancellationStuck: display.showStuck,
    onDeliveryStuck: display.showDelayed,
  });
  const payments = createPaymentSteps(policy.paymentsTaskQueue);
  const history = createHistoryLimit();
  const compensations = createCompensations({
    voidPayment: ({ payment }, attempts) => payments.void(current(), payment, attempts),
    onAttempt: history.note,
    record,
    now,
  });
  let order: Order | undefined;
  let started: Promise<unknown> = Promise.resolve();
  if (carried) adopt(carried);

  function current(): Order {
    return order!;
  }

  /** Continues from the order as it is stored. */
  function adopt(stored: Order): Order {
    history.note();
    order = stored;
    display.show(order);
    compensations.start(unsettled(order));
    return order;
  }

  /** Places or loads the order, before any command. */
  function start(load: () => Promise<Order>): Promise<Order> {
    const loaded = oneAtATime(async () => adopt(await load()));
    started = loaded;
    return loaded;
  }

  /** Saves the next version of the order. @throws {Superseded} */
  async function commit(next: Order, save: (next: Order) => Promise<Order | null>): Promise<void> {
    const stored = await save(next);
    adopt(stored ?? next);
    if (stored && !isSameWrite(stored, next)) throw new Superseded();
  }

  /** Runs a change to its end, and again if another writer changed the order in the meantime. */
  async function untilCommitted(change: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await CancellationScope.nonCancellable(change);
      } catch (error) {
        if (!(error instanceof Superseded)) throw error;
      }
    }
  }

  /** Runs a change when it is its turn. */
  function inTurn(change: () => Promise<void>): Promise<void> {
    return oneAtATime(() => untilCommitted(change));
  }

  function record(change: (order: Order) => Order): Promise<void> {
    return inTurn(async () => {
      const next = change(current());
      if (next !== current()) await commit(next, steps.recordCompensation);
    });
  }

  /**
   * Returns whether the caller has read a version of the order that this workflow does not know. An update is
   * durable only with the workflow task that accepts it, and a local activity runs within that task: if
   * Temporal dies at that moment, the order is written, and nothing tells this workflow.
   */
  function isBehind({ seenVersion }: Command): boolean {
    return order !== undefined && seenVersion > order.version;
  }

  async function catchUp(): Promise<void> {
    const stored = await CancellationScope.nonCancellable(() => steps.loadOrder(request));
    if (stored.version > current().version) adopt(stored);
  }

  /** Rejects a command that cannot succeed before the update is accepted. */
  function validator<C extends Command>({ check }: CommandType<C>): (command: C) => void {
    return rejecting((command) => {
      history.requireOpen();
      if (order && !isBehind(command)) check(order, command);
    });
  }

  /** Carries out the commands of one type. */
  function handle<C extends Command>(
    type: CommandType<C>,
    run: (order: Order, command: C) => Promise<void>,
    until: Until = 'committed',
  ): void {
    const carryOut = async (command: C): Promise<CommandDone> => {
      history.note();
      let isFirstRun = true;
      try {
        await inTurn(async () => {
          if (!order) throw new InvalidTransition('The order does not exist: placing it has failed.');
          if (isFirstRun && isBehind(command)) await catchUp();
          isFirstRun = false;
          type.check(current(), command);
          await run(current(), command);
        });
      } catch (error) {
        throw asFailure(error);
      }
      if (until === 'compensated') await compensations.tried();
      return { version: current().version };
    };
    setHandler(type.update, carryOut, { validator: validator(type) });
  }

  /** Carries out an operator's wish, which takes effect while the compensation is under way. */
  async function asOperator<C extends RetryCompensation>(
    command: C,
    ask: (command: C) => Promise<void>,
  ): Promise<CommandDone> {
    history.note();
    await started;
    if (isBehind(command)) await oneAtATime(catchUp);
    rejecting(requireUnsettled)(current(), command);
    await ask(command);
    return { version: current().version };
  }

  return {
    request,
    undo,
    closing,
    payments,
    current,
    isStarted: () => order !== undefined,
    start,
    adopt,
    commit,
    untilCommitted,
    inTurn,
    handle,
    validator,
    requireOpen: history.requireOpen,
    retryCompensation: (command: RetryCompensation) => asOperator(command, compensations.requestRetry),
    resolveCompensation: (command: ResolveCompensation) =>
      asOperator(command, compensations.requestResolution),
    /** Shows in the Temporal UI what the workflow is doing. */
    say: display.say,
    isIdle: () => allHandlersFinished() && compensations.isIdle(),
    /**
     * Returns whether the history is long, and nothing is under way that the next run could not start again.
     */
    canContinueAsNew: () => history.isFull() && allHandlersFinished() && compensations.isQuiet(),
  };
}

/** Returns the time at which the current workflow task began, ISO 8601. */
export function now(): string {
  return new Date().toISOString();
}
