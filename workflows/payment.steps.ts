import { isCancellation, proxyActivities, sleep, type ActivityOptions } from '@temporalio/workflow';
import type { Inspection } from '../activities/payment-calls';
import type { PaymentActivities, PaymentTaskCall } from '../activities/payments.activities';
import { isOutcome, UNANSWERED, type PaymentOutcome, type PaymentTask } from '../src/domain/intention';
import { formatAmount } from '../src/domain/money';
import type { OrderRequest } from '../src/domain/order';
import type { Owed } from '../src/domain/order-summary';
import { paymentRef } from '../src/domain/order-payment';
import type { PaymentRef } from '../src/domain/payment';
import type { OrderPolicy } from './contract';

/** How often a compensation is tried: a few times at first, then without limit, or once when an operator asks. */
export type Attempts = 'few' | 'unlimited' | 'one';

/**
 * How often the payment service is asked to authorise: over almost two minutes if it fails at once, over four if it is
 * silent. Attempts are counted and not the time, since an attempt that waits in the queue, or is paused by an operator,
 * is not the payment service's silence.
 */
const AUTHORIZATIONS = 10;
const LOOK_UPS = 4;
/** How long to wait before a call that an operator has failed is made again. */
const AFTER_OPERATOR = '10s';

/** Returns the calls to the payment service: regular activities on a task queue of their own. */
export function createPaymentSteps(
  { orderId, requestId, paymentMethod }: OrderRequest,
  { paymentsTaskQueue: taskQueue, paymentDeadlineMs }: OrderPolicy,
) {
  const proxy = ({ retry, ...options }: ActivityOptions) =>
    proxyActivities<PaymentActivities>({
      taskQueue,
      startToCloseTimeout: '15s',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      retry,
      ...options,
    });
  const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '20s' } as const;
  const limited = (maximumAttempts: number) =>
    proxy({ scheduleToCloseTimeout: paymentDeadlineMs, retry: { ...retry, maximumAttempts } });
  const authorizing = limited(AUTHORIZATIONS);
  const lookUp = limited(LOOK_UPS);
  /** Without a limit: once money may have moved, only the payment service knows the outcome. */
  const insisting = proxy({ retry });
  const undoing = { startToCloseTimeout: '10s', retry: { ...retry, maximumInterval: '60s' } } as const;
  const settling = {
    few: proxy({
      ...undoing,
      scheduleToCloseTimeout: '60s', // ends the attempts even if no worker serves the queue
      retry: { ...undoing.retry, maximumAttempts: 4 },
    }),
    unlimited: proxy({ ...undoing, retry: { ...undoing.retry, initialInterval: '10s' } }),
    one: proxy({ ...undoing, scheduleToCloseTimeout: '15s', retry: { maximumAttempts: 1 } }),
  };

  /** If the outcome is unknown, the payment service is asked by the payment's key. */
  async function authorize(call: PaymentTaskCall): Promise<PaymentOutcome> {
    const summary = describePayment(call);
    const deadline = Date.now() + paymentDeadlineMs;
    const outcome = await authorizing.authorizePayment
      .executeWithOptions({ summary }, [call])
      .catch(unlessCancelled);
    if (isOutcome(outcome)) return outcome;
    const question = 'Ask whether the payment was authorised';
    const found = await lookUp.findAuthorization
      .executeWithOptions({ summary: question, scheduleToCloseTimeout: timeUntil(deadline) }, [call])
      .catch(unlessCancelled);
    return isOutcome(found) ? found : UNANSWERED;
  }

  /** Captures or refunds, and insists when an operator fails the activity or completes it by hand. */
  async function insist(call: PaymentTaskCall): Promise<PaymentOutcome> {
    const activity = call.operation === 'capture' ? insisting.capturePayment : insisting.refundPayment;
    const summary = describePayment(call);
    for (;;) {
      const outcome = await activity.executeWithOptions({ summary }, [call]).catch(unlessCancelled);
      if (isOutcome(outcome)) return outcome;
      await sleep(AFTER_OPERATOR);
    }
  }

  const callFor = (task: PaymentTask): PaymentTaskCall => ({ ...task, orderId, requestId });

  return {
    callFor,

    /** Has the payment service carry out what the order waits for. @throws if the scope is cancelled meanwhile */
    async pay(task: PaymentTask): Promise<PaymentOutcome> {
      if (task.amount === 0) return { state: 'done', reference: null };
      return task.operation === 'authorize' ? authorize(callFor(task)) : insist(callFor(task));
    },

    /** Returns the payment service's record of the payment, or null if it does not answer. */
    inspect: async (payment: PaymentRef): Promise<Inspection | null> => {
      const summary = 'Ask what became of the payment';
      const inspected = await lookUp.inspectPayment
        .executeWithOptions({ summary, scheduleToCloseTimeout: SHORTEST_LOOK_UP_MS }, [
          { ...payment, requestId },
        ])
        .catch(unlessCancelled);
      return isInspection(inspected) ? inspected : null;
    },

    /** Gives up or pays back what the order owes. Returns whether anything was reserved. */
    settle({ kind, payment, amount, refundId }: Owed, attempts: Attempts): Promise<boolean> {
      const money = formatAmount(amount, payment.currency);
      const ref = paymentRef({ id: orderId, paymentMethod }, payment);
      const { voidPayment, releasePayment, payBack } = settling[attempts];
      switch (kind) {
        case 'void':
          return voidPayment.executeWithOptions({ summary: `Void or refund ${money}` }, [
            { ...ref, requestId },
          ]);
        case 'release':
          return releasePayment.executeWithOptions({ summary: `Release ${money}` }, [{ ...ref, requestId }]);
        case 'refund': {
          const call = { orderId, requestId, payment: ref, key: refundId!, amount };
          return payBack.executeWithOptions({ summary: `Pay back ${money}` }, [call]);
        }
      }
    },
  };
}

/** How long a look-up may take at least, in milliseconds. */
const SHORTEST_LOOK_UP_MS = 60_000;

/** Tells whether a value is the payment service's record, and not something that an operator gave. */
function isInspection(value: unknown): value is Inspection {
  return typeof value === 'object' && value !== null && 'found' in value;
}

function timeUntil(deadline: number): number {
  return Math.max(SHORTEST_LOOK_UP_MS, deadline - Date.now());
}

const OPERATIONS = { authorize: 'Authorise', capture: 'Capture', refund: 'Refund' } as const;

/** Says what a call of the payment service is to do, such as `Capture 47.58 EUR`. */
export function describePayment({ operation, amount, payment }: PaymentTask): string {
  return `${OPERATIONS[operation]} ${formatAmount(amount, payment.currency)}`;
}

function unlessCancelled(error: unknown): null {
  if (isCancellation(error)) throw error;
  return null;
}
