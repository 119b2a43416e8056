import {
  BusinessError,
  PaymentDeclined,
  PaymentKeyReused,
  PaymentRefused,
  recordOf,
} from '../src/domain/errors';
import type { PaymentOutcome, PaymentTask } from '../src/domain/intention';
import { CUSTOMER_ABSENT, type PaymentRef, type ProviderPayment } from '../src/domain/payment';
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
      const { status, reference, captures } = await provider.authorize(payment);
      if (status !== 'action_required') return { state: 'done', reference, captures };
      return payment.isOnSession ? { state: status, reference, captures } : NOBODY_TO_ACT;
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

/** What the payment service knows of a payment; `found` is null if it does not know it. */
export interface Inspection {
  found: ProviderPayment | null;
}

/** Asks the payment service for its record. What a customer has to do for it is kept from Temporal. */
export async function inspect({
  provider,
  payment,
}: {
  provider: PaymentProvider;
  payment: PaymentRef;
}): Promise<Inspection> {
  const found = await provider.find(payment);
  if (!found) return { found };
  const { action: _, ...record } = found;
  return { found: record };
}

/** Returns what the work returns, or null if it fails or takes longer, in milliseconds. */
export async function within<T>({
  timeoutMs,
  work,
}: {
  timeoutMs: number;
  work: Promise<T>;
}): Promise<T | null> {
  const outcome = work.catch(() => null); // the payments queue tries again, and shows why it fails
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

/** It may be authorised after all, so it has to be voided. */
const NOBODY_TO_ACT: PaymentOutcome = {
  state: 'unanswered',
  error: recordOf(new PaymentDeclined(CUSTOMER_ABSENT)),
};

const ORDER_PAYMENT_REUSED =
  'Another payment may be reserved under the key of this order. It will be voided, and nothing is charged: place a new ' +
  'order.';

const AMENDMENT_PAYMENT_REUSED =
  'Another payment may be reserved under the key of this amendment. It will be voided, and nothing was changed: read the ' +
  'order again, then repeat the request.';
