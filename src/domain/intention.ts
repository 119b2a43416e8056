import { amendedOrder } from './amendment';
import { withAnswer } from './command';
import { owedVoid, withOwed } from './compensation';
import { fulfilledOrder } from './fulfillment';
import type { ErrorRecord, IntendedFulfillment, Intention, Order, OrderPayment } from './order';
import { closedOrder, rejectedBecause } from './closing';
import { firstPayment, paymentRef } from './order-payment';
import { changeOrder } from './order-transitions';
import type { Captures, PaymentRef } from './payment';
import {
  actionRequiredOrder,
  cardSenderOf,
  isBeingPlaced,
  paidOrder,
  turnedDownOrder,
  withAttempt,
  type PaymentPolicy,
} from './paying';
import { refundedOrder } from './refund';
import { isRejectionType, REJECTION_CODES } from './rejection';

/** A call of the payment service that an order waits for. */
export interface PaymentTask {
  operation: 'authorize' | 'capture' | 'refund';
  payment: PaymentRef;
  /** Names the capture or the refund; an authorisation is named by the key of its payment. */
  key: string;
  /** In minor units. The payment service is not asked for 0. */
  amount: number;
  /** Of a capture: whether what is left of the payment is released. */
  isFinal?: boolean;
  /** The command that it is part of; null for placing the order. */
  commandId: string | null;
}

/** What became of a call of the payment service. */
export type PaymentOutcome =
  | {
      /** `action_required`: nothing is reserved until the customer has done what the bank asks for. */
      state: 'done' | 'action_required';
      /** The payment service's own id of the payment. */
      reference: string | null;
      /** Of an authorisation: how often it can be captured. */
      captures?: Captures;
    }
  | {
      /** `unanswered`: it is unknown whether something is reserved. In all other states nothing has changed. */
      state: 'declined' | 'rejected' | 'unanswered';
      error: ErrorRecord;
    };

/** Returns the call of the payment service that the order waits for, or null. */
export function paymentTaskOf(order: Order): PaymentTask | null {
  const { intention } = order;
  switch (intention?.kind) {
    case undefined:
      return isBeingPlaced(order) ? authorizing(order, firstPayment(order), null) : null;
    case 'amendment':
    case 'payment':
      return authorizing(order, intention.payment, intention.command.id);
    case 'fulfillment':
      return {
        ...ofCurrentPayment(order, intention, 'capture', captureKey(order, intention)),
        ...intention.capture,
      };
    case 'refund':
      return {
        ...ofCurrentPayment(order, intention, 'refund', intention.refund.id),
        amount: intention.refund.amount,
      };
  }
}

/** Customers who send a card themselves are there to do what the bank asks for. */
function authorizing(order: Order, payment: OrderPayment, commandId: string | null): PaymentTask {
  const { key, amount } = payment;
  const ref = paymentRef(order, payment);
  const isOnSession = cardSenderOf(order) === order.customerId;
  const asked = isOnSession ? { ...ref, isOnSession } : ref;
  return { operation: 'authorize', payment: asked, key, amount, commandId };
}

/** A payment may be captured several times, each time for another fulfillment. */
function captureKey({ payment }: Order, { fulfillment }: IntendedFulfillment): string {
  return `${payment!.key}-${fulfillment.id}`;
}

function ofCurrentPayment(
  order: Order,
  { command }: Intention,
  operation: PaymentTask['operation'],
  key: string,
): PaymentTask {
  const payment = paymentRef(order, order.payment!);
  return { operation, payment, key, amount: payment.amount, commandId: command.id };
}

/**
 * Returns the order after the call of the payment service that it waited for: placed or rejected, or with the
 * command carried out or turned down.
 * @throws {BusinessError} the order cannot be changed as it was intended, though the payment service agreed
 */
export function orderAfterPayment(
  order: Order,
  outcome: PaymentOutcome,
  at: string,
  policy: PaymentPolicy,
): Order {
  const { intention } = order;
  if (isFailed(outcome)) {
    return intention ? withoutIntention(order, outcome, at) : notPlaced(order, outcome, at, policy);
  }
  if (!intention) return paid(order, firstPayment(order), outcome, at, policy);
  const done = { ...carriedOut(order, intention, outcome, at, policy), intention: null };
  return withAnswer(done, intention.command, null, at);
}

function isFailed(outcome: PaymentOutcome): outcome is Failed {
  return outcome.state !== 'done' && outcome.state !== 'action_required';
}

function paid(order: Order, payment: OrderPayment, outcome: Done, at: string, policy: PaymentPolicy): Order {
  const answered = authorized(payment, outcome);
  if (outcome.state === 'done') return paidOrder(order, answered, at);
  return actionRequiredOrder(order, answered, at, policy);
}

