import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import type { Authorization } from '../../domain/payment';
import { isReplayedFailure } from './errors';
import { idempotencyKeyOf } from './keys';

export type Intent = Stripe.PaymentIntent;
export type Refund = Stripe.Refund;
export type StripeRequests = ReturnType<typeof createStripeRequests>;

/** The charge tells whether a cancelled intent was ever authorised. */
const WITH_CHARGE = { expand: ['latest_charge'] };
const MAX_REFUNDS = 10_000;

/**
 * The requests that we send. Stripe refuses a repeat whose parameters differ from those of the first request under its
 * idempotency key: whoever changes them here changes the step of the key too.
 */
export function createStripeRequests(stripe: Stripe) {
  return {
    /** Moves no money: only an intent that is confirmed does. @param amount as Stripe counts */
    create: ({ key, orderId, currency, paymentMethod }: Authorization, amount: number): Promise<Intent> =>
      stripe.paymentIntents.create(
        {
          amount,
          currency: currency.toLowerCase(),
          payment_method: paymentMethod,
          capture_method: 'manual',
          automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
          metadata: { key, orderId, paymentMethod },
          ...WITH_CHARGE,
        },
        { idempotencyKey: idempotencyKeyOf(key, 'create') },
      ),

    retrieve: (id: string): Promise<Intent> => stripe.paymentIntents.retrieve(id, WITH_CHARGE),

    /** Nobody is there who could answer the questions of a bank (3-D Secure): it is a decline then. */
    confirm: (id: string, key: string): Promise<Intent> =>
      stripe.paymentIntents.confirm(
        id,
        { error_on_requires_action: true, ...WITH_CHARGE },
        { idempotencyKey: idempotencyKeyOf(key, 'confirm') },
      ),

    capture: (id: string, key: string): Promise<Intent> =>
      guardedByState(idempotencyKeyOf(key, 'capture'), (idempotencyKey) =>
        stripe.paymentIntents.capture(
          id,
          { metadata: { captureKey: key }, ...WITH_CHARGE },
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

    /** @param amount as Stripe counts */
    refund: (id: string, key: string, amount: number): Promise<Refund> =>
      stripe.refunds.create(
        { payment_intent: id, amount, metadata: { key } },
        { idempotencyKey: idempotencyKeyOf(key, 'refund') },
      ),
  };
}

/**
 * For a day, Stripe answers a repeat as it answered the first request, with a failure of its own too. A capture or a
 * cancellation cannot happen twice, whatever its key: it gets a new one then.
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
