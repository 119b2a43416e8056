import Stripe from 'stripe';
import { unchargeableReason } from '../../domain/money';
import type { PaymentRef, ProviderPayment } from '../../domain/payment';
import { PaymentRefused } from '../../domain/errors';
import type { PaymentProvider } from '../payment-provider';
import { toStripeAmount } from '../amounts';
import { createStripeAuthorization } from './authorization';
import { declineReasonOf } from './declines';
import { createStripeCaptures } from './captures';
import {
  ensureDone,
  isCancelled,
  presentIntent,
  presentWithoutIntent,
  refused,
  requireUncaptured,
  statusOf,
} from './intents';
import { createStripeRefunds } from './refunds';
import type { StripePayment, StripePaymentRepository } from './repository';
import { createStripeRequests, type Intent, type StripeRequestOptions } from './requests';

/** An operation has 15 s. Most requests take well below one; a bank may need a few to authorise. */
const TIMEOUT_MS = 10_000;

/** Creates the official client without retries: the workflow retries, where the attempts are visible. */
export function createStripeClient(secretKey: string, options: Stripe.StripeConfig = {}): Stripe {
  return new Stripe(secretKey, { timeout: TIMEOUT_MS, maxNetworkRetries: 0, telemetry: false, ...options });
}

export interface StripeProviderDeps extends StripeRequestOptions {
  stripe: Stripe;
  payments: StripePaymentRepository;
}

/**
 * Payments by Stripe, with one manually captured PaymentIntent per key. The state of the PaymentIntent
 * decides what has been done, whatever the response to a request was and whether there was one.
 */
export function createStripeProvider({
  stripe,
  payments,
  multicapture = false,
}: StripeProviderDeps): PaymentProvider {
  const requests = createStripeRequests(stripe, { multicapture });
  const captures = createStripeCaptures(requests);
  const refunds = createStripeRefunds(requests);
  const authorize = createStripeAuthorization(requests, payments);

  async function presentAuthorized(intent: Intent, key: string): Promise<ProviderPayment> {
    const status = statusOf(intent) === 'captured' ? 'captured' : 'authorized';
    const made = intent.amount_received > 0 ? await refunds.list(intent) : [];
    return presentIntent(intent, { key, status, refunds: made });
  }

  async function intentOf({ key, reference }: PaymentRef): Promise<Intent> {
    const id = reference ?? (await payments.find(key))?.reference;
    if (id == null) throw new PaymentRefused(`There is no payment ${key}: authorise it first.`);
    return requests.retrieve(id);
  }

  return {
    name: 'stripe',
    captures: multicapture ? 'many' : 'once',

    authorize: async (authorization) => presentAuthorized(await authorize(authorization), authorization.key),

    async capture(key, payment, { amount, isFinal }) {
      const stripeAmount = toStripeAmount(amount, payment.currency);
      if (stripeAmount === undefined) throw notExact(payment, amount);
      const intent = await intentOf(payment);
      const captured = await captures.ensureCaptured(intent, key, { amount: stripeAmount, isFinal });
      return presentAuthorized(captured, payment.key);
    },

    async release(key, payment) {
      const released = await captures.ensureReleased(await intentOf(payment), key);
      return presentAuthorized(released, payment.key);
    },

    async void(key, payment) {
      const record = await payments.claim(payment.key, null); // closes the key if it has no intent yet
      const id = payment.reference ?? record.reference;
      if (id === null) return presentWithoutIntent(payment, record);
      const intent = await requests.retrieve(id);
      const cancel = () => requests.cancel(id, key, 'requested_by_customer');
      const cancelled = await ensureDone(requests, intent, isCancelled, cancel);
      requireUncaptured(cancelled); // a capture may have been faster, which a cancellation does not undo
      return presentClosed(cancelled, payment.key, record);
    },

    async refund(key, payment, amount) {
      const stripeAmount = toStripeAmount(amount, payment.currency);
      if (stripeAmount === undefined) throw notExact(payment, amount);
      const intent = await intentOf(payment);
      if (intent.amount_received === 0) throw refused(intent, 'is not captured and cannot be refunded');
      await refunds.ensureMade(intent, key, stripeAmount);
      return presentAuthorized(intent, payment.key);
    },

    async find(payment) {
      const record = await payments.find(payment.key);
      const id = payment.reference ?? record?.reference;
      if (id == null) return record && presentWithoutIntent(payment, record);
      const intent = await requests.retrieve(id);
      const status = statusOf(intent);
      if (status === 'unconfirmed') return null; // the bank has not been asked
      if (status === 'authorized' || status === 'captured') return presentAuthorized(intent, payment.key);
      return presentClosed(intent, payment.key, record);
    },

    list: async () => ({ payments: [], nextCursor: null }),
  };
}

/** Presents a voided or declined payment. */
function presentClosed(intent: Intent, key: string, record: StripePayment | null): ProviderPayment {
  const isDeclined = statusOf(intent) === 'declined'; // then a process died before it could record the reason
  const declineReason = record?.declineReason ?? (isDeclined ? declineReasonOf(intent) : undefined);
  return presentIntent(intent, { key, status: declineReason ? 'declined' : 'voided', declineReason });
}

function notExact({ currency }: PaymentRef, amount: number): PaymentRefused {
  const reason = unchargeableReason(amount, currency) ?? 'it is too large';
  return new PaymentRefused(`The amount ${amount} is not possible: ${reason}.`);
}
