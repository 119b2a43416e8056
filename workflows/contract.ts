/** The contract between the API, the workers and the workflows. A change has to suit two releases at once. */
import { defineSearchAttributeKey, SearchAttributeType, type UpdateDefinition } from '@temporalio/common';
import { defineUpdate } from '@temporalio/workflow';
import { requireAmendable, type AmendOrder } from '../src/domain/amendment';
import {
  requireArchivable,
  requireCancellable,
  type ArchiveOrder,
  type CancelOrder,
} from '../src/domain/closing';
import type { Command, KeyedCommand } from '../src/domain/command';
import {
  requireUnsettled,
  type ResolveCompensation,
  type RetryCompensation,
} from '../src/domain/compensation';
import {
  requireDeliverable,
  requireFulfillable,
  type DeliverFulfillment,
  type FulfillOrder,
} from '../src/domain/fulfillment';
import type { Fulfillment, Order, Refund } from '../src/domain/order';
import { requireRefundable, type RefundOrder } from '../src/domain/refund';

/** The workflow type; its arguments are the `OrderRequest` and the `OrderPolicy`. */
export const ORDER_WORKFLOW = 'orderWorkflow';

export const orderWorkflowId = (orderId: string): string => `order-${orderId}`;

/** The policy that holds when the workflow is started. */
export interface OrderPolicy {
  /** How long a confirmed order waits for its first fulfillment before it is cancelled, in milliseconds. */
  fulfillmentDeadlineMs: number;
  /** The task queue of the payment activities. */
  paymentsTaskQueue: string;
}

/** The workflow type for commands on an order whose own workflow has ended, with the same arguments. */
export const CLOSED_ORDER_WORKFLOW = 'closedOrderWorkflow';

export const closedOrderWorkflowId = (orderId: string): string => `closed-order-${orderId}`;

/** Waits until the order is confirmed or rejected. The argument is the request's fingerprint. */
export const placeOrderUpdate = defineUpdate<Order, [fingerprint: string]>('place');

/** Returns one id per request, so that another body under the same Idempotency-Key is another update. */
export const placeUpdateId = (fingerprint: string): string => `place-${fingerprint.slice(0, 32)}`;

/** The result of a command: the version of the order that MongoDB has now. */
export interface CommandDone {
  version: number;
}

/** A kind of command on an order. */
export interface CommandType<C extends Command> {
  update: UpdateDefinition<CommandDone, [C]>;
  /** @throws {BusinessError} why the order does not allow the command */
  check(order: Order, command: NoInfer<C>): void;
  /** Whether the command is possible even after the order's own workflow has ended. */
  outlives?: boolean;
}

/** A kind of command that adds something to an order, once for each Idempotency-Key. */
export interface AdditionType<C extends KeyedCommand> extends CommandType<C> {
  additions(order: Order): readonly (Fulfillment | Refund)[];
}

/** All commands on an order. A workflow carries them out one at a time. */
export const COMMANDS = {
  amend: { update: defineUpdate<CommandDone, [AmendOrder]>('amend'), check: requireAmendable },
  cancel: { update: defineUpdate<CommandDone, [CancelOrder]>('cancel'), check: requireCancellable },
  fulfill: {
    update: defineUpdate<CommandDone, [FulfillOrder]>('fulfill'),
    check: requireFulfillable,
    additions: ({ fulfillments }: Order) => fulfillments,
  },
  deliver: { update: defineUpdate<CommandDone, [DeliverFulfillment]>('deliver'), check: requireDeliverable },
  refund: {
    update: defineUpdate<CommandDone, [RefundOrder]>('refund'),
    check: requireRefundable,
    additions: ({ refunds }: Order) => refunds,
    outlives: true,
  },
  archive: {
    update: defineUpdate<CommandDone, [ArchiveOrder]>('archive'),
    check: requireArchivable,
    outlives: true,
  },
  retryCompensation: {
    update: defineUpdate<CommandDone, [RetryCompensation]>('retryCompensation'),
    check: requireUnsettled,
  },
  resolveCompensation: {
    update: defineUpdate<CommandDone, [ResolveCompensation]>('resolveCompensation'),
    check: requireUnsettled,
  },
};

/** The types of failures that callers tell apart, without those of rejections (`REJECTION_CODES`). */
export const FAILURES = {
  idempotencyKeyReused: 'IdempotencyKeyReused',
  invalidTransition: 'InvalidTransition',
  notFound: 'NotFound',
  /** The first detail is the current version. */
  staleVersion: 'StaleVersion',
  /** The payment service did not respond in time; what it may have reserved is voided. */
  paymentUnanswered: 'PaymentUnanswered',
  /** The key of a payment belongs to another one, which may be reserved and is voided. */
  paymentKeyReused: 'PaymentKeyReused',
  /** The workflow is about to continue as new: the same update, sent again, reaches the new run. */
  continuingAsNew: 'ContinuingAsNew',
} as const;

/** The search attributes, identifiers and figures only: anyone with access to Temporal can read them. */
export const SEARCH_ATTRIBUTES = {
  orderStatus: defineSearchAttributeKey('OrderStatus', SearchAttributeType.KEYWORD),
  customerId: defineSearchAttributeKey('CustomerId', SearchAttributeType.KEYWORD),
  currency: defineSearchAttributeKey('Currency', SearchAttributeType.KEYWORD),
  orderTotal: defineSearchAttributeKey('OrderTotal', SearchAttributeType.INT),
  /** A compensation keeps failing, so an operator should look. */
  compensationPending: defineSearchAttributeKey('CompensationPending', SearchAttributeType.BOOL),
};
