/** The contract between the API, the workers and the workflows. A change has to suit two releases at once. */
import { defineSearchAttributeKey, SearchAttributeType, type UpdateDefinition } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { requireAmendable, type AmendOrder } from '../src/domain/amendment';
import {
  requireArchivable,
  requireCancellable,
  type ArchiveOrder,
  type CancelOrder,
} from '../src/domain/closing';
import type { Command } from '../src/domain/command';
import { SHAPES, type Shape } from '../src/domain/command-shapes';
import {
  requireUnsettled,
  type ResolveCompensation,
  type RetryCompensation,
} from '../src/domain/compensation';
import {
  requireCorrectable,
  requireDeliverable,
  requireFulfillable,
  type CorrectFulfillment,
  type DeliverFulfillment,
  type FulfillOrder,
} from '../src/domain/fulfillment';
import type { ErasureAnswer } from '../src/domain/erasing';
import type { Fulfillment, Order, Refund } from '../src/domain/order';
import { WORKFLOW_PREFIX } from '../src/domain/order-id';
import type { OrdersAudit } from '../src/domain/orders-audit';
import { requirePayable, type PayOrder } from '../src/domain/paying';
import type { Reconciliation } from '../src/domain/reconciliation';
import type { CheckPayment } from '../src/domain/reconciling';
import { requireRefundable, type RefundOrder } from '../src/domain/refund';
import { requireUndoable, type UndoFulfillment } from '../src/domain/undoing';
import type { OrderReport } from './order.report';
import type { Timeline } from './order.timeline';

/** The header with the context of a trace, under the name that the interceptors of Temporal's SDKs give it, too. */
export const TRACE_HEADER = '_tracer-data';

/** The workflow type; its arguments are the `OrderRequest`, the `OrderPolicy` and the `Beginning`. */
export const ORDER_WORKFLOW = 'orderWorkflow';

export const orderWorkflowId = (orderId: string): string => `${WORKFLOW_PREFIX}${orderId}`;

/** The policy that holds when the workflow is started. */
export interface OrderPolicy {
  /**
   * How long a confirmed order waits for its next fulfillment, in milliseconds: if nothing of it is fulfilled then, it is
   * cancelled, else it is said to be overdue.
   */
  fulfillmentDeadlineMs: number;
  /** How long an order may wait for its payment to be authorised, in milliseconds. */
  paymentDeadlineMs: number;
  /** The task queue of the payment activities. */
  paymentsTaskQueue: string;
  /** Whether workers of orders may call the payment service themselves while it answers at once. */
  inlinePayments: boolean;
}

/**
 * How a workflow begins: by placing the order, by resuming one whose workflow was terminated, or as the next
 * run of the same workflow.
 */
export type Beginning = 'place' | 'resume' | 'continue';

/** The workflow type for commands on an order whose own workflow has ended, with the same arguments. */
export const CLOSED_ORDER_WORKFLOW = 'closedOrderWorkflow';

export const closedOrderWorkflowId = (orderId: string): string => `closed-order-${orderId}`;

/** The workflow type of what is done for stuck orders every few minutes, without arguments. */
export const JANITOR_WORKFLOW = 'janitorWorkflow';

/** The workflow type of what is done for carts every few minutes, without arguments. */
export const CARTS_WORKFLOW = 'cartsWorkflow';

/** The workflow type of what compares the payment service with the orders, with a `ReconciliationRequest` and a queue. */
export const RECONCILIATION_WORKFLOW = 'reconciliationWorkflow';

/** The workflow type of what looks for damage in orders, with an `OrdersAuditRequest` and a queue. */
export const ORDERS_AUDIT_WORKFLOW = 'ordersAuditWorkflow';

/** The workflow type of what makes events of all that is written, with the queue for it. It never ends. */
export const RELAY_WORKFLOW = 'relayWorkflow';

/** The workflow type of what makes deliveries to webhook endpoints of events, with the queue for it. It never ends. */
export const WEBHOOKS_WORKFLOW = 'webhooksWorkflow';

