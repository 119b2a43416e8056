import Stripe from 'stripe';
import type { Authorization } from '../../domain/payment';
import { amountNotAccepted } from '../amounts';
import type { FinalStripeError } from './errors';
import type { Intent } from './requests';

const ANOTHER = 'Use another payment method.';
const NOT_ACCEPTED = `The payment service does not accept this payment method. ${ANOTHER}`;

/** What to do about an amount that the account cannot be paid, by Stripe's code of the error. */
const WHAT_TO_DO: Readonly<Record<string, string>> = {
  amount_too_small: 'it is too little, so order more',
  amount_too_large: 'it is too much, so order less at once',
};

/** Returns the reason for the customer why the authorisation failed. */
export function declineReasonOf({ last_payment_error: error }: Intent): string {
  // Without an error, the bank requires the customer to act (`requires_action`).
  if (!error)
    return `The bank requires the customer to confirm the payment, which is not supported. ${ANOTHER}`;
  return error.type === 'card_error' && error.message ? `${error.message} ${ANOTHER}` : NOT_ACCEPTED;
}

/** Returns the reason behind an error. Only the messages of card errors are meant for customers. */
export function declineReasonOfError(error: FinalStripeError): string {
  return error instanceof Stripe.errors.StripeCardError ? `${error.message} ${ANOTHER}` : NOT_ACCEPTED;
}

/** Returns the reason if Stripe does not accept this payment, or undefined for any other error. */
export function notAccepted(
  { param, code = '' }: FinalStripeError,
  authorization: Authorization,
): string | undefined {
  if (param === 'payment_method') return NOT_ACCEPTED;
  const isAboutAmount = param === 'amount' || param === 'currency';
  return isAboutAmount ? amountNotAccepted(authorization, WHAT_TO_DO[code]) : undefined;
}
