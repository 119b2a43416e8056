import Stripe from 'stripe';
import type { Authorization } from '../../domain/payment';
import { formatAmount } from '../../domain/money';
import type { StripeAnswer } from './errors';
import type { Intent } from './requests';

const ANOTHER = 'Use another payment method.';
const NOT_ACCEPTED = `The payment service does not accept this payment method. ${ANOTHER}`;

/** Why the attempt to authorise failed, for the customer. */
export function declineReasonOf({ last_payment_error: error }: Intent): string {
  // Without an error the bank wants to see the customer (`requires_action`).
  if (!error)
    return `The bank wants the customer to confirm the payment, which is not possible here. ${ANOTHER}`;
  return error.type === 'card_error' && error.message ? `${error.message} ${ANOTHER}` : NOT_ACCEPTED;
}

/** The same of an error; Stripe writes the messages of card errors for customers, and only those. */
export function declineReasonOfError(error: StripeAnswer): string {
  return error instanceof Stripe.errors.StripeCardError ? `${error.message} ${ANOTHER}` : NOT_ACCEPTED;
}

/** What of the payment Stripe does not take, for the customer; undefined when it is not about the payment. */
export function unacceptable({ param }: StripeAnswer, authorization: Authorization): string | undefined {
  if (param === 'payment_method') return NOT_ACCEPTED;
  return param === 'amount' || param === 'currency' ? amountNotTaken(authorization) : undefined;
}

export function amountNotTaken({ amount, currency }: Authorization): string {
  return `The payment service does not take ${formatAmount(amount, currency)}: order something else, or more or less of it.`;
}
