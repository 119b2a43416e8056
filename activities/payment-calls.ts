import { BusinessError, PaymentDeclined, PaymentKeyReused, PaymentRefused } from '../src/domain/errors';
import type { PaymentOutcome, PaymentTask } from '../src/domain/intention';
import type { PaymentProvider } from '../src/payments/payment-provider';

export interface ProviderCall {
  provider: PaymentProvider;
  task: PaymentTask;
}

/**
 * Has the payment service carry out the task, once for each key. A definite no is an outcome.
 * @throws any other error, after which the outcome is unknown
 */
export async function callProvider({ provider, task }: ProviderCall): Promise<PaymentOutcome> {
  const { operation, key, payment, amount, isFinal = true } = task;
  if (amount === 0) return { state: 'done', reference: payment.reference };
  try {
    if (operation === 'authorize') {
      const { reference, captures } = await provider.authorize(payment);
      return { state: 'done', reference, captures };
    }
    const { reference } =
      operation === 'capture'
        ? await provider.capture(key, payment, { amount, isFinal })
        : await provider.refund(key, payment, amount);
    return { state: 'done', reference };
  } catch (error) {
    if (error instanceof BusinessError) return turnedDown(error, task);
    throw error;
  }
}

/** Like `callProvider`, but returns null if there is no definite answer within the time, in milliseconds. */
export async function callProviderWithin({
  timeoutMs,
  ...call
}: ProviderCall & { timeoutMs: number }): Promise<PaymentOutcome | null> {
  const outcome = callProvider(call).catch(() => null); // the payments queue tries again, and shows why it fails
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, timeoutMs, null)));
  return Promise.race([outcome, late]).finally(() => clearTimeout(timer));
}

function turnedDown(error: BusinessError, { operation, commandId }: PaymentTask): PaymentOutcome {
  const { name, message } = error;
  if (error instanceof PaymentKeyReused && operation === 'authorize') {
    const detail = commandId ? AMENDMENT_PAYMENT_REUSED : ORDER_PAYMENT_REUSED;
    return { state: 'unanswered', error: { type: name, message: detail } };
  }
  if (operation !== 'authorize') return { state: 'rejected', error: { type: name, message } };
  // A key that was voided before is as good as declined: nothing is reserved, and nothing will be.
  const { name: type } = error instanceof PaymentRefused ? new PaymentDeclined(message) : error;
  return { state: 'declined', error: { type, message } };
}

const ORDER_PAYMENT_REUSED =
  'Another payment may be reserved under the key of this order. It will be voided, and nothing is charged: place a new ' +
  'order.';

const AMENDMENT_PAYMENT_REUSED =
  'Another payment may be reserved under the key of this amendment. It will be voided, and nothing was changed: read the ' +
  'order again, then repeat the request.';
