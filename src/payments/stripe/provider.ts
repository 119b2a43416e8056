import type Stripe from 'stripe';
import { formatAmount } from '../../domain/money';
import { PaymentRefused, type PaymentRef, type ProviderPayment } from '../../domain/payment';
import type { PaymentProvider } from '../payment-provider';
import { toStripeAmount } from './amounts';
import { createStripeAuthorization } from './authorization';
import { declineReasonOf } from './declines';
import { createStripeRefunds } from './refunds';
import type { StripePayment, StripePaymentRepository } from './repository';
import { createStripeRequests, type Intent } from './requests';
import { isCancelled, isCapturedUnder, refused, settle } from './settle';
import { presentIntent, presentNone, standingOf } from './intents';

export interface StripeProviderDeps {
  stripe: Stripe;
  payments: StripePaymentRepository;
}

/**
 * Payments by Stripe: for each key a PaymentIntent with manual capture. Whatever Stripe answers or fails to answer,
 * the state of the PaymentIntent has the last word on what was done.
 */
export function createStripeProvider({ stripe, payments }: StripeProviderDeps): PaymentProvider {
  const requests = createStripeRequests(stripe);
  const refunds = createStripeRefunds(requests);
  const authorize = createStripeAuthorization(requests, payments);

  /** What was reserved; an intent that is authorised or captured was not declined. */
  async function presentPaid(intent: Intent, key: string): Promise<ProviderPayment> {
    if (standingOf(intent) !== 'captured') return presentIntent(intent, { key, status: 'authorized' });
    return presentIntent(intent, { key, status: 'captured', refunds: await refunds.list(intent) });
  }

  async function intentOf({ key, reference }: PaymentRef): Promise<Intent> {
    const id = reference ?? (await payments.find(key))?.reference;
    if (id == null) throw new PaymentRefused(`There is no payment ${key}: authorise it first.`);
    return requests.retrieve(id);
  }

  return {
    name: 'stripe',

    authorize: async (authorization) => presentPaid(await authorize(authorization), authorization.key),

    async capture(key, payment) {
      const intent = await intentOf(payment);
      const isCaptured = (now: Intent) => isCapturedUnder(key, now);
      const captured = await settle(requests, intent, isCaptured, (id) => requests.capture(id, key));
      return presentPaid(captured, payment.key);
    },

    async void(key, payment) {
      const record = await payments.claim(payment.key, null); // closes the key, if there is no intent yet
      const id = payment.reference ?? record.reference;
      if (id === null) return presentNone(payment, record);
      const intent = await requests.retrieve(id);
      const cancel = () => requests.cancel(id, key, 'requested_by_customer');
      return presentEnded(await settle(requests, intent, isCancelled, cancel), payment.key, record);
    },

    async refund(key, payment, amount) {
      const asked = toStripeAmount(amount, payment.currency);
      if (asked === undefined) throw notPossible(payment, amount);
      const intent = await intentOf(payment);
      if (standingOf(intent) !== 'captured') throw refused(intent, 'is not captured and cannot be refunded');
      await refunds.make(intent, key, asked);
      return presentPaid(intent, payment.key);
    },

    async find(payment) {
      const record = await payments.find(payment.key);
      const id = payment.reference ?? record?.reference;
      if (id == null) return record && presentNone(payment, record);
      const intent = await requests.retrieve(id);
      const standing = standingOf(intent);
      if (standing === 'unconfirmed') return null; // nobody has asked the bank
      if (standing === 'authorized' || standing === 'captured') return presentPaid(intent, payment.key);
      return presentEnded(intent, payment.key, record);
    },
  };
}

function presentEnded(intent: Intent, key: string, record: StripePayment | null): ProviderPayment {
  const isDeclined = standingOf(intent) === 'declined'; // by a process that died before it could note it
  const declineReason = record?.declineReason ?? (isDeclined ? declineReasonOf(intent) : undefined);
  return presentIntent(intent, { key, status: declineReason ? 'declined' : 'voided', declineReason });
}

function notPossible({ currency }: PaymentRef, amount: number): PaymentRefused {
  return new PaymentRefused(
    `Stripe cannot pay back ${formatAmount(amount, currency)} exactly: refund an amount that ends in 0.`,
  );
}
