import { log } from '@temporalio/activity';
import { auditedOrigin } from '../src/domain/order-audit';
import {
  answerTo,
  madeBefore,
  requireMatch,
  requireNotOutdated,
  withAnswer,
  withoutAnswer,
  type Command,
} from '../src/domain/command';
import { BusinessError, IdempotencyKeyReused, OutdatedCommand, recordOf } from '../src/domain/errors';
import {
  orderAfterPayment,
  paymentTaskOf,
  type PaymentOutcome,
  type PaymentTask,
} from '../src/domain/intention';
import type { ErrorRecord, Fulfillment, Order, Refund } from '../src/domain/order';
import { answerOf, refusal, type OrderAnswer } from '../src/domain/order-summary';
import { isCurrentPayment } from '../src/domain/order-payment';
import { cardSenderOf, type PaymentPolicy } from '../src/domain/paying';
import type { PaymentRef } from '../src/domain/payment';
import { reconciledOrder, type CheckPayment } from '../src/domain/reconciling';
import type { PaymentDeclines } from '../src/payments/declines/payment-declines';
import type { PaymentProvider } from '../src/payments/payment-provider';
import type { Judge, OrderWriter } from './order-writer';
import { callProvider, inspect, within, type Inspection } from './payment-calls';

export interface OrderChangesDeps {
  writer: OrderWriter;
  /** How long orders wait for their customers. */
  policy: PaymentPolicy;
  declines: PaymentDeclines;
  /** Absent where the secrets of the payment service are kept from the workers of orders. */
  provider?: PaymentProvider;
}

/** A command and the order that it is for. */
export type Addressed<C> = C & {
  orderId: string;
  /** That of the order as the workflow knows it. If another workflow has resumed the order since, nothing is done. */
  resumedRevision?: number;
};

/** Whether the payment service may be called from within the step, while it answers at once. */
export interface Inline {
  inline: boolean;
}

export interface CarryOutOptions extends Partial<Inline> {
  /** What commands of this type have added to an order. */
  addedTo?(order: Order): readonly (Fulfillment | Refund)[];
  /** Whether the command is decided again, on what is available, if the stock lacks units. */
  copesWithShortage?: boolean;
  /** Adds to the answer what the history of the workflow has to tell. */
  complete?(answer: OrderAnswer, order: Order): OrderAnswer;
}

/** The outcome of a payment that came with many others: the API turns down those that come later. */
const NOT_TRIED: PaymentOutcome = {
  state: 'declined',
  error: {
    type: 'PaymentDeclined',
    message:
      'Too many payments were declined, so this one was not tried, and nothing is charged: try again in an hour.',
  },
};

export type OrderChanges = ReturnType<typeof createOrderChanges>;

/** Beyond this, the payment is left to the payments queue, which shows in Temporal what it waits for. */
const INLINE_PAYMENT_MS = 2_500;