/** The activity type, without a workflow, of a round of attempts to deliver an event. */
export const DELIVER_ACTIVITY = 'deliverWebhook';

export interface DeliverRequest {
  deliveryId: string;
  endpointId: string;
  /** Names the round: what belongs to an earlier one ends. */
  round: string;
}

/** The activity type, without a workflow, of what delivers the events of a period to an endpoint again. */
export const REPLAY_ACTIVITY = 'replayWebhooks';

export interface ReplayRequest {
  endpointId: string;
  round: string;
  /** ISO 8601. */
  from: string;
  /** ISO 8601; without that time. */
  to: string;
}

/** Returns what the workflow knows of its order, and what it waits for. */
export const getOrderQuery = defineQuery<OrderReport, []>('getOrder');

/** Returns what has happened to the order while this workflow has run, the oldest first. */
export const getTimelineQuery = defineQuery<Timeline, []>('getTimeline');

/** Returns what a reconciliation has done so far, and where it is. */
export const reconciliationQuery = defineQuery<Reconciliation, []>('progress');

/** Returns what an audit of the orders has done so far, and where it is. */
export const ordersAuditQuery = defineQuery<OrdersAudit, []>('progress');

/**
 * Tells an order that its workflow may belong on another version of the code by now: it continues as new there when nothing is
 * under way. Without it, an order on which nothing happens has no task that would tell it so.
 */
export const moveSignal = defineSignal<[]>('move');

/** Waits until the order is confirmed or rejected. The argument is the request's fingerprint. */
export const placeOrderUpdate = defineUpdate<CommandDone, [fingerprint: string]>('place');

/** Returns one id per request, so that another body under the same Idempotency-Key is another update. */
export const placeUpdateId = (fingerprint: string): string => `place-${fingerprint.slice(0, 32)}`;

/** The result of a command: the version of the order that MongoDB has at least. */
export interface CommandDone {
  version: number;
}

/** A kind of command on an order. */
export interface CommandType<C extends Command> {
  update: UpdateDefinition<CommandDone, [C]>;
  shape: Shape<C>;
  /** @throws {BusinessError} why the order does not allow the command */
  check(order: Order, command: NoInfer<C>): void;
  /** Whether the command is possible even after the order's own workflow has ended. */
  outlives?: boolean;
  /** What commands of this type have added to an order, each under the id of its command. */
  additions?(order: Order): readonly (Fulfillment | Refund)[];
}

const PAYMENT_COMMANDS = {
  pay: {
    update: defineUpdate<CommandDone, [PayOrder]>('pay'),
    shape: SHAPES.pay,
    check: requirePayable,
  },
  /** Tells the order to look at its payment again: asked often and at any time, so the order does not remember it. */
  checkPayment: {
    update: defineUpdate<CommandDone, [CheckPayment]>('checkPayment'),
    shape: SHAPES.checkPayment,
    check: () => undefined,
    outlives: true,
  },
};

/** All commands on an order. A workflow carries them out one at a time. */
export const COMMANDS = {
  amend: {
    update: defineUpdate<CommandDone, [AmendOrder]>('amend'),
    shape: SHAPES.amend,
    check: requireAmendable,
  },
  cancel: {
    update: defineUpdate<CommandDone, [CancelOrder]>('cancel'),
    shape: SHAPES.cancel,
    check: requireCancellable,
  },
  fulfill: {
    update: defineUpdate<CommandDone, [FulfillOrder]>('fulfill'),
    shape: SHAPES.fulfill,
    check: requireFulfillable,
    additions: ({ fulfillments }: Order) => fulfillments,
  },
  deliver: {
    update: defineUpdate<CommandDone, [DeliverFulfillment]>('deliver'),
    shape: SHAPES.deliver,
    check: requireDeliverable,
  },
  undoFulfillment: {
    update: defineUpdate<CommandDone, [UndoFulfillment]>('undoFulfillment'),
    shape: SHAPES.undoFulfillment,
    check: requireUndoable,
  },
  correctFulfillment: {
    update: defineUpdate<CommandDone, [CorrectFulfillment]>('correctFulfillment'),
    shape: SHAPES.correctFulfillment,
    check: requireCorrectable,
  },
  refund: {
    update: defineUpdate<CommandDone, [RefundOrder]>('refund'),
    shape: SHAPES.refund,
    check: requireRefundable,
    additions: ({ refunds }: Order) => refunds,
    outlives: true,
  },
  ...PAYMENT_COMMANDS,
  archive: {
    update: defineUpdate<CommandDone, [ArchiveOrder]>('archive'),
    shape: SHAPES.archive,
    check: requireArchivable,
    outlives: true,
  },
  retryCompensation: {
    update: defineUpdate<CommandDone, [RetryCompensation]>('retryCompensation'),
    shape: SHAPES.retryCompensation,
    check: requireUnsettled,
  },
  resolveCompensation: {
    update: defineUpdate<CommandDone, [ResolveCompensation]>('resolveCompensation'),
    shape: SHAPES.resolveCompensation,
    check: requireUnsettled,
  },
};

