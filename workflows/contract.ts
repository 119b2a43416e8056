/** What the API, the workers and the workflows agree on. Changing it is a change of a published contract. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineUpdate } from '@temporalio/workflow';
import type { AmendOrder } from '../src/domain/amendment';
import type { ArchiveOrder, CancelOrder } from '../src/domain/closing';
import type { ResolveCompensation, RetryCompensation } from '../src/domain/compensation';
import type { DeliverFulfillment, FulfillOrder } from '../src/domain/fulfillment';
import type { Order } from '../src/domain/order';
import type { RefundOrder } from '../src/domain/refund';

/** The workflow type; its arguments are the `OrderRequest` and the `OrderPolicy`. */
export const ORDER_WORKFLOW = 'orderWorkflow';

export const orderWorkflowId = (orderId: string): string => `order-${orderId}`;

/** What is decided where the order is taken; a run that takes it up again gets what holds then. */
export interface OrderPolicy {
  /** How long a confirmed order waits for its first fulfillment before it is cancelled, milliseconds. */
  fulfillmentDeadlineMs: number;
  /** Where the payment activities run. */
  paymentsTaskQueue: string;
}

/** The workflow type for what happens to an order whose own workflow has ended; the arguments are the same. */
export const CLOSED_ORDER_WORKFLOW = 'closedOrderWorkflow';

export const closedOrderWorkflowId = (orderId: string): string => `closed-order-${orderId}`;

/** Waits for the outcome of placing the order: confirmed or rejected. The argument is the request's fingerprint. */
export const placeOrderUpdate = defineUpdate<Order, [fingerprint: string]>('place');

/** One update per request: another body under the same Idempotency-Key is another update, and is refused. Half of the hash tells them apart. */
export const placeUpdateId = (fingerprint: string): string => `place-${fingerprint.slice(0, 32)}`;

/** The result of a command: the version of the order that MongoDB has now. */
export interface CommandDone {
  version: number;
}

// Commands on an order. They are handled one after the other.
export const amendOrderUpdate = defineUpdate<CommandDone, [AmendOrder]>('amend');
export const cancelOrderUpdate = defineUpdate<CommandDone, [CancelOrder]>('cancel');
export const fulfillOrderUpdate = defineUpdate<CommandDone, [FulfillOrder]>('fulfill');
export const deliverFulfillmentUpdate = defineUpdate<CommandDone, [DeliverFulfillment]>('deliver');
export const refundOrderUpdate = defineUpdate<CommandDone, [RefundOrder]>('refund');
export const archiveOrderUpdate = defineUpdate<CommandDone, [ArchiveOrder]>('archive');
export const retryCompensationUpdate = defineUpdate<CommandDone, [RetryCompensation]>('retryCompensation');
export const resolveCompensationUpdate = defineUpdate<CommandDone, [ResolveCompensation]>(
  'resolveCompensation',
);

/** Failure types that callers tell apart; those of rejections are in `REJECTION_CODES`. */
export const FAILURES = {
  idempotencyKeyReused: 'IdempotencyKeyReused',
  invalidTransition: 'InvalidTransition',
  notFound: 'NotFound',
  /** Its first detail is the current version. */
  staleVersion: 'StaleVersion',
  /** The payment service gave no clear answer in time; what it may have reserved is given back. */
  paymentUnanswered: 'PaymentUnanswered',
  /** The key of a payment belongs to another one, which may be reserved: that is given back. */
  paymentKeyReused: 'PaymentKeyReused',
  /** The workflow is about to continue as new: the same update again reaches the new run. */
  continuingAsNew: 'ContinuingAsNew',
} as const;

/** Readable by anyone with access to Temporal: identifiers and figures only. */
export const SEARCH_ATTRIBUTES = {
  orderStatus: defineSearchAttributeKey('OrderStatus', SearchAttributeType.KEYWORD),
  customerId: defineSearchAttributeKey('CustomerId', SearchAttributeType.KEYWORD),
  currency: defineSearchAttributeKey('Currency', SearchAttributeType.KEYWORD),
  orderTotal: defineSearchAttributeKey('OrderTotal', SearchAttributeType.INT),
  /** Something that has to be undone keeps failing: an operator should look. */
  compensationPending: defineSearchAttributeKey('CompensationPending', SearchAttributeType.BOOL),
};
