import { allHandlersFinished, CancellationScope, setHandler } from '@temporalio/workflow';
import type { Command } from '../src/domain/command';
import { unsettled } from '../src/domain/compensation';
import type { Order, OrderRequest } from '../src/domain/order';
import { InvalidTransition } from '../src/domain/errors';
import { isSameWrite } from '../src/domain/same-write';
import { createCompensator } from './compensations';
import type { CommandDone, CommandType, OrderPolicy } from './contract';
import { asFailure, refusing } from './failures';
import { createHistoryLimit } from './history-limit';
import { createOrderDisplay } from './order.display';
import { closingSteps, steps, undoSteps } from './order.steps';
import { createPaymentSteps } from './payment.steps';
import { serial } from './mutex';

export type OrderSession = ReturnType<typeof createOrderSession>;

/** When a command is answered: as soon as the order is saved, or when what it owes then was tried. */
type Until = 'committed' | 'undone';

/** Somebody else wrote the order: what was to be saved has to be decided again. */
class Superseded extends Error {}

/**
 * One order in the hands of one workflow: the order as it stands, and the only way to change it. What changes it is
 * done one after the other, saved before it is shown, and followed by what it makes owed.
 */
export function createOrderSession(request: OrderRequest, policy: OrderPolicy, carried?: Order) {
  const oneAtATime = serial();
  const display = createOrderDisplay();
  const undo = undoSteps(display.showStuck);
  const closing = closingSteps({ ofCancellation: display.showStuck, ofDelivery: display.showDelayed });
  const payments = createPaymentSteps(policy.paymentsTaskQueue);
  const history = createHistoryLimit();
  const compensator = createCompensator({
    attempt: ({ payment }, attempts) => payments.void(current(), payment, attempts),
    attempted: history.note,
    record,
    now,
  });
  let order: Order | undefined;
  if (carried) take(carried);

  function current(): Order {
    return order!;
  }

  /** Goes on from the order as it is stored now. */
  function take(stored: Order): Order {
    history.note();
    order = stored;
    display.show(order);
    compensator.start(unsettled(order));
    return order;
  }

  /** Saves the next version of the order. @throws {Superseded} */
  async function commit(next: Order, save: (next: Order) => Promise<Order | null>): Promise<void> {
    const other = await save(next);
    take(other ?? next);
    if (other && !isSameWrite(other, next)) throw new Superseded();
  }

  /** Runs it to its end, again when somebody else wrote the order meanwhile. */
  async function untilCommitted(run: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await CancellationScope.nonCancellable(run);
      } catch (error) {
        if (!(error instanceof Superseded)) throw error;
      }
    }
  }

  /** Has it done after what was asked for before. */
  function inTurn(run: () => Promise<void>): Promise<void> {
    return oneAtATime(() => untilCommitted(run));
  }

  function record(change: (order: Order) => Order): Promise<void> {
    return inTurn(async () => {
      const next = change(current());
      if (next !== current()) await commit(next, steps.recordCompensation);
    });
  }

  /**
   * Whether the order was seen in a version that is not known here. An update is durable only with the workflow task
   * that accepts it, and a local activity runs within that task: were Temporal to die just then, the order would be
   * written, and nothing would come to tell.
   */
  function isBehind({ seenVersion }: Command): boolean {
    return order !== undefined && seenVersion > order.version;
  }

  async function catchUp(): Promise<void> {
    const stored = await CancellationScope.nonCancellable(() => steps.loadOrder(request));
    if (stored.version > current().version) take(stored);
  }

  /**
   * Has a command done.
   * @param check what the order must be like; throws a BusinessError
   * @param until `undone`: waits until what is owed was tried, too
   */
  async function perform<C extends Command>(
    command: C,
    check: (order: Order, command: C) => void,
    run: (order: Order, command: C) => Promise<void>,
    until: Until = 'committed',
  ): Promise<CommandDone> {
    history.note();
    let isAsked = true;
    try {
      await inTurn(async () => {
        if (!order) throw new InvalidTransition('There is no order: placing it has failed.');
        if (isAsked && isBehind(command)) await catchUp();
        isAsked = false;
        check(current(), command);
        await run(current(), command);
      });
    } catch (error) {
      throw asFailure(error);
    }
    if (until === 'undone') await compensator.attempted();
    return { version: current().version };
  }

  /** Answers the update when it is done; what is hopeless from the start is not even accepted. */
  function on<C extends Command>(
    { update, check }: CommandType<C>,
    run: (order: Order, command: C) => Promise<void>,
    until?: Until,
  ): void {
    setHandler(update, (command) => perform(command, check, run, until), {
      validator: refusing((command: C) => {
        history.requireOpen();
        if (order && !isBehind(command)) check(order, command);
      }),
    });
  }

  return {
    request,
    display,
    history,
    undo,
    closing,
    payments,
    compensator,
    oneAtATime,
    current,
    take,
    isBehind,
    catchUp,
    commit,
    untilCommitted,
    inTurn,
    on,
    isTaken: () => order !== undefined,
    /** Nothing is under way that would be lost with this run of the workflow. */
    isQuiet: () => allHandlersFinished() && compensator.isQuiet(),
    isIdle: () => allHandlersFinished() && compensator.isIdle(),
  };
}

/** ISO 8601; in a workflow, when its task began. */
export function now(): string {
  return new Date().toISOString();
}
