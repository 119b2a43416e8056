import {
  ApplicationFailure,
  condition,
  defineUpdate,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { PaymentActivities } from '../../activities/payments.activities';
import { paymentTaskOf } from '../../src/domain/intention';
import { firstPayment } from '../../src/domain/order-payment';
import { openedOrder } from '../../src/domain/placing';
import type { Order, OrderRequest } from '../../src/domain/order';
import type { UsualActivities } from './activities';

/** The lower bound of every workflow. */
export async function emptyWorkflow(): Promise<void> {}

export const emptyUpdate = defineUpdate<void>('empty');

/** The lower bound of a workflow with an Update-with-Start: it ends in the same task. */
export async function emptyUpdateWorkflow(): Promise<void> {
  let isAnswered = false;
  setHandler(emptyUpdate, () => void (isAnswered = true));
  await condition(() => isAnswered);
}

const steps = proxyActivities<UsualActivities>({ startToCloseTimeout: '10s' });

/**
 * The usual way to write an order: each step is a regular activity, the workflow holds the order, and the API waits for
 * the workflow's result.
 */
export async function usualOrderWorkflow(request: OrderRequest, paymentsTaskQueue: string): Promise<Order> {
  const payments = proxyActivities<PaymentActivities>({
    taskQueue: paymentsTaskQueue,
    startToCloseTimeout: '15s',
  });
  const { orderId, requestId } = request;
  const pricing = await steps.priceOrder(request);
  const opened = await steps.openOrder(openedOrder(request, pricing));
  const outcome = await payments.authorizePayment({ ...paymentTaskOf(opened)!, orderId, requestId });
  if (!('reference' in outcome)) throw ApplicationFailure.nonRetryable(outcome.error.message);
  const payment = { ...firstPayment(opened), reference: outcome.reference };
  return (await steps.confirmOrder(opened, payment))!;
}