/** Changes orders as commands and payments make it necessary. */
export function createOrderChanges({ writer, policy, declines, provider }: OrderChangesDeps) {
  async function change(orderId: string, judge: Judge, known?: Order, command?: Command): Promise<Order> {
    const order = await writer.change(orderId, judge, known, command);
    if (!order) throw new Error(`Order ${orderId} is missing in MongoDB.`);
    return order;
  }

  /** Has the payment service do what the order waits for, if it may be called here and answers at once. */
  async function payInline(order: Order, { inline = false }: Partial<Inline>): Promise<Order> {
    const task = paymentTaskOf(order);
    if (!task) return order;
    const by = cardSenderOf(order);
    if (by !== null && declines.isAtLimit({ by, customerId: order.customerId }))
      return afterPayment(order.id, task, NOT_TRIED, order);
    if (task.amount > 0 && !(inline && provider)) return order;
    const outcome = await within({
      timeoutMs: INLINE_PAYMENT_MS,
      work: callProvider({ provider: provider!, task }),
    });
    return outcome ? afterPayment(order.id, task, outcome, order) : order;
  }

  /** Asks the payment service for its record, if it may be called here and answers at once. */
  async function inspectInline(payment: PaymentRef, { inline }: Inline): Promise<Inspection | null> {
    if (!inline || !provider) return null;
    return within({ timeoutMs: INLINE_PAYMENT_MS, work: inspect({ provider, payment }) });
  }

  /**
   * Saves what the payment service's record of its current payment makes of the order.
   * @param known the order as it was read before the record
   */
  async function reconcile(
    known: Order,
    { paymentKey, passed }: Pick<CheckPayment, 'paymentKey' | 'passed'>,
    { found }: Inspection,
  ): Promise<Order> {
    if (found?.status === 'declined') await countFailedAction(known, paymentKey);
    const judge: Judge = (order, at) =>
      isCurrentPayment(order, paymentKey) ? reconciledOrder(order, found, { at, policy, passed }) : order;
    return change(known.id, judge, known);
  }

  /** Counts a payment that was declined for who has sent it; an amendment tries no other card. */
  async function countDecline(orderId: string, task: PaymentTask, known?: Order): Promise<void> {
    const order = known ?? (await change(orderId, (same) => same));
    const by = isWaitingFor(order, task) ? cardSenderOf(order) : null;
    if (by !== null) await declines.add({ _id: task.key, by });
  }

  /** Counts a payment that failed when the customer was to confirm it, which only customers are asked for. */
  async function countFailedAction({ paymentStatus, customerId }: Order, paymentKey: string): Promise<void> {
    if (paymentStatus === 'action_required') await declines.add({ _id: paymentKey, by: customerId });
  }

  /** Saves the outcome of a call of the payment service, and what it makes of the order. */
  async function afterPayment(
    orderId: string,
    task: PaymentTask,
    outcome: PaymentOutcome,
    known?: Order,
  ): Promise<Order> {
    const judge: Judge = (order, at, short) => {
      // An earlier run has recorded it, or the order was resumed meanwhile.
      if (!isWaitingFor(order, task)) return order;
      // Who is stopped from trying cards, or has too many unpaid orders, is not invited to try another.
      const isLast = outcome === NOT_TRIED || short;
      const patience = isLast ? { ...policy, retryWindowMs: 0 } : policy;
      const isPossible = !short || (outcome.state === 'declined' && !order.intention);
      const allowed = isPossible ? outcome : ({ state: 'rejected', error: recordOf(short.error) } as const);
      return orderAfterPayment(order, allowed, at, patience);
    };
    // First of all: a run that finds the order as this one has left it does not come here.
    if (outcome.state === 'declined' && outcome !== NOT_TRIED) await countDecline(orderId, task, known);
    return change(orderId, judge, known);
  }

  /**
   * Carries out a command, unless the order has answered it before or has to finish another one first.
   * @param decide makes the order that results, or throws a `BusinessError`; it is told what is available if the stock
   * lacks units and the command copes with that
   */
  async function carryOut<C extends Command>(
    command: Addressed<C>,
    decide: (order: Order, at: string, available?: ReadonlyMap<string, number>) => Order,
    { inline, addedTo = () => [], complete = (answer) => answer, copesWithShortage }: CarryOutOptions = {},
  ): Promise<OrderAnswer> {
    let unremembered: ErrorRecord | null = null;
    // A worker that was frozen may wake up when another workflow has resumed the order.
    const isSuperseded = ({ resumedRevision }: Order) =>
      resumedRevision !== (command.resumedRevision ?? resumedRevision);
    const judge: Judge = (stored, at, short) => {
      unremembered = null;
      try {
        const isAnswered = answerTo(stored, command) ?? madeBefore(addedTo(stored), command);
        if (isAnswered || stored.intention || isSuperseded(stored)) return stored;
        if (short && !copesWithShortage) throw short.error;
        requireNotOutdated(stored, command);
        requireMatch(stored, command);
        const next = decide(stored, at, short?.available);
        if (!next.intention) return withAnswer(next, command, null, at);
        const origin = auditedOrigin(stored, command);
        const intention = { ...next.intention, ...(origin && { origin }) };
        return withoutAnswer({ ...next, intention }, command.id);
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error;
        const isAboutThisAttempt = error instanceof IdempotencyKeyReused || error instanceof OutdatedCommand;
        if (!isAboutThisAttempt) return withAnswer(stored, command, recordOf(error), at);
        unremembered = recordOf(error);
        return stored;
      }
    };
    let order = await change(command.orderId, judge, undefined, command);
    if (unremembered) return refusal(order, unremembered);
    if (order.intention && !isSuperseded(order)) order = await payInline(order, { inline });
    const answer = answerOf(order, command.id);
    const { version, status } = order;
    const error = answer.answer?.error?.type ?? null;
    log.info('command answered', { command: command.id, version, status, error });
    return complete(answer, order);
  }

  return { change, payInline, inspectInline, reconcile, afterPayment, carryOut };
}

/** Returns whether the order waits for the outcome of this call of the payment service. */
function isWaitingFor(order: Order, { key, commandId }: PaymentTask): boolean {
  const waiting = paymentTaskOf(order);
  return waiting?.key === key && waiting.commandId === commandId;
}
