import { randomBytes } from 'node:crypto';
import type { Authorization, PaymentRef } from '../../src/domain/payment';

export function newKey(): string {
  return randomBytes(8).toString('hex');
}

/** Returns a payment of 100.00 EUR that no payment service knows yet. */
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

/** The capture of all of a payment of 100.00 EUR. */
export const WHOLE = { amount: 10_000, isFinal: true };

/** Returns the error that `work` rejects with, and throws if it succeeds. */
export async function errorOf(work: Promise<unknown>): Promise<Error & { code?: string }> {
  return work.then(
    (result) => {
      throw new Error(`Expected an error, but got ${JSON.stringify(result)}.`);
    },
    (error: Error) => error,
  );
}
