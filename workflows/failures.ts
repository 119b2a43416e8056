import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { BusinessError, StaleVersion } from '../src/domain/errors';
import { isRejectionType, REJECTION_CODES, type Rejection } from '../src/domain/rejection';
import { FAILURES } from './contract';

/** Returns whether a step has failed with a business error, so that another attempt would not change it. */
export function isFinal(error: unknown): boolean {
  // `retryState` does not tell for a local activity.
  return !!failureOf(error)?.nonRetryable;
}

/** Returns the failure that the activity itself has thrown. */
function failureOf(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? cause : undefined;
}

export function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** Returns why the order is rejected. @throws the error itself if it is no reason to reject an order */
export function rejectionOf(error: unknown): { rejection: Rejection; isDeclined: boolean } {
  const failure = failureOf(error);
  const type = UNPAID.has(failure?.type) ? 'PaymentDeclined' : failure?.type;
  if (!isRejectionType(type)) throw error;
  const detail = failure!.type === FAILURES.paymentKeyReused ? ORDER_KEY_REUSED : failure!.message;
  const rejection = { code: REJECTION_CODES[type], detail };
  return { rejection, isDeclined: isDeclined(error) };
}

/** The failures after which the order is not paid, but something may be reserved. */
const UNPAID: ReadonlySet<string | null | undefined> = new Set([
  FAILURES.paymentUnanswered,
  FAILURES.paymentKeyReused,
]);

const ORDER_KEY_REUSED =
  'Another payment may be reserved under the key of this order. It will be voided, and nothing is charged: place a new ' +
  'order.';

const AMENDMENT_KEY_REUSED =
  'An interrupted attempt may have reserved another payment. It will be voided, and nothing was changed: read the ' +
  'order again, then repeat the request.';

/** Returns whether the payment was declined, so that nothing is reserved. */
export function isDeclined(error: unknown): boolean {
  return failureOf(error)?.type === 'PaymentDeclined';
}

/** Makes a business error a failure of the update; a plain error would fail the workflow task. */
export function asFailure(error: unknown): unknown {
  if (!(error instanceof BusinessError)) return error;
  const { message, name: type } = error;
  const details = error instanceof StaleVersion ? [error.version] : [];
  return ApplicationFailure.create({ message, type, details, nonRetryable: true, category: 'BENIGN' });
}

/** Makes the business errors of a check failures of the update. */
export function rejecting<Args extends unknown[]>(check: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      check(...args);
    } catch (error) {
      throw asFailure(error);
    }
  };
}

/**
 * Makes the failure of an amendment tell the current version of the order: withdrawing the amendment may have
 * raised it.
 */
export function amendmentFailure(error: unknown, version: number): unknown {
  const failure = failureOf(error);
  if (!failure) return error;
  const type = failure.type ?? undefined;
  const message = type === FAILURES.paymentKeyReused ? AMENDMENT_KEY_REUSED : failure.message;
  const details = [version];
  return ApplicationFailure.create({ message, type, details, nonRetryable: true, category: 'BENIGN' });
}
