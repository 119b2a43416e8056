import {
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { PaymentActivities, PaymentCall } from '../activities/payments.activities';
import { formatAmount } from '../src/domain/money';
import type { Order, OrderPayment } from '../src/domain/order';
import { paymentRef } from '../src/domain/order-payment';
import { FAILURES } from './contract';
import { isFinal } from './failures';

/**
 * How often voiding a payment is tried: a few times at first, then without limit, or once when an operator
 * asks.
 */
export type VoidAttempts = 'few' | 'unlimited' | 'one';

/** Returns the calls to the payment service: regular activities on a task queue of their own. */
export function createPaymentSteps(taskQueue: string) {
  const proxy = ({ retry, ...options }: ActivityOptions) =>
    proxyActivities<PaymentActivities>({
      taskQueue,
      startToCloseTimeout: '15s',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      retry,
      ...options,
    });
  const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '20s' } as const;
  const inTime = proxy({ scheduleToCloseTimeout: '2m', retry });
  const lookUp = proxy({ scheduleToCloseTimeout: '30s', retry });
  /** Without a limit: once money may have moved, only the payment service knows the outcome. */
  const insisting = proxy({ retry });
  const undoing = { startToCloseTimeout: '10s', retry: { ...retry, maximumInterval: '60s' } } as const;
  const voiding = {
    few: proxy({
      ...undoing,
      scheduleToCloseTimeout: '60s', // ends the attempts even if no worker serves the queue
      retry: { ...undoing.retry, maximumAttempts: 4 },
    }),
    unlimited: proxy({ ...undoing, retry: { ...undoing.retry, initialInterval: '10s' } }),
    one: proxy({ ...undoing, scheduleToCloseTimeout: '15s', retry: { maximumAttempts: 1 } }),
  };

  return {
    /**
     * Reserves the amount and returns the payment with the provider's id. If the outcome is unknown, the
     * provider is asked by the payment's key.
     * @throws a failure; only after PaymentDeclined is it certain that nothing is reserved
     */
    async authorize(order: Order, payment: OrderPayment): Promise<OrderPayment> {
      if (payment.amount === 0) return payment;
      const args: [PaymentCall] = [callFor(order, payment)];
      try {
        const summary = `Authorise ${amountOf(payment)}`;
        const reference = await inTime.authorizePayment.executeWithOptions({ summary }, args);
        return { ...payment, reference };
      } catch (error) {
        if (isCancellation(error) || isFinal(error)) throw error;
        const summary = 'Ask whether the payment was authorised';
        const found = await lookUp.findAuthorization
          .executeWithOptions({ summary }, args)
          .catch(unlessCancelled);
        if (found === null) throw unanswered(error);
        return { ...payment, reference: found };
      }
    },

    async capture(order: Order, payment: OrderPayment): Promise<void> {
      if (payment.amount === 0) return;
      const summary = `Capture ${amountOf(payment)}`;
      await insisting.capturePayment.executeWithOptions({ summary }, [callFor(order, payment)]);
    },

    /** @param key names the refund @param amount in minor units */
    async refund(order: Order, key: string, amount: number): Promise<void> {
      const payment = order.payment!;
      const summary = `Refund ${amountOf({ ...payment, amount })}`;
      await insisting.refundPayment.executeWithOptions({ summary }, [callFor(order, payment), key, amount]);
    },

    /** Voids or refunds the payment. Returns whether anything was reserved. */
    void(order: Order, payment: OrderPayment, attempts: VoidAttempts): Promise<boolean> {
      const summary = `Void or refund ${payment.amount === 0 ? 'what may be reserved' : amountOf(payment)}`;
      return voiding[attempts].voidPayment.executeWithOptions({ summary }, [callFor(order, payment)]);
    },
  };
}

function callFor(order: Order, payment: OrderPayment): PaymentCall {
  return { ...paymentRef(order, payment), requestId: order.requestId };
}

function amountOf({ amount, currency }: OrderPayment): string {
  return formatAmount(amount, currency);
}

function unlessCancelled(error: unknown): null {
  if (isCancellation(error)) throw error;
  return null;
}

function unanswered(cause: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'The payment service did not respond in time. Nothing is charged: place a new order later.',
    type: FAILURES.paymentUnanswered,
    nonRetryable: true,
    cause: cause as Error,
  });
}
