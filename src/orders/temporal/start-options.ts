import type { WorkflowStartOptions } from '@temporalio/client';
import type { OrderRequest } from '../../domain/order';
import { INITIAL_STATE } from '../../domain/order-transitions';
import {
  closedOrderWorkflowId,
  orderWorkflowId,
  SEARCH_ATTRIBUTES,
  type OrderPolicy,
} from '../../../workflows/contract';
import { describeClosedOrder, describeOrder } from './order-description';

type StartOptions = Omit<WorkflowStartOptions, 'taskQueue'> & { workflowIdConflictPolicy: 'USE_EXISTING' };

/**
 * One workflow per order: a running one is joined, a completed one is never started again. One that was terminated
 * or cancelled in Temporal is, so that the order it left behind is taken up again by the next request for it.
 */
export function orderStartOptions(request: OrderRequest, policy: OrderPolicy): StartOptions {
  const { orderStatus, customerId } = SEARCH_ATTRIBUTES;
  return {
    workflowId: orderWorkflowId(request.orderId),
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    args: [request, policy],
    typedSearchAttributes: [
      { key: orderStatus, value: INITIAL_STATE.status },
      { key: customerId, value: request.customerId },
    ],
    ...describeOrder(request),
  };
}

/** One at a time too, but as many one after the other as there are occasions. */
export function closedOrderStartOptions(request: OrderRequest, policy: OrderPolicy): StartOptions {
  return {
    workflowId: closedOrderWorkflowId(request.orderId),
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [request, policy],
    typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.customerId, value: request.customerId }],
    ...describeClosedOrder(request),
  };
}
