import Stripe from 'stripe';
import { unchargeableReason } from '../../domain/money';
import type { PaymentRef, ProviderPayment } from '../../domain/payment';
import { PaymentRefused } from '../../domain/errors';
import { isTracing } from '../../tracing/spans';
import type { PaymentProvider } from '../payment-provider';
import { toStripeAmount } from '../amounts';
import { createStripeAuthorization } from './authorization';
import { declineReasonOf } from './declines';
import { createStripeCaptures } from './captures';
import { isMissing } from './errors';
import { createStripeList } from './list';
import {
  chargeOf,
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
import { traceRequests } from './request-spans';
import { createStripeRequests, type Intent, type StripeRequestOptions } from './requests';

/** An operation has 15 s. Most requests take well below one; a bank may need a few to authorise. */
const TIMEOUT_MS = 10_000;
const HOST = 'api.stripe.com';

/** Creates the official client without retries: the workflow retries, where the attempts are visible. */
export function createStripeClient(secretKey: string, options: Stripe.StripeConfig = {}): Stripe {
  const stripe = new Stripe(secretKey, {
    timeout: TIMEOUT_MS,
    maxNetworkRetries: 0,
    telemetry: false,
    ...options,
  });
  if (isTracing()) traceRequests(stripe, options.host ?? HOST);
  return stripe;
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
  returnUrl,
}: StripeProviderDeps): PaymentProvider {
  const requests = createStripeRequests(stripe, { multicapture, returnUrl });
  const captures = createStripeCaptures(requests);
  const refunds = createStripeRefunds(requests);
  const authorization = createStripeAuthorization(requests, payments);

  /** Presents a payment that is alive, with what became of its captures. */
  async function presentLive(intent: Intent, key: string): Promise<ProviderPayment> {
    const status = statusOf(intent);
    if (status === 'unconfirmed')
      throw new Error(`The PaymentIntent ${intent.id} was confirmed, and is not.`);
    const made = intent.amount_received > 0 ? await requests.refunds(intent.id) : [];
    const disputes = chargeOf(intent)?.disputed ? await requests.disputes(intent.id) : [];
    return presentIntent(intent, { key, status, refunds: made, disputes });
  }

  async function intentOf({ key, reference }: PaymentRef): Promise<Intent> {
    const id = reference ?? (await payments.find(key))?.reference;
    if (id == null) throw new PaymentRefused(`There is no payment ${key}: authorise it first.`);
    return requests.retrieve(id);
  }

  return {
    name: 'stripe',
    captures: multicapture ? 'many' : 'once',

    authorize: async (requested) => presentLive(await authorization.authorize(requested), requested.key),

    async capture(key, payment, { amount, isFinal }) {
      const stripeAmount = toStripeAmount(amount, payment.currency);
      if (stripeAmount === undefined) throw notExact(payment, amount);
      const intent = await intentOf(payment);
      const captured = await captures.ensureCaptured(intent, key, { amount: stripeAmount, isFinal });
      return presentLive(captured, payment.key);
    },

    async release(key, payment) {
      const released = await captures.ensureReleased(await intentOf(payment), key);
      return presentLive(released, payment.key);
    },

    async void(key, payment) {
      const record = await payments.claim(payment, null); // closes the key if it has no intent yet
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
      return presentLive(intent, payment.key);
    },

    async find(payment) {
      const record = await payments.find(payment.key);
      const id = payment.reference ?? record?.reference;
      if (id == null) return record && presentWithoutIntent(payment, record);
      const intent = await requests.retrieve(id).catch(unlessMissing);
      if (!intent) return null;
      const status = statusOf(intent);
      if (status === 'unconfirmed') return null; // the bank has not been asked
      if (status === 'voided') return presentClosed(intent, payment.key, record);
      if (status !== 'declined') return presentLive(intent, payment.key);
      const declineReason = record?.declineReason ?? declineReasonOf(intent);
      const closed = await authorization.close(intent, payment, declineReason);
      return presentIntent(closed, { key: payment.key, status, declineReason });
    },

    list: createStripeList(requests, payments),
  };
}

/** Presents a payment whose intent is cancelled. */
function presentClosed(intent: Intent, key: string, record: StripePayment | null): ProviderPayment {
  const declineReason = record?.declineReason ?? undefined;
  return presentIntent(intent, { key, status: declineReason ? 'declined' : 'voided', declineReason });
}

function unlessMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

function notExact({ currency }: PaymentRef, amount: number): PaymentRefused {
  const reason = unchargeableReason(amount, currency) ?? 'it is too large';
  return new PaymentRefused(`The amount ${amount} is not possible: ${reason}.`);
}
