import type { WorkerConfig } from '../../config';
import type { OrderRequest } from '../../domain/order';
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

/**
 * Returns the one workflow of an order. A running one is joined, and a completed one is never started again.
 * One that was terminated or cancelled in Temporal is started again, so that the next request for the order
 * resumes it.
 */
export function orderWorkflow(
  request: OrderRequest,
  { taskQueue, policy }: OrderStartOptions,
  beginning: Beginning = 'place',
): StartableWorkflow {
  const { orderStatus, customerId } = SEARCH_ATTRIBUTES;
  return {
    type: ORDER_WORKFLOW,
    options: {
      taskQueue,
      workflowId: orderWorkflowId(request.orderId),
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      args: beginning === 'place' ? [request, policy] : [request, policy, beginning],
      typedSearchAttributes: [
        { key: orderStatus, value: INITIAL_STATE.status },
        { key: customerId, value: request.customerId },
      ],
      ...describeOrder(request),
    },
  };
}

/** Returns the workflow of a closed order. It runs whenever there is something to do, one at a time. */
export function closedOrderWorkflow(
  request: OrderRequest,
  { taskQueue, policy }: OrderStartOptions,
): StartableWorkflow {
  return {
    type: CLOSED_ORDER_WORKFLOW,
    options: {
      taskQueue,
      workflowId: closedOrderWorkflowId(request.orderId),
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [request, policy],
      typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.customerId, value: request.customerId }],
      ...describeClosedOrder(request),
    },
  };
}
