import Stripe from 'stripe';
import { PaymentKeyReused, PaymentRefused } from '../../domain/payment';

const { StripeAPIError, StripeCardError, StripeIdempotencyError, StripeInvalidRequestError } = Stripe.errors;

export type StripeAnswer =
  | Stripe.errors.StripeCardError
  | Stripe.errors.StripeInvalidRequestError
  | Stripe.errors.StripeIdempotencyError;

const BAD_REQUEST = 400;

const LAPSED = 'The authorisation has lapsed: the customer has to pay anew.';
const DISPUTED = 'The payment is disputed at the bank: it can be refunded when that is settled.';
/** What Stripe refuses while the state of the PaymentIntent would allow it (https://docs.stripe.com/error-codes). */
const REFUSALS: Readonly<Record<string, string>> = {
  charge_expired_for_capture: LAPSED,
  capture_charge_authorization_expired: LAPSED,
  capture_unauthorized_payment: LAPSED,
  charge_disputed: DISPUTED,
  refund_disputed_payment: DISPUTED,
};

/** Stripe says no, and would say so again. All other errors leave open whether it was done. */
export function isAnswer(error: unknown): error is StripeAnswer {
  if (error instanceof StripeCardError || error instanceof StripeIdempotencyError) return true;
  return error instanceof StripeInvalidRequestError && error.statusCode === BAD_REQUEST;
}

/** What the answer to a capture, a cancellation or a refund means: asked again, Stripe would say the same. */
export function refusalOf(error: StripeAnswer): PaymentRefused {
  if (isKeyReused(error)) return keyReused({ cause: error });
  const known = error.code === undefined ? undefined : REFUSALS[error.code];
  return new PaymentRefused(known ?? error.message, { cause: error });
}

export function isKeyReused(error: StripeAnswer): boolean {
  return error instanceof StripeIdempotencyError;
}

export function keyReused(options?: ErrorOptions): PaymentKeyReused {
  return new PaymentKeyReused(
    'The key was used for something else: use a new key for each operation.',
    options,
  );
}

/** A failure on Stripe's side that it repeats because the idempotency key was repeated. */
export function isReplayedFailure(error: unknown): boolean {
  return error instanceof StripeAPIError && error.headers?.['idempotent-replayed'] === 'true';
}
