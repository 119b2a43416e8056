const ANOTHER = 'use another payment method';

/**
 * What customers are told of every soft decline: the bank or the payment service does not want the payment, for whatever
 * reason. Who tries out stolen cards would learn from the reason which of them are good for what.
 */
export const DECLINED = `The card was declined: ${ANOTHER}, or ask your bank.`;

/**
 * What customers are told instead when they can correct something, by the codes with which Stripe says so
 * (https://docs.stripe.com/error-codes and https://docs.stripe.com/declines/codes). Everything else is a soft decline:
 * insufficient funds, a limit, a lost or stolen card, suspected fraud, an error of processing.
 */
const CORRECTABLE: Readonly<Record<string, string>> = {
  expired_card: `The card has expired: ${ANOTHER}.`,
  incorrect_number: `The number of the card is incorrect: correct it, or ${ANOTHER}.`,
  invalid_number: `The number of the card is incorrect: correct it, or ${ANOTHER}.`,
  invalid_expiry_month: `The expiry date of the card is incorrect: correct it, or ${ANOTHER}.`,
  invalid_expiry_year: `The expiry date of the card is incorrect: correct it, or ${ANOTHER}.`,
  incorrect_cvc: `The security code of the card is incorrect: correct it, or ${ANOTHER}.`,
  invalid_cvc: `The security code of the card is incorrect: correct it, or ${ANOTHER}.`,
};

/** Returns what a customer is told about a declined card. @param codes the payment service's, such as `expired_card` */
export function declineMessage(...codes: (string | null | undefined)[]): string {
  const correctable = codes.find((code) => code != null && Object.hasOwn(CORRECTABLE, code));
  return correctable == null ? DECLINED : CORRECTABLE[correctable]!;
}