function authorized(payment: OrderPayment, { reference, captures = payment.captures }: Done): OrderPayment {
  return { ...payment, reference, captures };
}

function notPlaced(order: Order, { state, error }: Failed, at: string, policy: PaymentPolicy): Order {
  const code = isRejectionType(error.type) ? REJECTION_CODES[error.type] : REJECTION_CODES.PaymentDeclined;
  if (state === 'declined' && code === REJECTION_CODES.PaymentDeclined) {
    const declined = { outcome: 'declined', reason: error.message } as const;
    return turnedDownOrder(order, firstPayment(order), declined, at, policy);
  }
  const rejection = { code, detail: error.message };
  return closedOrder(order, rejectedBecause(rejection, state === 'declined'), at);
}

function carriedOut(
  order: Order,
  intention: Intention,
  outcome: Done,
  at: string,
  policy: PaymentPolicy,
): Order {
  switch (intention.kind) {
    case 'amendment': {
      const { amendment, payment, by } = intention;
      return amendedOrder(order, amendment, authorized(payment, outcome), { at, by });
    }
    case 'fulfillment':
      return fulfilledOrder(order, intention.fulfillment, intention.capture, at);
    case 'refund':
      return refundedOrder(order, intention.refund, at);
    case 'payment':
      return paid(order, intention.payment, outcome, at, policy);
  }
}

type Done = Extract<PaymentOutcome, { reference: string | null }>;
type Failed = Extract<PaymentOutcome, { error: ErrorRecord }>;

/**
 * Returns the order with the command turned down. What may be reserved for an amendment has to be voided: a
 * capture or a refund is never left without an answer.
 */
export function withoutIntention(order: Order, { state, error }: Failed, at: string): Order {
  const intention = order.intention!;
  const withdrawn = { ...order, intention: null };
  const isAuthorizing = intention.kind === 'amendment' || intention.kind === 'payment';
  const mayBeReserved = isAuthorizing && intention.payment.amount > 0 && state !== 'declined';
  const next = mayBeReserved ? withOwed(withdrawn, owedVoid(intention.payment, at)) : withdrawn;
  if (intention.kind !== 'payment') return withAnswer(next, intention.command, error, at);
  const outcome = state === 'declined' ? 'declined' : 'unanswered';
  const noted = withAttempt(next, intention.payment, { outcome, reason: error.message, at });
  const told = changeOrder(noted, {}, { at, by: 'system', reason: null });
  const retryUntil = order.status === 'pending' && state === 'declined' ? order.retryUntil : null;
  return withAnswer(told, intention.command, { ...error, ...(retryUntil && { retryUntil }) }, at);
}

/**
 * Returns the order that another workflow resumes, after one was terminated or reset. An authorisation that was
 * interrupted is withdrawn; a capture or a refund stays to be finished, since the money may have moved.
 * @param runId of the workflow; it resumes the order once, however often the step runs
 */
export function resumedOrder(order: Order, runId: string, at: string): Order {
  if (order.resumedBy === runId) return order;
  const resumed = { ...order, resumedRevision: order.revision, resumedBy: runId };
  if (order.intention?.kind !== 'amendment' && order.intention?.kind !== 'payment') return resumed;
  return withoutIntention(resumed, INTERRUPTED, at);
}

/** The outcome for a command whose payment is not waited for any longer. */
export const INTERRUPTED: Failed = {
  state: 'unanswered',
  error: {
    type: 'Interrupted',
    message:
      'This was interrupted, so nothing was changed, and what may be reserved for it will be voided: read the ' +
      'order again, then repeat the request.',
  },
};

/** The outcome for a payment of which the payment service says nothing. */
export const UNANSWERED: Failed = {
  state: 'unanswered',
  error: {
    type: 'PaymentUnanswered',
    message: 'The payment service did not respond in time. Nothing is charged: place a new order later.',
  },
};

/** Tells whether a value is what the payment service has answered, and not something that came from elsewhere. */
export function isOutcome(value: unknown): value is PaymentOutcome {
  if (typeof value !== 'object' || value === null) return false;
  const { state, reference, error } = value as Record<string, unknown>;
  if (state === 'done' || state === 'action_required') return typeof reference === 'string';
  return NOT_DONE.has(state) && typeof (error as ErrorRecord | undefined)?.message === 'string';
}

const NOT_DONE: ReadonlySet<unknown> = new Set<PaymentOutcome['state']>([
  'declined',
  'rejected',
  'unanswered',
]);
