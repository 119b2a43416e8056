import { log } from '@temporalio/activity';
import type { PaymentRef } from '../src/domain/payment';
import { PaymentDeclined, PaymentKeyReused, PaymentRefused } from '../src/domain/errors';
import type { PaymentProvider } from '../src/payments/payment-provider';

/** A payment, and the HTTP request because of which it is touched, for the logs. */
export interface PaymentCall extends PaymentRef {
  requestId: string;
}

export type PaymentActivities = ReturnType<typeof createPaymentActivities>;

/** Every one may run twice, late, or beside itself: the provider does what it is asked under a key once. */
export function createPaymentActivities({ provider }: { provider: PaymentProvider }) {
  return {
    /**
     * Returns the provider's own id of the payment.
     * @throws {PaymentDeclined} nothing is reserved
     * @throws {PaymentKeyReused} something else may be, under this key
     */
    async authorizePayment(payment: PaymentCall): Promise<string> {
      const { reference } = await provider.authorize(payment).catch(asDeclined);
      log.info('payment authorised', { reference });
      return reference;
    },

    /** The provider's id of an authorisation whose outcome was not known; null when nothing is reserved. */
    async findAuthorization(payment: PaymentCall): Promise<string | null> {
      const found = await provider.find(payment);
      return found?.status === 'authorized' ? found.reference : null;
    },

    /** Takes the whole amount. @throws {PaymentRefused} the authorisation has lapsed or was voided */
    async capturePayment(payment: PaymentCall): Promise<void> {
      const { captured } = await provider.capture(`${payment.key}-capture`, payment);
      log.info('payment captured', { captured });
    },

    /** @param key of this refund @throws {PaymentRefused} more than is left of it */
    async refundPayment(payment: PaymentCall, key: string, amount: number): Promise<void> {
      await provider.refund(key, payment, amount);
      log.info('payment refunded', { amount });
    },

    /**
     * Sees to it that nothing of the payment stays reserved or taken, also when it was never authorised: an
     * authorisation that comes late is refused then.
     * @returns whether there was anything to give back
     */
    async voidPayment(payment: PaymentCall): Promise<boolean> {
      const wasAuthorized = await giveBack(provider, payment);
      log.info('payment voided', { wasAuthorized });
      return wasAuthorized;
    },
  };
}

/** A run of `capturePayment` that nobody waits for any more may have taken the money. */
async function giveBack(provider: PaymentProvider, payment: PaymentRef): Promise<boolean> {
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

/** A key that was closed before is as good as declined: nothing is reserved, nothing will be. */
function asDeclined(error: unknown): never {
  if (error instanceof PaymentKeyReused) throw interrupted(error);
  throw error instanceof PaymentRefused ? new PaymentDeclined(error.message) : error;
}

function interrupted(cause: PaymentKeyReused): PaymentKeyReused {
  return new PaymentKeyReused(
    'An attempt that was interrupted may have reserved another payment: it is given back, and nothing is changed. Read ' +
      'the order again, then repeat the request.',
    { cause },
  );
}
