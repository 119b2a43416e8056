import { log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { BusinessError, PaymentRefused } from '../src/domain/errors';
import type { PaymentOutcome, PaymentTask } from '../src/domain/intention';
import { givingUp, keptOf, type PaymentRef } from '../src/domain/payment';
import type { PaymentProvider } from '../src/payments/payment-provider';
import { callProvider, inspect, type Inspection } from './payment-calls';

/** The order that a call is for, and the id of the HTTP request that led to it, for the logs. */
interface Subject {
  orderId: string;
  requestId: string;
}

export type PaymentTaskCall = PaymentTask & Subject;
/** A payment of an order. */
export type PaymentCall = PaymentRef & Subject;
/** A part of a payment that is paid back. */
export interface PayBackCall extends Subject {
  payment: PaymentRef;
  /** The id of the refund. */
  key: string;
  /** Minor units. */
  amount: number;
}

export type PaymentActivities = ReturnType<typeof createPaymentActivities>;

/** Each may run twice, late, or twice at once: the provider carries out an operation once for each key. */
export function createPaymentActivities({ provider }: { provider: PaymentProvider }) {
  async function call(task: PaymentTaskCall): Promise<PaymentOutcome> {
    const outcome = await callProvider({ provider, task });
    const { operation, amount } = task;
    log.info('payment service called', { operation, amount, outcome: outcome.state });
    return outcome;
  }

  return {
    /** Reserves the amount. */
    authorizePayment: call,

    /** Captures the amount, and releases what is left if it is the last capture. */
    capturePayment: call,

    /** Refunds the amount. */
    refundPayment: call,

    /** Returns what became of an authorisation whose outcome is unknown, or null if nothing is, or can be, reserved. */
    async findAuthorization({ payment }: PaymentTaskCall): Promise<PaymentOutcome | null> {
      const found = await provider.find(payment);
      const { status, reference, captures } = found ?? {};
      if (status === 'authorized') return { state: 'done', reference: reference!, captures };
      const isWaiting = status === 'action_required' && payment.isOnSession;
      return isWaiting ? { state: status, reference: reference!, captures } : null;
    },

    /** Returns the payment service's record of the payment. */
    async inspectPayment(payment: PaymentCall): Promise<Inspection> {
      const inspection = await inspect({ provider, payment });
      log.info('payment inspected', { status: inspection.found?.status ?? 'unknown' });
      return inspection;
    },

    /** Releases what is still reserved after captures in part. */
    async releasePayment(payment: PaymentCall): Promise<boolean> {
      await provider.release(givingUp(payment.key).release, payment).catch(withoutRetry);
      log.info('payment released');
      return true;
    },

    /** Refunds what the system owes. */
    async payBack({ payment, key, amount }: PayBackCall): Promise<boolean> {
      await provider.refund(key, payment, amount).catch(withoutRetry);
      log.info('payment paid back', { amount });
      return true;
    },

    /**
     * Makes sure that nothing of the payment stays reserved or captured. If it was never authorised, an
     * authorisation that comes late is rejected. Returns whether anything was reserved.
     */
    async voidPayment(payment: PaymentCall): Promise<boolean> {
      const wasAuthorized = await voidOrRefund(provider, payment).catch(withoutRetry);
      log.info('payment voided', { wasAuthorized });
      return wasAuthorized;
    },
  };
}

/** Refunds the payment if it cannot be voided: an abandoned run of `capturePayment` may have captured it. */
async function voidOrRefund(provider: PaymentProvider, payment: PaymentRef): Promise<boolean> {
  try {
    return (await provider.void(givingUp(payment.key).void, payment)).authorized > 0;
  } catch (error) {
    if (!(error instanceof PaymentRefused)) throw error;
    const found = await provider.find(payment);
    if (!found || found.captured === 0) throw error;
    if (found.status === 'authorized') await provider.release(givingUp(payment.key).release, payment);
    const left = keptOf(found);
    if (left > 0) await provider.refund(givingUp(payment.key).refund, payment, left);
    return true;
  }
}

/** Temporal does not repeat what the payment service has refused: an operator should look. */
function withoutRetry(error: unknown): never {
  if (!(error instanceof BusinessError)) throw error;
  const { message, name: type } = error;
  throw ApplicationFailure.create({ message, type, nonRetryable: true, category: 'BENIGN' });
}
