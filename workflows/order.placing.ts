import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Cancellation } from '../src/domain/closing';
import type { Order, OrderRequest, Pricing } from '../src/domain/order';
import { firstPayment } from '../src/domain/order-payment';
import { confirmedOrder, openedOrder } from '../src/domain/placing';
import { rejectionOf } from './failures';
import { now, type OrderEntity } from './order.entity';
import { recoverOrder } from './order.recovery';
import { steps } from './order.steps';

/**
 * Prices, opens, authorises and confirms the order. When a step fails for good, the order is closed: its
 * stock is released, and the payment that may be reserved has to be voided.
 */
export async function placeOrder(entity: OrderEntity): Promise<Order> {
  const { request, say, undo } = entity;
  let pricing: Pricing | null = null;
  try {
    say('Fetching the product details and computing the totals.');
    pricing = await steps.priceOrder(request);
    say('Reserving the stock and saving the order.');
    const opened = openedOrder(request, pricing);
    const order = (await steps.openOrder(opened)) ?? opened;
    if (order.status !== 'pending') return await recoverOrder(entity, order);
    say('Authorising the payment.');
    const payment = await entity.payments.authorize(order, firstPayment(order));
    const confirmed = confirmedOrder(order, payment, now());
    say('Confirming the order.');
    return (await steps.confirmOrder(confirmed)) ?? confirmed;
  } catch (error) {
    say('The order cannot be placed: releasing its stock.');
    return await CancellationScope.nonCancellable(() => {
      if (isCancellation(error)) return undo.cancelOrder(request, pricing, cancelledInTemporal(request));
      const { rejection, isDeclined } = rejectionOf(error);
      return undo.rejectOrder(request, pricing, rejection, isDeclined);
    });
  }
}

export function cancelledInTemporal({ requestId }: OrderRequest): Cancellation {
  return { by: 'system', reason: 'The workflow was cancelled.', requestId };
}
