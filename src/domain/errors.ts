import type { ErrorRecord } from './order';
import { formatAmount } from './money';
import type { RejectionType } from './rejection';

/**
 * Thrown where a rule of the business says no: asking again does not change it. Its `name` becomes the type
 * of the Temporal failure, and its message is written for the caller of the API.
 */
export class BusinessError extends Error {
  /** The order that is in the way. */
  readonly existingOrderId?: string;
  /** What the order would cost, in minor units, if that is the reason. */
  readonly total?: number;
}

/** Returns the error as an order remembers it. */
export function recordOf({ name: type, message, existingOrderId, total }: BusinessError): ErrorRecord {
  return {
    type,
    message,
    ...(existingOrderId !== undefined && { existingOrderId }),
    ...(total !== undefined && { total }),
  };
}

/** Thrown when an order cannot be placed or amended. Its message is the `detail` of the rejection. */
export class OrderRejected extends BusinessError {
  constructor(
    readonly type: RejectionType,
    detail: string,
    override readonly existingOrderId?: string,
  ) {
    super(detail);
    this.name = type;
  }
}

/** Thrown when the order would not cost what the client expects. */
export class PriceChanged extends OrderRejected {
  /** @param total what it would cost, in minor units */
  constructor(
    override readonly total: number,
    currency: string,
    expected: number,
  ) {
    const [now, then] = [formatAmount(total, currency), formatAmount(expected, currency)];
    super(
      'PriceChanged',
      `The order costs ${now} now, not ${then}. Nothing was changed: show the new total, and send it as expectedTotal if it ` +
        'is accepted.',
    );
  }
}

/** Thrown when the order is not in a state from which the change is possible. */
export class InvalidTransition extends BusinessError {
  override name = 'InvalidTransition';
}

/** Thrown when a payment before may still be reserved, so that another one has to wait. */
export class PaymentUnsettled extends BusinessError {
  override name = 'PaymentUnsettled';
}

/** Thrown when the order does not have a version that the client names. */
export class StaleVersion extends BusinessError {
  override name = 'StaleVersion';

  constructor(readonly version: number) {
    super(`The order has changed and is now at version ${version}: read it again, then repeat the request.`);
  }
}

/** Thrown when the order has no part of the name that a command gives. */
export class NotFound extends BusinessError {
  override name = 'NotFound';
}

/** Thrown when an Idempotency-Key has been used for another request. */
export class IdempotencyKeyReused extends BusinessError {
  override name = 'IdempotencyKeyReused';
}

/** Thrown when a command may have been answered in a past that the order does not remember. */
export class OutdatedCommand extends BusinessError {
  override name = 'OutdatedCommand';
}

/** Thrown when the customer's bank or card says no: nothing is reserved. */
export class PaymentDeclined extends BusinessError {
  override name = 'PaymentDeclined';
}

/** Thrown when a payment is not in a state in which it can be captured, voided or refunded as asked. */
export class PaymentRefused extends BusinessError {
  override name = 'PaymentRefused';
}

/**
 * Thrown when the key of a payment has been used for something else, such as another amount. Unlike any other
 * error of a payment it does not tell what is reserved: something may be.
 */
export class PaymentKeyReused extends PaymentRefused {
  override name = 'PaymentKeyReused';
}

/** @param existingOrderId the customer's order that has the reference */
export function externalRefTaken(externalRef: string, existingOrderId: string): OrderRejected {
  return new OrderRejected(
    'AlreadyExists',
    `The customer already has an order with the externalRef ${externalRef}: see existingOrderId. Nothing was changed.`,
    existingOrderId,
  );
}

/** The fields of which no two orders have the same; of references, no two of one customer. */
export type UniqueField = 'id' | 'number' | 'externalRef';

/** Thrown when another order has the value of a unique field, or this one is already stored. A step handles it. */
export class DuplicateOrder extends Error {
  override name = 'DuplicateOrder';

  constructor(
    readonly orderId: string,
    readonly field: UniqueField,
    options?: ErrorOptions,
  ) {
    super(`Another order has the ${field} of order ${orderId}.`, options);
  }
}

export const ORDER_KEY_REUSED = recordOf(
  new IdempotencyKeyReused('This Idempotency-Key was used for another order.'),
);
