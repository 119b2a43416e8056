/**
 * The reasons why an order cannot be placed: the type of the failure that the Temporal UI shows, and the code
 * that the API returns.
 */
export const REJECTION_CODES = {
  UnknownProduct: 'unknown_product',
  MixedCurrencies: 'mixed_currencies',
  AmountTooLarge: 'amount_too_large',
  AlreadyExists: 'already_exists',
  OutOfStock: 'out_of_stock',
  TooManyUnpaid: 'invalid_transition',
  PriceChanged: 'price_changed',
  CartChanged: 'invalid_transition',
  PaymentDeclined: 'payment_declined',
  PaymentActionFailed: 'payment_action_failed',
  PaymentActionExpired: 'payment_action_expired',
} as const;

export type RejectionType = keyof typeof REJECTION_CODES;
export type RejectionCode = (typeof REJECTION_CODES)[RejectionType];

/** Why an order was turned down, as the customer reads it. */
export interface Rejection {
  code: RejectionCode;
  detail: string;
  /** The customer's order that has the externalRef. */
  existingOrderId?: string;
}

export function isRejectionType(type: string | null | undefined): type is RejectionType {
  return Object.hasOwn(REJECTION_CODES, String(type));
}
