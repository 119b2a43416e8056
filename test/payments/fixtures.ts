import { randomBytes } from 'node:crypto';
import type { Authorization, PaymentRef, ProviderPayment } from '../../src/domain/payment';

export function newKey(): string {
  return randomBytes(8).toString('hex');
}

/** A payment of 100.00 EUR that nobody has heard of yet. */
export function newPayment(changes: Partial<Authorization> = {}): PaymentRef {
  const orderId = `ord_${newKey()}`;
  return {
    key: `${orderId}-1`,
    orderId,
    amount: 10_000,
    currency: 'EUR',
    paymentMethod: 'pm_card_visa',
    reference: null,
    ...changes,
  };
}

/** What `work` throws. */
export async function errorOf(work: Promise<unknown>): Promise<Error & { code?: string }> {
  return work.then(
    (answer) => {
      throw new Error(`It was to fail, and answered ${JSON.stringify(answer)}.`);
    },
    (error: Error) => error,
  );
}

export function refundedOf({ refunds }: ProviderPayment): number {
  return refunds.reduce((sum, { amount }) => sum + amount, 0);
}
