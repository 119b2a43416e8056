import type { SearchAttributePair } from '@temporalio/common';
import type { WorkerConfig } from '../../config';
import type { Order, OrderRequest, OrderState } from '../../domain/order';
import { INITIAL_STATE } from '../../domain/order-transitions';
import type { StartableWorkflow } from '../../temporal/updates';
import {
  CLOSED_ORDER_WORKFLOW,
  closedOrderWorkflowId,
  ORDER_WORKFLOW,
  orderWorkflowId,
  SEARCH_ATTRIBUTES,
  type Beginning,
  type OrderPolicy,
} from '../../../workflows/contract';
import { describeClosedOrder, describeOrder } from './order-description';

export interface OrderStartOptions {
  taskQueue: string;
  policy: OrderPolicy;
}

/** Returns with what the API and the workers start the workflows of orders. */
export function startOptionsOf({
  temporal,
  orders,
  payments,
}: Pick<WorkerConfig, 'temporal' | 'orders' | 'payments'>): OrderStartOptions {
  return {
    taskQueue: temporal.taskQueue,
    policy: {
      fulfillmentDeadlineMs: orders.fulfillmentDeadlineMs,
      paymentDeadlineMs: orders.paymentDeadlineMs,
      paymentsTaskQueue: temporal.paymentsTaskQueue,
      inlinePayments: payments.inline,
    },
  };
}

/** What is stored of an order that has been placed before. */
type Stored = OrderState & Pick<Order, 'currency' | 'total'>;

/**
 * Returns the one workflow of an order. A running one is joined, and a completed one is never started again.
 * One that was terminated or cancelled in Temporal is started again, so that the next request for the order
 * resumes it.
 * @param stored the order, if it is known: until a worker has fetched it, Temporal shows what this says
 */
export function orderWorkflow(
  request: OrderRequest,
  { taskQueue, policy }: OrderStartOptions,
  beginning: Beginning = 'place',
  stored?: Stored,
): StartableWorkflow {
  return {
    type: ORDER_WORKFLOW,
    options: {
      taskQueue,
      workflowId: orderWorkflowId(request.orderId),
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      args: beginning === 'place' ? [request, policy] : [request, policy, beginning],
      typedSearchAttributes: attributesOf(request, stored),
      ...describeOrder(request, stored),
    },
  };
}

/** Returns the workflow of a closed order. It runs whenever there is something to do, one at a time. */
export function closedOrderWorkflow(
  request: OrderRequest,
  { taskQueue, policy }: OrderStartOptions,
  stored: Stored,
): StartableWorkflow {
  return {
    type: CLOSED_ORDER_WORKFLOW,
    options: {
      taskQueue,
      workflowId: closedOrderWorkflowId(request.orderId),
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [request, policy],
      typedSearchAttributes: attributesOf(request, stored),
      ...describeClosedOrder(request, stored),
    },
  };
}

function attributesOf({ customerId }: OrderRequest, stored?: Stored): SearchAttributePair[] {
  const { status, paymentStatus, fulfillmentStatus } = stored ?? INITIAL_STATE;
  const pairs: SearchAttributePair[] = [
    { key: SEARCH_ATTRIBUTES.orderStatus, value: status },
    { key: SEARCH_ATTRIBUTES.paymentStatus, value: paymentStatus },
    { key: SEARCH_ATTRIBUTES.fulfillmentStatus, value: fulfillmentStatus },
    { key: SEARCH_ATTRIBUTES.customerId, value: customerId },
  ];
  if (stored?.currency) pairs.push({ key: SEARCH_ATTRIBUTES.currency, value: stored.currency });
  if (typeof stored?.total === 'number')
    pairs.push({ key: SEARCH_ATTRIBUTES.orderTotal, value: stored.total });
  return pairs;
}
