import type { ProviderRefund } from '../../domain/payment';
import { PaymentRefused } from '../../domain/errors';
import { fromStripeAmount } from '../amounts';
import { isFinalError, keyReused, toPaymentRefused } from './errors';
import type { Intent, Refund, StripeRequests } from './requests';

/**
 * Refunds of a captured PaymentIntent, one per key: for a day by Stripe's idempotency, and permanently by the
 * metadata of the refund.
 */
export function createStripeRefunds(requests: StripeRequests) {
  /** @param amount in Stripe's unit @throws {PaymentRefused} */
  async function ensureMade(intent: Intent, key: string, amount: number): Promise<void> {
    if (await isMade(intent, key, amount)) return;
    try {
      requireSuccess(await requests.refund(intent.id, key, amount));
    } catch (error) {
      if (!isFinalError(error)) throw error;
      if (await isMade(intent, key, amount)) return;
      throw toPaymentRefused(error);
    }
  }

  /** @throws {PaymentRefused} the refund was made and failed later, or it is more than what is left */
  async function isMade(intent: Intent, key: string, amount: number): Promise<boolean> {
    const refunds = await requests.refunds(intent.id);
    const made = refunds.find(({ metadata }) => metadata?.key === key);
    if (made) {
      if (made.amount !== amount) throw keyReused();
      requireSuccess(made);
      return true;
    }
    const left = refunds
      .filter(counts)
      .reduce((rest, refund) => rest - refund.amount, intent.amount_received);
    if (amount > left) throw tooMuch();
    return false;
  }

  return { ensureMade };
}

export function presentRefund(refund: Refund, currency: string): ProviderRefund {
  return {
    key: refund.metadata?.key ?? refund.id, // a refund made in the Dashboard has no key of ours
    amount: fromStripeAmount(refund.amount, currency),
    status: statusOf(refund),
  };
}

function statusOf(refund: Refund): ProviderRefund['status'] {
  if (!counts(refund)) return 'failed';
  return refund.status === 'pending' || refund.status === 'requires_action' ? 'pending' : 'succeeded';
}

function counts({ status }: Refund): boolean {
  return status !== 'failed' && status !== 'canceled';
}

function requireSuccess(refund: Refund): void {
  if (counts(refund)) return;
  throw new PaymentRefused(
    `The refund ${refund.id} failed at the bank: request it again with a new key, or pay the customer another way.`,
  );
}

function tooMuch(): PaymentRefused {
  return new PaymentRefused('The refund is more than what is left of the captured amount: refund less.');
}
