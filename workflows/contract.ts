/** What the API, the workers and the workflows agree on. Changing it is a change of a published contract. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineUpdate } from '@temporalio/workflow';
import type { Order } from '../src/domain/order';

/** The workflow type; its argument is the `OrderRequest`. */
export const ORDER_WORKFLOW = 'orderWorkflow';

export const orderWorkflowId = (orderId: string): string => `order-${orderId}`;

/** Waits for the outcome of placing the order: confirmed or rejected. The argument is the request's fingerprint. */
export const placeOrderUpdate = defineUpdate<Order, [fingerprint: string]>('place');

/** One update per request: another body under the same Idempotency-Key is another update, and is refused. */
export const placeUpdateId = (fingerprint: string): string => `place-${fingerprint}`;

export interface CancelOrder {
  /** The user who asks for it. */
  by: string;
  reason: string | null;
  /** The X-Request-Id of the POST. */
  requestId: string;
}

/** Cancels the order and releases its stock; answers with the cancelled order. */
export const cancelOrderUpdate = defineUpdate<Order, [CancelOrder]>('cancel');

/** Failure types that callers tell apart; those of rejections are in `REJECTION_CODES`. */
export const FAILURES = {
  idempotencyKeyReused: 'IdempotencyKeyReused',
  invalidTransition: 'InvalidTransition',
} as const;

/** Readable by anyone with access to Temporal: identifiers and figures only. */
export const SEARCH_ATTRIBUTES = {
  orderStatus: defineSearchAttributeKey('OrderStatus', SearchAttributeType.KEYWORD),
  customerId: defineSearchAttributeKey('CustomerId', SearchAttributeType.KEYWORD),
  currency: defineSearchAttributeKey('Currency', SearchAttributeType.KEYWORD),
  orderTotal: defineSearchAttributeKey('OrderTotal', SearchAttributeType.INT),
};
