import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import type { Authorization } from '../../domain/payment';
import { isReplayedFailure } from './errors';

export type Intent = Stripe.PaymentIntent;
export type Refund = Stripe.Refund;
export type Dispute = Stripe.Dispute;
export type StripeRequests = ReturnType<typeof createStripeRequests>;

export interface StripeCapture {
  /** In Stripe's unit. */
  amount: number;
  /** Whether Stripe releases what is left. */
  isFinal: boolean;
  /** The entry of the intent's metadata that tells that this was captured. */
  record: { name: string; value: string };
}

export interface StripeRequestOptions {
  /** Whether intents may be captured many times, if the card supports it; false by default. */
  multicapture?: boolean;
  /**
   * Where banks send customers back to who confirmed a payment in a browser, with the id of the order in the query. Without
   * it, the shop's pages need Stripe's own SDK to ask them.
   */
  returnUrl?: string;
}

/** A period of a list of Stripe's, in its order: the newest first. */
export interface StripePeriod {
  created: { gte: number; lt: number };
  /** The id of the last object that has been read. */
  starting_after?: string;
}

/** Tells our requests from those of other programs and of the Dashboard on the same Stripe account. */
const KEY_PREFIX = 'orders-management-system';
/** The charge tells whether a cancelled intent was ever authorised. */
const WITH_CHARGE = { expand: ['latest_charge'] };
const WITH_SDK = { use_stripe_sdk: true };
const LISTED = { expand: ['data.latest_charge.refunds'], limit: 100 };
const MAX_REFUNDS = 10_000;
const MAX_DISPUTES = 1_000;

/**
 * The requests to Stripe. Stripe rejects a repeat whose parameters differ from those of the first request
 * with the same idempotency key: if you change the parameters of a request here, change the step in its key
 * as well.
 */
export function createStripeRequests(
  stripe: Stripe,
  { multicapture = false, returnUrl }: StripeRequestOptions = {},
) {
  const cardOptions = { payment_method_options: { card: { request_multicapture: 'if_available' } } } as const;

  const createStep = ['create', multicapture && 'multicapture', returnUrl !== undefined && 'return']
    .filter(Boolean)
    .join('-');

  return {
    /** Creates an intent, which moves no money until it is confirmed. @param amount in Stripe's unit */
    create: ({ key, orderId, currency, paymentMethod }: Authorization, amount: number): Promise<Intent> =>
      stripe.paymentIntents.create(
        {
          amount,
          currency: currency.toLowerCase(),
          payment_method: paymentMethod,
          capture_method: 'manual',
          ...(returnUrl === undefined
            ? { automatic_payment_methods: { enabled: true, allow_redirects: 'never' } }
            : { payment_method_types: ['card'] }),
          metadata: { key, orderId, paymentMethod },
          ...(multicapture && cardOptions),
          ...WITH_CHARGE,
        },
        { idempotencyKey: idempotencyKeyOf(key, createStep) },
      ),

    retrieve: (id: string): Promise<Intent> => stripe.paymentIntents.retrieve(id, WITH_CHARGE),

    /** Confirms an intent. If the bank wants the customer to act, who is not there, Stripe declines the payment. */
    confirm: (id: string, { key, orderId, isOnSession = false }: Authorization): Promise<Intent> => {
      const asking = returnUrl === undefined ? WITH_SDK : { return_url: withOrder(returnUrl, orderId) };
      return stripe.paymentIntents.confirm(
        id,
        { ...(isOnSession ? asking : { off_session: true }), ...WITH_CHARGE },
        { idempotencyKey: idempotencyKeyOf(key, isOnSession ? 'confirm' : 'confirm-off-session') },
      );
    },

    /** A capture is final unless it says otherwise, which only an intent with multicapture may. */
    capture: (id: string, key: string, { amount, isFinal, record }: StripeCapture): Promise<Intent> =>
      (isFinal ? guardedByState : guardedByKeys)(idempotencyKeyOf(key, 'capture'), (idempotencyKey) =>
        stripe.paymentIntents.capture(
          id,
          {
            amount_to_capture: amount,
            ...(!isFinal && { final_capture: false }),
            metadata: { [record.name]: record.value },
            ...WITH_CHARGE,
          },
          { idempotencyKey },
        ),
      ),

    /** Releases what is left of an intent that has been captured in part. */
    release: (id: string, key: string): Promise<Intent> =>
      guardedByState(idempotencyKeyOf(key, 'release'), (idempotencyKey) =>
        stripe.paymentIntents.capture(
          id,
          { amount_to_capture: 0, final_capture: true, ...WITH_CHARGE },
          { idempotencyKey },
        ),
      ),

    cancel: (
      id: string,
      key: string,
      reason: Stripe.PaymentIntentCancelParams.CancellationReason,
    ): Promise<Intent> =>
      guardedByState(idempotencyKeyOf(key, 'cancel'), (idempotencyKey) =>
        stripe.paymentIntents.cancel(id, { cancellation_reason: reason, ...WITH_CHARGE }, { idempotencyKey }),
      ),

    refunds: (id: string): Promise<Refund[]> =>
      stripe.refunds.list({ payment_intent: id, limit: 100 }).autoPagingToArray({ limit: MAX_REFUNDS }),

    disputes: (id: string): Promise<Dispute[]> =>
      stripe.disputes.list({ payment_intent: id, limit: 100 }).autoPagingToArray({ limit: MAX_DISPUTES }),

    /** Returns a page of intents with their charges, and the latest refunds of these. */
    listIntents: (period: StripePeriod): Promise<Stripe.ApiList<Intent>> =>
      stripe.paymentIntents.list({ ...period, ...LISTED }),

    listRefunds: (period: StripePeriod): Promise<Stripe.ApiList<Refund>> =>
      stripe.refunds.list({ ...period, limit: LISTED.limit }),

    listDisputes: (period: StripePeriod): Promise<Stripe.ApiList<Dispute>> =>
      stripe.disputes.list({ ...period, limit: LISTED.limit }),

    /** @param amount in Stripe's unit */
    refund: (id: string, key: string, amount: number): Promise<Refund> =>
      stripe.refunds.create(
        { payment_intent: id, amount, metadata: { key } },
        { idempotencyKey: idempotencyKeyOf(key, 'refund') },
      ),
  };
}

