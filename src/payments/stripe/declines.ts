import Stripe from 'stripe';
import { CUSTOMER_ABSENT, type Authorization } from '../../domain/payment';
import { amountNotAccepted } from '../amounts';
import { declineMessage } from '../declines/messages';
import type { FinalStripeError } from './errors';
import type { Intent } from './requests';

const ANOTHER = 'Use another payment method.';
const NOT_ACCEPTED = `The payment service does not accept this payment method. ${ANOTHER}`;

const AUTHENTICATION_FAILED = 'payment_intent_authentication_failure';
/** The code of a decline for want of authentication: the customer is not there to confirm the payment. */
const AUTHENTICATION_REQUIRED = 'authentication_required';

/** What to do about an amount that the account cannot be paid, by Stripe's code of the error. */
const WHAT_TO_DO: Readonly<Record<string, string>> = {
  amount_too_small: 'it is too little, so order more',
  amount_too_large: 'it is too much, so order less at once',
};

/** Returns the reason for the customer why the authorisation failed. */
export function declineReasonOf({ last_payment_error: error }: Intent): string {
  if (!error || error.code === AUTHENTICATION_FAILED)
    return `The customer did not confirm the payment at the bank. ${ANOTHER}`;
  return error.type === 'card_error' ? messageOf(error) : NOT_ACCEPTED;
}

/** Returns the reason behind an error. Only card errors are about something that customers can change. */
export function declineReasonOfError(error: FinalStripeError): string {
  return error instanceof Stripe.errors.StripeCardError ? messageOf(error) : NOT_ACCEPTED;
}

function messageOf({ code, decline_code: declineCode }: { code?: string; decline_code?: string }): string {
  const isForCustomer = code === AUTHENTICATION_REQUIRED || declineCode === AUTHENTICATION_REQUIRED;
  return isForCustomer ? CUSTOMER_ABSENT : declineMessage(code, declineCode);
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
