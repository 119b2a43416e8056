import { allHandlersFinished, CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import type { Inline, Addressed } from '../activities/order-changes';
import { isCancellable, type CancelOrder } from '../src/domain/closing';
import { matches, type Command } from '../src/domain/command';
import {
  noSuchCompensation,
  type ResolveCompensation,
  type RetryCompensation,
} from '../src/domain/compensation';
import { recordOf, StaleVersion } from '../src/domain/errors';
import type { OrderRequest } from '../src/domain/order';
import type { OrderAnswer, OrderSummary, PlacedAnswer } from '../src/domain/order-summary';
import { INTERRUPTED } from '../src/domain/intention';
import { isClosed } from '../src/domain/order-transitions';
import { isBeingPlaced, type CustomerWait } from '../src/domain/paying';
import type { PaymentRef } from '../src/domain/payment';
import type { CheckPayment } from '../src/domain/reconciling';
import { createCompensations } from './compensations';
import { COMMANDS, type Beginning, type CommandDone, type OrderPolicy } from './contract';
import { asFailure } from './failures';
import { createHandover } from './handover';
import { createInterruptible } from './interruptible';
import { createMutex } from './mutex';
import { createOrderDisplay, type Story } from './order.display';
import { createOrderLog } from './order.log';
import { createOrderSteps, type OrderSteps } from './order.steps';
import { createPaymentSteps, describePayment } from './payment.steps';

export type OrderEntity = ReturnType<typeof createOrderEntity>;

/** A step that carries out a command; it is sent again if another command had to be finished first. */
export type CommandStep<C extends Command> = (
  steps: OrderSteps,
  command: Addressed<C>,
  context: { order: OrderSummary; inline: Inline },
) => Promise<OrderAnswer>;

/**
 * What a workflow knows of its order, and the only way to change it. The document decides: each step loads the order,
 * decides on it and answers with a summary. Steps run one at a time, and what they make the order owe is started.
 * @param story what the run before has handed over, if there was one
 */
export function createOrderEntity(
  request: OrderRequest,
  policy: OrderPolicy,
  beginning: Beginning,
  story?: Story,
) {
  const { orderId, requestId } = request;
  const inline: Inline = { inline: policy.inlinePayments };
  const oneAtATime = createMutex();
  const display = createOrderDisplay(request, policy, beginning, story);
  const orderLog = createOrderLog(requestId, beginning);
  const steps = createOrderSteps({
    onBegin: display.doing,
    onCompensationStuck(step, failure) {
      display.showStuck(step, failure);
      orderLog.delayed(step);
    },
    onDelayed(step, failure) {
      display.showDelayed(step, failure);
      orderLog.delayed(step);
    },
  });
  const payments = createPaymentSteps(request, policy);
  const handover = createHandover();
  const authorizing = createInterruptible();
  const compensations = createCompensations({
    settle: (owed, attempts) => payments.settle(owed, attempts).finally(handover.note),
    record: (step, event) =>
      inTurn(async () => void learn(await steps.recordCompensation({ orderId, requestId, step }, event))),
    resolve: (command) =>
      inTurn(async () => {
        const step = () => steps.resolveCompensation(on(command));
        return (await repeatUntilAnswered(command, step)).answer!.error;
      }),
  });
  let order: OrderSummary | undefined;
  let isBegun = false;

  /** Takes over what a step has answered. */
  function learn<T extends OrderSummary>(answer: T): T {
    handover.note();
    order = answer;
    display.show(order);
    orderLog.note(order);
    compensations.follow(answer.owed);
    return answer;
  }

  /** Addresses a command to the order as this workflow knows it. */
  function on<C extends Command>(command: C): Addressed<C> {
    return { ...command, orderId, resumedRevision: order?.resumedRevision };
  }

  /** Runs work when it is its turn, to its end. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    return oneAtATime(() => CancellationScope.nonCancellable(work));
  }

  /** Has the payment service do what a command waits for, and saves what becomes of the order. */
  async function settlePayment({ toPay }: OrderSummary): Promise<OrderAnswer> {
    const pay = () => payments.pay(toPay!);
    display.doing(describePayment(toPay!));
    const outcome = toPay!.operation === 'authorize' ? await authorizing.run(pay) : await pay();
    handover.note();
    return learn(await steps.recordPayment(payments.callFor(toPay!), outcome ?? INTERRUPTED));
  }

  /** Begins the order, before any command. A cancellation interrupts this; if it is turned down, placing continues. */
  async function begin(): Promise<void> {
    await inTurn(async () => {
      if (beginning === 'place') return place();
      return continueWith(beginning === 'resume' ? await resume() : await steps.loadOrder(request));
    });
    while (!order || isBeingPlaced(order)) {
      await CancellationScope.nonCancellable(() => condition(() => !authorizing.isInterrupted()));
      await inTurn(() => continueWith(order?.version ? order : null));
    }
    isBegun = true;
  }

  /** Resolves when the order is placed or resumed. */
  const begun = () => CancellationScope.nonCancellable(() => condition(() => isBegun));

  /** Runs work on an order that is placed, when it is its turn. */
  async function onceBegun<T>(work: () => Promise<T>): Promise<T> {
    await begun();
    return inTurn(work);
  }

  /** Returns the order as it is stored, with what was interrupted; null if it was never saved. */
  function resume(): Promise<OrderSummary | null> {
    return steps.resumeOrder(request, workflowInfo().runId);
  }

  /** Continues with the order as it was found. @param found null if it was never saved */
  async function continueWith(found: OrderSummary | null): Promise<void> {
    if (!found) return place();
    learn(found);
    if (isBeingPlaced(found)) return authorizeFirst(found);
    if (found.toPay) await settlePayment(found);
  }

  /** Places the order in one step, or in as many as it takes. */
  async function place(): Promise<void> {
    if (authorizing.isInterrupted()) return;
    const {
      isNew,
      snapshot: _snapshot,
      took,
      ...opened
    }: PlacedAnswer = (await steps.placeOrder(request, inline)) ?? (await steps.openOrder(request));
    if (opened.answer!.error) throw asFailure(opened.answer!.error);
    if (!isNew) return continueWith(await resume());
    display.keepTimes(took);
    await authorizeFirst(learn(opened));
  }

  /** Authorises the payment of an order that is not placed yet, unless someone cancels it meanwhile. */
  async function authorizeFirst(opened: OrderSummary): Promise<void> {
    if (!isBeingPlaced(opened)) return;
    display.doing(describePayment(opened.toPay!));
    const outcome = await authorizing.run(() => payments.pay(opened.toPay!));
    handover.note();
    if (outcome) learn(await steps.recordPayment(payments.callFor(opened.toPay!), outcome));
  }

  async function carryOut<C extends Command>(command: C, step: CommandStep<C>): Promise<OrderAnswer> {
    handover.note();
    return onceBegun(() =>
      repeatUntilAnswered(command, () => step(steps, on(command), { order: order!, inline })),
    );
  }

  /** Takes a step until the order has answered the command. */
  async function repeatUntilAnswered(
    { id }: Command,
    step: () => Promise<OrderAnswer>,
  ): Promise<OrderAnswer> {
    for (;;) {
      const answered = learn(await step());
      if (answered.answer) return answered;
      if (!answered.toPay?.commandId) continue; // another workflow has resumed the order meanwhile
      // The order waits for the payment of this command, or of another one that was interrupted.
      const isOwn = answered.toPay.commandId === id;
      const paid = await settlePayment(answered);
      if (isOwn && paid.answer) return paid;
    }
  }

  /**
   * Cancels the order, also before it is placed: what authorises a payment ends as soon as it can.
   * @param commandFor returns the command when it is its turn, or null if there is nothing to cancel any more
   */
  async function cancelled(commandFor: () => CancelOrder | null): Promise<OrderAnswer | null> {
    const release = authorizing.interrupt();
    return inTurn(async () => {
      const command = commandFor();
      return command && repeatUntilAnswered(command, () => steps.cancelOrder(on(command), request));
    }).finally(release);
  }

  /** Brings the order in line with what the payment service knows of the payment. Returns null if that does not answer. */
  function checkPayment(command: CheckPayment): Promise<OrderSummary | null> {
    handover.note();
    return onceBegun(async () => {
      for (;;) {
        const asked = learn(await steps.checkPayment(on(command), inline));
        if (asked.toPay?.commandId) await settlePayment(asked);
        else if (!asked.toInspect) return asked;
        else return checkedBy(command, asked.toInspect);
      }
    });
  }

  /** Asks on the payments queue, unless someone cancels the order meanwhile, and brings the order in line with the answer. */
  async function checkedBy(command: CheckPayment, payment: PaymentRef): Promise<OrderSummary | null> {
    display.doing('Ask the payment service what became of the payment');
    const inspected = await authorizing.run(() => payments.inspect(payment));
    display.doing(null);
    handover.note();
    // A deadline that has passed ends the payment without an answer, too: it is voided.
    if (!inspected && (!command.passed || authorizing.isInterrupted())) return null;
    return learn(
      await steps.checkPayment(on(command), { ...inline, inspected: inspected ?? { found: null } }),
    );
  }

  return {
    request,
    begin,
    carryOut,
    current: () => order,
    async cancel(command: CancelOrder): Promise<OrderAnswer> {
      handover.note();
      return (await cancelled(() => command))!;
    },

    checkPayment,

    /** Looks at the payment that waits for the customer. @param passed whether their time is over */
    async askAgain({ paymentKey, until }: CustomerWait, passed: boolean): Promise<void> {
      const seenRevision = Number.MAX_SAFE_INTEGER;
      const command = { id: `ask-${paymentKey}`, by: 'system', requestId, seenRevision, paymentKey };
      await checkPayment(passed ? { ...command, passed: until } : command);
    },

    /** Saves that the order was not paid with another card in time. */
    giveUpPayment: ({ until }: CustomerWait) =>
      inTurn(async () => void learn(await steps.giveUpPayment({ orderId, requestId }, until))),

    /** Saves that the rest of the order waits longer than its policy allows. */
    markOverdue: (since: string) =>
      inTurn(async () => void learn(await steps.markOverdue({ orderId, requestId }, since))),

    /** Cancels the order for the system, if nothing of it is fulfilled. */
    async cancelBySystem(reason: string): Promise<void> {
      display.note('cancelled by the system', reason);
      await cancelled(() => {
        if (order && !isCancellable(order)) return null;
        const id = `system-${order?.version ?? 0}`;
        const seenRevision = Number.MAX_SAFE_INTEGER;
        return { id, by: 'system', reason, requestId, seenRevision, unlessBegun: true };
      });
    },

    retryCompensation: (command: RetryCompensation) =>
      asOperator('retryCompensation', command, compensations.requestRetry),
    resolveCompensation: (command: ResolveCompensation) =>
      asOperator('resolveCompensation', command, compensations.requestResolution),
    /** Resolves when the compensations that are under way have been tried. */
    compensated: compensations.tried,
    /** Resolves when the order is placed or resumed, and what it has owed since then has been tried. */
    async compensatedOnceBegun(): Promise<void> {
      await begun();
      await compensations.tried();
    },

    /** Looks whether the workflow belongs on another version of the code by now. */
    lookForVersion: handover.note,
    /** Learns what others have written meanwhile. */
    lookAgain: () => inTurn(async () => void learn(await steps.loadOrder(request))),
    /**
     * @param interrupts whether the update would end the wait for a payment, which keeps the next run from beginning
     * @throws a failure after which the same update, sent again, reaches the next run
     */
    requireOpen(interrupts = false): void {
      if (!interrupts || !authorizing.isRunning()) handover.requireOpen();
    },
    note: display.note,
    report: display.report,
    timeline: display.timeline,
    story: display.story,
    isIdle: () => allHandlersFinished() && compensations.isIdle(),
    isFinished: () =>
      order !== undefined && isClosed(order) && allHandlersFinished() && compensations.isIdle(),
    /**
     * Returns whether another run is to continue, and nothing is under way that the next run could not start again.
     */
    canContinueAsNew: () => handover.isDue() && allHandlersFinished() && compensations.isQuiet(),
  };

  /** Carries out an operator's wish, which takes effect while the compensation is under way. */
  async function asOperator<C extends RetryCompensation>(
    name: 'retryCompensation' | 'resolveCompensation',
    command: C,
    ask: (command: C) => Promise<void>,
  ): Promise<CommandDone> {
    handover.note();
    await onceBegun(async () => {
      if (!compensations.isUnderWay(command.step)) learn(await steps.loadOrder(request));
    });
    if (!compensations.isUnderWay(command.step)) throw asFailure(recordOf(noSuchCompensation()));
    const { version } = order!;
    if (!matches({ version }, command)) throw asFailure(recordOf(new StaleVersion(version)), version);
    await ask(command);
    display.note('command', `${COMMANDS[name].update.name}: done`);
    return { version: order!.version };
  }
}
