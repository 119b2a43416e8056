import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Cancellation } from '../src/domain/closing';
import { owedVoid, withOwed } from '../src/domain/compensation';
import type { Order, OrderRequest, Pricing } from '../src/domain/order';
import { firstPayment, interruptedPayment } from '../src/domain/order-payment';
import { confirmedOrder, openedOrder } from '../src/domain/placing';
import { rejectionOf } from './failures';
import { type OrderSession, now } from './order.entity';
import { steps } from './order.steps';

/**
 * Prices, opens, has paid and confirms the order; when a step says no, the order is closed, which releases its stock
 * and makes owed what may be reserved of the payment.
 */
export async function placeOrder(session: OrderSession): Promise<Order> {
  const { request, display, undo } = session;
  let pricing: Pricing | null = null;
  try {
    display.say('Fetching the product details and computing the totals.');
    pricing = await steps.priceOrder(request);
    display.say('Reserving the stock and saving the order.');
    const opened = openedOrder(request, pricing);
    const order = (await steps.openOrder(opened)) ?? opened;
    if (order.status !== 'pending') return await takeUp(session, order);
    const confirmed = await payFor(session, order);
    display.say('Confirming the order.');
    return (await steps.confirmOrder(confirmed)) ?? confirmed;
  } catch (error) {
    display.say('The order cannot be placed: releasing what it held.');
    return await CancellationScope.nonCancellable(() => {
      if (isCancellation(error)) return undo.cancelOrder(request, pricing, cancelledInTemporal(request));
      const { rejection, isDeclined } = rejectionOf(error);
      return undo.rejectOrder(request, pricing, rejection, isDeclined);
    });
  }
}

/**
 * An order that was placed by an earlier run, which Temporal has forgotten, or somebody has terminated or reset: it may
 * have been at an amendment.
 */
async function takeUp(session: OrderSession, stored: Order): Promise<Order> {
  if (!interruptedPayment(stored)) return stored;
  session.take(stored);
  await session.untilCommitted(async () => {
    const order = session.current();
    const payment = interruptedPayment(order);
    if (payment)
      await session.commit(withOwed(order, owedVoid(payment, now()), now()), steps.recordCompensation);
  });
  return session.current();
}

async function payFor({ display, payments }: OrderSession, order: Order): Promise<Order> {
  display.say('Authorising the payment.');
  const payment = await payments.authorize(order, firstPayment(order));
  return confirmedOrder(order, payment, now());
}

export function cancelledInTemporal({ requestId }: OrderRequest): Cancellation {
  return { by: 'system', reason: 'The workflow was cancelled.', requestId };
}
