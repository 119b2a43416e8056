import type { Captures } from '../../domain/payment';
import { DECLINED, declineMessage } from '../declines/messages';

/** The sandbox's own payment methods, each with a fault that real payment services have. */
export const FAULTY_METHODS = {
  /** Each operation fails twice, then works. */
  flaky: 'pm_sandbox_flaky',
  /** Each operation takes effect at once, and its reply is late. */
  slow: 'pm_sandbox_slow',
  /** Each operation takes effect, and its first reply is lost. */
  lostReply: 'pm_sandbox_lost_reply',
  /** Every operation fails until an ADMIN switches the method on. */
  outage: 'pm_sandbox_outage',
} as const;

/** Stripe's test card that was set up for payments without the customer, and asks the customer who is there. */
const SET_UP = 'pm_card_authenticationRequiredSetupForOffSession';

const ANOTHER = 'use another payment method.';

/** Stripe's declined test payment methods (https://docs.stripe.com/testing), with what the customer is told. */
const DECLINES: Readonly<Record<string, string>> = {
  pm_card_chargeDeclined: DECLINED,
  pm_card_visa_chargeDeclined: DECLINED,
  pm_card_chargeDeclinedInsufficientFunds: DECLINED,
  pm_card_visa_chargeDeclinedInsufficientFunds: DECLINED,
  pm_card_visa_chargeDeclinedLostCard: DECLINED,
  pm_card_visa_chargeDeclinedStolenCard: DECLINED,
  pm_card_chargeDeclinedFraudulent: DECLINED,
  pm_card_radarBlock: DECLINED,
  pm_card_chargeDeclinedExpiredCard: declineMessage('expired_card'),
  pm_card_chargeDeclinedIncorrectCvc: declineMessage('incorrect_cvc'),
  pm_card_chargeDeclinedProcessingError: DECLINED,
  pm_card_visa_chargeDeclinedVelocityLimitExceeded: DECLINED,
  pm_card_chargeCustomerFail: DECLINED,
  pm_card_threeDSecureRequiredProcessingError: `The bank cannot ask the customer to confirm the payment: ${ANOTHER}`,
};

/**
 * Stripe's test cards whose bank asks the customer to confirm each payment (3-D Secure), with the reason why it declines the
 * payment even then, if it does. None is ever set up for later payments, so those that ask unless they are set up ask, too.
 */
const ASKING: Readonly<Record<string, string | null>> = {
  pm_card_threeDSecure2Required: null,
  pm_card_threeDSecureRequired: null,
  pm_card_threeDSecureRequiredChargeDeclined: DECLINED,
  pm_card_authenticationRequired: null,
  pm_card_authenticationRequiredOnSetup: null,
  [SET_UP]: null,
  pm_card_authenticationRequiredChargeDeclinedInsufficientFunds: DECLINED,
};

/** Why a payment is declined whose customer fails to confirm it, or does not do so in time. */
export const NOT_CONFIRMED = {
  failed: `The customer did not confirm the payment at the bank: ${ANOTHER}`,
  late: `The customer did not confirm the payment in time: ${ANOTHER}`,
} as const;

/** Stripe's test card whose refunds take time at the bank (https://docs.stripe.com/testing#refunds). */
const PENDING_REFUND = 'pm_card_pendingRefund';

/** Stripe's test card that does not support several captures (https://docs.stripe.com/payments/multicapture). */
const CAPTURED_ONCE = 'pm_card_credit_disableEnterpriseCardFeatures';

const METHODS: ReadonlySet<string> = new Set(Object.values(FAULTY_METHODS));
const TEST_CARD = /^pm_card_\w+$/;

/** Returns the reason for the customer why the payment method is declined, or null if it is accepted. */
export function declineReasonOf(paymentMethod: string): string | null {
  if (Object.hasOwn(DECLINES, paymentMethod)) return DECLINES[paymentMethod]!;
  if (METHODS.has(paymentMethod) || TEST_CARD.test(paymentMethod)) return null;
  return `The payment method "${paymentMethod}" is unknown: use one of Stripe's test cards, for example pm_card_visa.`;
}

/** Returns whether the bank asks the customer before it authorises a payment. */
export function asksCustomer(
  paymentMethod: string,
  { isOnSession = false }: { isOnSession?: boolean },
): boolean {
  return Object.hasOwn(ASKING, paymentMethod) && (isOnSession || paymentMethod !== SET_UP);
}

/** Returns why the bank declines the payment though the customer has confirmed it, or null if it does not. */
export function reasonAfterConfirmation(paymentMethod: string): string | null {
  return ASKING[paymentMethod] ?? null;
}

/** Returns whether a refund to the payment method is pending at first. */
export function refundsArePending(paymentMethod: string): boolean {
  return paymentMethod === PENDING_REFUND;
}

/** Returns how often a payment with this payment method can be captured. */
export function capturesOf(paymentMethod: string): Captures {
  return paymentMethod === CAPTURED_ONCE ? 'once' : 'many';
}
