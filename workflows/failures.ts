import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { BusinessError, StaleVersion } from '../src/domain/errors';
import { isRejectionType, REJECTION_CODES, type Rejection } from '../src/domain/rejection';
import { FAILURES } from './contract';

/** Whether a step's failure is an answer of the business, which asking again would not change. */
export function isFinal(error: unknown): boolean {
  // Not `retryState`: the one of a local activity does not tell.
  return !!answerOf(error)?.nonRetryable;
}

/** What the activity itself threw. */
function answerOf(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? cause : undefined;
}

export function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** Why the order is rejected. @throws the error itself when it is no reason to reject an order */
export function rejectionOf(error: unknown): { rejection: Rejection; isDeclined: boolean } {
  const answer = answerOf(error);
  const type = UNPAID.has(answer?.type) ? 'PaymentDeclined' : answer?.type;
  if (!isRejectionType(type)) throw error;
  const detail = answer!.type === FAILURES.paymentKeyReused ? KEY_REUSED : answer!.message;
  const rejection = { code: REJECTION_CODES[type], detail };
  return { rejection, isDeclined: isDeclined(error) };
}

/** The order is not paid, but something may be reserved. */
const UNPAID: ReadonlySet<string | null | undefined> = new Set([
  FAILURES.paymentUnanswered,
  FAILURES.paymentKeyReused,
]);

const KEY_REUSED =
  'Another payment may be reserved under the key of this order: it is given back, and nothing is charged. Try again, ' +
  'with a new order.';

/** Whether the payment service said no, so that nothing is reserved. */
export function isDeclined(error: unknown): boolean {
  return answerOf(error)?.type === 'PaymentDeclined';
}

/** What a caller is told: a plain error in a handler would stop the workflow instead. */
export function asFailure(error: unknown): unknown {
  if (!(error instanceof BusinessError)) return error;
  const { message, name: type } = error;
  const details = error instanceof StaleVersion ? [error.version] : [];
  return ApplicationFailure.create({ message, type, details, nonRetryable: true, category: 'BENIGN' });
}

export function refusing<Args extends unknown[]>(check: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      check(...args);
    } catch (error) {
      throw asFailure(error);
    }
  };
}

/** The same answer, with the version that the order has now: what was refused may have raised it. */
export function atVersion(error: unknown, version: number): unknown {
  const answer = answerOf(error);
  if (!answer) return error;
  const { message } = answer;
  const type = answer.type ?? undefined;
  return ApplicationFailure.create({
    message,
    type,
    details: [version],
    nonRetryable: true,
    category: 'BENIGN',
  });
}
