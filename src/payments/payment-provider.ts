import type {
  Authorization,
  Capture,
  Captures,
  ListRequest,
  PaymentList,
  PaymentRef,
  ProviderPayment,
} from '../domain/payment';

/**
 * A payment service. Every operation has an idempotency key and takes effect once, however often it is
 * requested; a repeat returns the payment in its current state. Any error other than `PaymentDeclined` and
 * `PaymentRefused` leaves the outcome unknown, and `find` tells what it was.
 */
export interface PaymentProvider {
  readonly name: 'sandbox' | 'stripe';

  /** How often its payments can be captured at most; each payment says how often it can. */
  readonly captures: Captures;

  /**
   * Reserves the amount. `authorization.key` is the idempotency key. If the customer is there (`isOnSession`), the
   * result may have the status `action_required`: nothing is reserved until the customer has acted.
   * @throws {PaymentDeclined} also for a repeat
   * @throws {PaymentRefused} the key has been voided
   * @throws {PaymentKeyReused} the key was used for a different authorisation, whose amount may be reserved
   */
  authorize(authorization: Authorization): Promise<ProviderPayment>;

  /**
   * Captures what is reserved or a part of it.
   * @throws {PaymentRefused} less is reserved, nothing is, or it has expired; or the capture is not final, and the
   * payment allows only one
   */
  capture(key: string, payment: PaymentRef, capture: Capture): Promise<ProviderPayment>;

  /**
   * Releases what is still reserved after captures in part. Nothing happens if nothing is.
   * @throws {PaymentRefused} nothing has been captured: void the payment
   */
  release(key: string, payment: PaymentRef): Promise<ProviderPayment>;

  /**
   * Releases the whole authorisation. A payment that was never authorised is closed as well: a later
   * authorisation is rejected, and `authorized` of the result is 0.
   * @throws {PaymentRefused} something has been captured
   */
  void(key: string, payment: PaymentRef): Promise<ProviderPayment>;

  /** Refunds what is captured or a part of it. @throws {PaymentRefused} it is more than what is left */
  refund(key: string, payment: PaymentRef, amount: number): Promise<ProviderPayment>;

  /**
   * Returns the payment in its current state, or null if it is unknown. One that it calls
   * `declined` or `voided` can never be authorised any more.
   */
  find(payment: PaymentRef): Promise<ProviderPayment | null>;

  /**
   * Returns a part of the payments that were authorised, refunded or disputed within the period. A payment may occur
   * more than once. Those of other programs on the same account are left out, so a part may be empty.
   */
  list(request: ListRequest): Promise<PaymentList>;
}

/** An event of the payment service. It says nothing about the payment but that it has to be looked at again. */
export interface PaymentEvent {
  eventId: string;
  /** As the payment service names it, for the logs. */
  type: string;
  paymentKey: string;
  orderId: string;
}

/**
 * Has the order brought in line with the payment service's record of the payment. `busy`: the order is being placed or
 * changed, so the event has to be sent again. It may be called again for an event, and has no more effect then.
 */
export type LookAgain = (event: PaymentEvent) => Promise<'done' | 'busy'>;
