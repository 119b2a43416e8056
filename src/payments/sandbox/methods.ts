/** Payment methods of the sandbox's own, each with a fault of real payment services. */
export const FAULTY_METHODS = {
  /** Each operation fails twice, then works. */
  flaky: 'pm_sandbox_flaky',
  /** Each operation is done at once and answered late. */
  slow: 'pm_sandbox_slow',
  /** Each operation is done, then its first reply is lost. */
  lostReply: 'pm_sandbox_lost_reply',
  /** Nothing answers until an ADMIN turns it on. */
  outage: 'pm_sandbox_outage',
} as const;

const ANOTHER = 'use another payment method.';

/** Stripe's test payment methods that are declined (https://docs.stripe.com/testing), with what the customer reads. */
const DECLINES: Readonly<Record<string, string>> = {
  pm_card_chargeDeclined: `The card was declined: ${ANOTHER}`,
  pm_card_visa_chargeDeclined: `The card was declined: ${ANOTHER}`,
  pm_card_chargeDeclinedInsufficientFunds: `The card has insufficient funds: ${ANOTHER}`,
  pm_card_visa_chargeDeclinedInsufficientFunds: `The card has insufficient funds: ${ANOTHER}`,
  // Nobody is told that a card was reported lost or stolen, or is taken for a fraudster's.
  pm_card_visa_chargeDeclinedLostCard: `The card was declined: ${ANOTHER}`,
  pm_card_visa_chargeDeclinedStolenCard: `The card was declined: ${ANOTHER}`,
  pm_card_chargeDeclinedFraudulent: `The card was declined: ${ANOTHER}`,
  pm_card_radarBlock: `The card was declined: ${ANOTHER}`,
  pm_card_chargeDeclinedExpiredCard: `The card has expired: ${ANOTHER}`,
  pm_card_chargeDeclinedIncorrectCvc: `The security code of the card is incorrect: correct it, or ${ANOTHER}`,
  pm_card_chargeDeclinedProcessingError: `The card could not be processed: ${ANOTHER}`,
  pm_card_visa_chargeDeclinedVelocityLimitExceeded: `The card is over its limit: ${ANOTHER}`,
  pm_card_chargeCustomerFail: `The card was declined: ${ANOTHER}`,
  pm_card_authenticationRequired: `The bank wants to see the cardholder first, which is not possible here: ${ANOTHER}`,
};

const METHODS: ReadonlySet<string> = new Set(Object.values(FAULTY_METHODS));
const TEST_CARD = /^pm_card_\w+$/;

/** Why the payment method is declined, for the customer; null when it is not. */
export function declineReasonOf(paymentMethod: string): string | null {
  if (Object.hasOwn(DECLINES, paymentMethod)) return DECLINES[paymentMethod]!;
  if (METHODS.has(paymentMethod) || TEST_CARD.test(paymentMethod)) return null;
  return `There is no payment method "${paymentMethod}" here: use a test card of Stripe, such as pm_card_visa.`;
}
