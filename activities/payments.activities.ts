import { log } from '@temporalio/activity';
import type { PaymentRef } from '../src/domain/payment';
import { PaymentDeclined, PaymentKeyReused, PaymentRefused } from '../src/domain/errors';
import type { PaymentProvider } from '../src/payments/payment-provider';

/** A payment, and the id of the HTTP request that led to the call, for the logs. */
export interface PaymentCall extends PaymentRef {
  requestId: string;
}

export type PaymentActivities = ReturnType<typeof createPaymentActivities>;

/** Each may run twice, late, or twice at once: the provider carries out an operation once for each key. */
export function createPaymentActivities({ provider }: { provider: PaymentProvider }) {
  return {
    /**
     * Returns the provider's own id of the payment.
     * @throws {PaymentDeclined} nothing is reserved
     * @throws {PaymentKeyReused} another amount may be reserved under this key
     */
    async authorizePayment(payment: PaymentCall): Promise<string> {
      const { reference } = await provider.authorize(payment).catch(asDeclined);
      log.info('payment authorised', { reference });
      return reference;
    },

    /**
     * Returns the provider's id of an authorisation whose outcome is unknown, or null if nothing is reserved.
     */
    async findAuthorization(payment: PaymentCall): Promise<string | null> {
      const found = await provider.find(payment);
      return found?.status === 'authorized' ? found.reference : null;
    },

    /** Captures the whole amount. @throws {PaymentRefused} the authorisation has lapsed or was voided */
    async capturePayment(payment: PaymentCall): Promise<void> {
      const { captured } = await provider.capture(`${payment.key}-capture`, payment);
      log.info('payment captured', { captured });
    },

    /** @param key names the refund @throws {PaymentRefused} less than the amount is left */
    async refundPayment(payment: PaymentCall, key: string, amount: number): Promise<void> {
      await provider.refund(key, payment, amount);
      log.info('payment refunded', { amount });
    },

    /**
     * Makes sure that nothing of the payment stays reserved or captured. If it was never authorised, an
     * authorisation that comes late is rejected. Returns whether anything was reserved.
     */
    async voidPayment(payment: PaymentCall): Promise<boolean> {
      const wasAuthorized = await voidOrRefund(provider, payment);
      log.info('payment voided', { wasAuthorized });
      return wasAuthorized;
    },
  };
}

/** Refunds the payment if it cannot be voided: an abandoned run of `capturePayment` may have captured it. */
async function voidOrRefund(provider: PaymentProvider, payment: PaymentRef): Promise<boolean> {
  try {
    return (await provider.void(`${payment.key}-void`, payment)).authorized > 0;
  } catch (error) {
    if (!(error instanceof PaymentRefused)) throw error;
    const found = await provider.find(payment);
    if (!found || found.captured === 0) throw error;
    const left = found.captured - found.refunds.reduce((sum, { amount }) => sum + amount, 0);
    if (left > 0) await provider.refund(`${payment.key}-undo`, payment, left);
    return true;
  }
}

/** Treats a key that was voided before as declined: nothing is reserved, and nothing will be. */
function asDeclined(error: unknown): never {
  if (error instanceof PaymentKeyReused) throw error;
  throw error instanceof PaymentRefused ? new PaymentDeclined(error.message) : error;
}
