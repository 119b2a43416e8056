import Stripe from 'stripe';
import { PaymentKeyReused, PaymentRefused } from '../../domain/errors';

const { StripeAPIError, StripeCardError, StripeIdempotencyError, StripeInvalidRequestError } = Stripe.errors;

/** An error that Stripe would return again for the same request. */
export type FinalStripeError =
  | Stripe.errors.StripeCardError
  | Stripe.errors.StripeInvalidRequestError
  | Stripe.errors.StripeIdempotencyError;

const BAD_REQUEST = 400;

const EXPIRED = 'The authorisation has expired: the customer has to pay again.';
const DISPUTED = 'The payment is disputed: it can be refunded once the dispute is settled.';
/** Errors that the state of a PaymentIntent does not show (https://docs.stripe.com/error-codes). */
const MESSAGES: Readonly<Record<string, string>> = {
  charge_expired_for_capture: EXPIRED,
  capture_charge_authorization_expired: EXPIRED,
  capture_unauthorized_payment: EXPIRED,
  charge_disputed: DISPUTED,
  refund_disputed_payment: DISPUTED,
};

/** Tells whether Stripe would return the error again. Any other error leaves the outcome unknown. */
export function isFinalError(error: unknown): error is FinalStripeError {
  if (error instanceof StripeCardError || error instanceof StripeIdempotencyError) return true;
  return error instanceof StripeInvalidRequestError && error.statusCode === BAD_REQUEST;
}

/** Tells whether Stripe has no such object. */
export function isMissing(error: unknown): boolean {
  return error instanceof StripeInvalidRequestError && error.code === 'resource_missing';
}

/** Translates the error of a capture, a cancellation or a refund. */
export function toPaymentRefused(error: FinalStripeError): PaymentRefused {
  if (isKeyReused(error)) return keyReused({ cause: error });
  const message = error.code === undefined ? undefined : MESSAGES[error.code];
  return new PaymentRefused(message ?? error.message, { cause: error });
}

export function isKeyReused(error: FinalStripeError): boolean {
  return error instanceof StripeIdempotencyError;
}

export function keyReused(options?: ErrorOptions): PaymentKeyReused {
  return new PaymentKeyReused(
    'The key was used for a different operation: use a new key for each operation.',
    options,
  );
}

/**
 * Tells whether Stripe has replayed an earlier failure of its own because the idempotency key was the same.
 */
export function isReplayedFailure(error: unknown): boolean {
  return error instanceof StripeAPIError && error.headers?.['idempotent-replayed'] === 'true';
}
