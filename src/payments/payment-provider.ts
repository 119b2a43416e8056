import type { Authorization, Capture, Captures, PaymentRef, ProviderPayment } from '../domain/payment';

/**
 * A payment service. Every operation has an idempotency key and takes effect once, however often it is
 * requested; a repeat returns the payment in its current state. Any error other than `PaymentDeclined` and
 * `PaymentRefused` leaves the outcome unknown, and `find` tells what it was.
 */
export interface PaymentProvider {
  readonly name: 'sandbox' | 'stripe';

  /** How often a payment can be captured. With `once`, the first capture is always final. */
  readonly captures: Captures;

  /**
   * Reserves the amount. `authorization.key` is the idempotency key.
   * @throws {PaymentDeclined} also for a repeat
   * @throws {PaymentRefused} the key has been voided
   * @throws {PaymentKeyReused} the key was used for a different authorisation, whose amount may be reserved
   */
  authorize(authorization: Authorization): Promise<ProviderPayment>;

  /**
   * Captures a part of what is still reserved, or all of it.
   * @throws {PaymentRefused} there is no open authorisation, it has expired, or less is left of it
   */
  capture(key: string, payment: PaymentRef, capture: Capture): Promise<ProviderPayment>;

  /**
   * Releases what is still reserved after captures in part; a payment of which nothing is reserved stays as it is.
   * @throws {PaymentRefused} nothing of the payment was captured: void it instead
   */
  release(key: string, payment: PaymentRef): Promise<ProviderPayment>;

  /**
   * Releases what is reserved. A payment that was never authorised is closed as well: a later authorisation
   * is rejected, and `authorized` of the result is 0.
   * @throws {PaymentRefused} the payment has been captured
   */
  void(key: string, payment: PaymentRef): Promise<ProviderPayment>;

  /** Refunds the captured amount or a part of it. @throws {PaymentRefused} it is more than what is left */
  refund(key: string, payment: PaymentRef, amount: number): Promise<ProviderPayment>;

  /** Returns the payment in its current state, or null if it is unknown. */
  find(payment: PaymentRef): Promise<ProviderPayment | null>;
}