/**
 * Repeats a request with a new key if Stripe replays an earlier failure of its own, which it does for a day.
 * Final captures and cancellations allow this: the state of the intent keeps them from taking effect twice.
 */
async function guardedByState<T>(
  idempotencyKey: string,
  request: (idempotencyKey: string) => Promise<T>,
): Promise<T> {
  try {
    return await request(idempotencyKey);
  } catch (error) {
    if (!isReplayedFailure(error)) throw error;
    return request(`${idempotencyKey}/${randomUUID()}`);
  }
}

/**
 * Does the same for a capture that leaves the intent open to more. Processes that are at it at the same time walk the
 * same keys, so Stripe carries it out once.
 */
async function guardedByKeys<T>(
  idempotencyKey: string,
  request: (idempotencyKey: string) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request(attempt === 1 ? idempotencyKey : `${idempotencyKey}/${attempt}`);
    } catch (error) {
      if (!isReplayedFailure(error)) throw error;
    }
  }
}

function withOrder(returnUrl: string, orderId: string): string {
  const url = new URL(returnUrl);
  url.searchParams.set('orderId', orderId);
  return url.href;
}

/** Returns the idempotency key of one request. The step tells apart the requests of one operation. */
function idempotencyKeyOf(operationKey: string, step: string): string {
  return `${KEY_PREFIX}/${operationKey}/${step}`;
}

/** Stripe names an object by its id, or sends it whole. */
export function idOf(reference: string | { id: string } | null | undefined): string | undefined {
  return typeof reference === 'object' ? reference?.id : reference;
}

/** Tells whether an event was caused by a request of ours. The key is null if Stripe itself caused it. */
export function isOurRequest(idempotencyKey: string | null | undefined): boolean {
  return idempotencyKey?.startsWith(`${KEY_PREFIX}/`) ?? false;
}