/**
 * The types of failures that callers tell apart, without those of rejections (`REJECTION_CODES`). The first detail is
 * the version of the order, the second one what else an `ErrorRecord` has.
 */
export const FAILURES = {
  idempotencyKeyReused: 'IdempotencyKeyReused',
  /** The update has an argument that no API sends. */
  malformedCommand: 'MalformedCommand',
  invalidTransition: 'InvalidTransition',
  /** A payment before may still be reserved: a repeat is carried out. */
  paymentUnsettled: 'PaymentUnsettled',
  notFound: 'NotFound',
  /** The order does not remember whether it has answered the command before: this attempt did nothing. */
  outdatedCommand: 'OutdatedCommand',
  staleVersion: 'StaleVersion',
  /** The payment service did not respond; what it may have reserved is voided. */
  paymentUnanswered: 'PaymentUnanswered',
  /** The amendment was interrupted, and nothing was changed. */
  interrupted: 'Interrupted',
  /** The key of a payment belongs to another one, which may be reserved and is voided. */
  paymentKeyReused: 'PaymentKeyReused',
  /** The workflow is about to continue as new: the same update, sent again, reaches the new run. */
  continuingAsNew: 'ContinuingAsNew',
} as const;

/** The search attributes, identifiers and figures only: anyone with access to Temporal can read them. */
export const SEARCH_ATTRIBUTES = {
  orderStatus: defineSearchAttributeKey('OrderStatus', SearchAttributeType.KEYWORD),
  paymentStatus: defineSearchAttributeKey('PaymentStatus', SearchAttributeType.KEYWORD),
  fulfillmentStatus: defineSearchAttributeKey('FulfillmentStatus', SearchAttributeType.KEYWORD),
  customerId: defineSearchAttributeKey('CustomerId', SearchAttributeType.KEYWORD),
  currency: defineSearchAttributeKey('Currency', SearchAttributeType.KEYWORD),
  orderTotal: defineSearchAttributeKey('OrderTotal', SearchAttributeType.INT),
  /** A compensation keeps failing, so an operator should look. */
  compensationPending: defineSearchAttributeKey('CompensationPending', SearchAttributeType.BOOL),
  /** The rest of a partly fulfilled order waits longer than it should, so an operator should look. */
  overdue: defineSearchAttributeKey('Overdue', SearchAttributeType.BOOL),
};

/** The workflow type that gives entries of the audit log their places in the chain; it has no argument. */
export const AUDIT_LOG_WORKFLOW = 'auditLogWorkflow';

/** The workflow type that removes and erases what is too old to be kept; it has no argument. */
export const RETENTION_WORKFLOW = 'retentionWorkflow';

/** The workflow type that erases the personal data of a user; its argument is the `ErasureRequest`. */
export const ERASURE_WORKFLOW = 'erasureWorkflow';

export const erasureWorkflowId = (userId: string): string => `erasure-${userId}`;

/** Waits until the account is closed, or until it is known what stands in the way. The argument is the id of the user. */
export const beginErasureUpdate = defineUpdate<ErasureAnswer, [userId: string]>('begin');
