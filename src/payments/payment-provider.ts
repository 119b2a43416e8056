import type { Authorization, PaymentRef, ProviderPayment } from '../domain/payment';

/**
 * A payment service. Every operation has an idempotency key and happens once however often it is asked for; asked
 * again, it answers with the payment as it stands. What is thrown other than `PaymentDeclined` and `PaymentRefused`
 * leaves open whether it happened: `find` tells.
 */
export interface PaymentProvider {
  readonly name: 'sandbox' | 'stripe';

  /**
   * Reserves the amount. `authorization.key` is its idempotency key.
   * @throws {PaymentDeclined} also when asked again
   * @throws {PaymentRefused} the key was voided before
   * @throws {PaymentKeyReused} the key was used for something else, such as another amount, which may be reserved
   */
  authorize(authorization: Authorization): Promise<ProviderPayment>;

  /** Takes the whole amount. @throws {PaymentRefused} there is no open authorisation, or it has lapsed */
  capture(key: string, payment: PaymentRef): Promise<ProviderPayment>;

  /**
   * Gives back what is reserved. A payment that was never authorised is closed too: an authorisation that comes
   * late is refused (`authorized` of the answer is 0 then).
   * @throws {PaymentRefused} it has been captured
   */
  void(key: string, payment: PaymentRef): Promise<ProviderPayment>;

  /** Pays back a part of what was captured, or all. @throws {PaymentRefused} more than is left of it */
  refund(key: string, payment: PaymentRef, amount: number): Promise<ProviderPayment>;

  /** The payment as it stands, null when it was never heard of. */
  find(payment: PaymentRef): Promise<ProviderPayment | null>;
}
