import { condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';
import type { OrderActivities } from '../../activities/orders.activities';
import type { PaymentActivities } from '../../activities/payments.activities';
import type { PricingActivities } from '../../activities/pricing.activities';
import { paymentRef, firstPayment } from '../../src/domain/order-payment';
import { confirmedOrder, openedOrder } from '../../src/domain/placing';
import type { Order, OrderRequest } from '../../src/domain/order';

/** The lower bound of every workflow. */
export async function emptyWorkflow(): Promise<void> {}

export const emptyUpdate = defineUpdate<void>('empty');

/** The lower bound of a workflow with an Update-with-Start: it ends in the same task. */
export async function emptyUpdateWorkflow(): Promise<void> {
  let isAnswered = false;
  setHandler(emptyUpdate, () => void (isAnswered = true));
  await condition(() => isAnswered);
}

const steps = proxyActivities<OrderActivities & PricingActivities>({ startToCloseTimeout: '10s' });

/**
 * The usual way to write an order: each step is a regular activity, and the API waits for the workflow's
 * result.
 */
export async function usualOrderWorkflow(request: OrderRequest, paymentsTaskQueue: string): Promise<Order> {
  const payments = proxyActivities<PaymentActivities>({
    taskQueue: paymentsTaskQueue,
    startToCloseTimeout: '15s',
  });
  const pricing = await steps.priceOrder(request);
  const opened = openedOrder(request, pricing);
  await steps.openOrder(opened);
  const payment = firstPayment(opened);
  const call = { ...paymentRef(opened, payment), requestId: request.requestId };
  const reference = await payments.authorizePayment(call);
  const confirmed = confirmedOrder(opened, { ...payment, reference }, new Date().toISOString());
  await steps.confirmOrder(confirmed);
  return confirmed;
}
