import { BusinessError } from './errors';

/**
 * Why an order cannot be placed, as the failure type that the Temporal UI shows and the code that the API
 * answers with. These are answers of the business: asking again would not change them.
 */
export const REJECTION_CODES = {
  UnknownProduct: 'unknown_product',
  MixedCurrencies: 'mixed_currencies',
  AmountTooLarge: 'amount_too_large',
  OutOfStock: 'out_of_stock',
  PaymentDeclined: 'payment_declined',
} as const;

export type RejectionType = keyof typeof REJECTION_CODES;
export type RejectionCode = (typeof REJECTION_CODES)[RejectionType];

/** What a customer is told about a rejected order. */
export interface Rejection {
  code: RejectionCode;
  detail: string;
}

/** Its `name` becomes the type of the Temporal failure, its message the detail that the customer reads. */
export class OrderRejected extends BusinessError {
  constructor(type: RejectionType, detail: string) {
    super(detail);
    this.name = type;
  }
}

export function isRejectionType(type: string | null | undefined): type is RejectionType {
  return type != null && Object.hasOwn(REJECTION_CODES, type);
}
