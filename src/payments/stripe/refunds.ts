import { PaymentRefused } from '../../domain/payment';
import { isAnswer, keyReused, refusalOf } from './errors';
import type { Intent, Refund, StripeRequests } from './requests';

/** Refunds of a captured PaymentIntent, once per key: Stripe's idempotency for a day, the refund's metadata for ever. */
export function createStripeRefunds(requests: StripeRequests) {
  /** Those that pay something back; what failed or was cancelled has come back to us. */
  async function list({ id }: Intent): Promise<Refund[]> {
    return (await requests.refunds(id)).filter(counts);
  }

  /** @param amount as Stripe counts @throws {PaymentRefused} */
  async function make(intent: Intent, key: string, amount: number): Promise<void> {
    if (await isMade(intent, key, amount)) return;
    try {
      requirePaid(await requests.refund(intent.id, key, amount));
    } catch (error) {
      if (!isAnswer(error)) throw error;
      if (await isMade(intent, key, amount)) return;
      throw refusalOf(error);
    }
  }

  /** @throws {PaymentRefused} it was made and came back, or it would be too much */
  async function isMade(intent: Intent, key: string, amount: number): Promise<boolean> {
    const refunds = await requests.refunds(intent.id);
    const made = refunds.find(({ metadata }) => metadata?.key === key);
    if (made) {
      if (made.amount !== amount) throw keyReused();
      requirePaid(made);
      return true;
    }
    const left = refunds
      .filter(counts)
      .reduce((rest, refund) => rest - refund.amount, intent.amount_received);
    if (amount > left) throw tooMuch();
    return false;
  }

  return { list, make };
}

function counts({ status }: Refund): boolean {
  return status !== 'failed' && status !== 'canceled';
}

function requirePaid(refund: Refund): void {
  if (counts(refund)) return;
  throw new PaymentRefused(
    `The bank did not take the refund ${refund.id}: ask again with a new key, or pay the customer back in another way.`,
  );
}

function tooMuch(): PaymentRefused {
  return new PaymentRefused('More would be refunded than is left of what was captured: refund less.');
}
