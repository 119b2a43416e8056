import { isGrpcServiceError, ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { etagOf, preconditionFailed } from '../../common/etag';
import { type BusinessError, recordOf } from '../../domain/errors';
import type { ErrorRecord } from '../../domain/order';
import { REJECTION_CODES } from '../../domain/rejection';
import { AppError } from '../../errors/app-error';
import type { ErrorCode } from '../../errors/problems';
import { rootCause } from '../../temporal/errors';
import { UndecodablePayload } from '../../temporal/payload-codec';
import { explained } from '../../temporal/set-up';
import { FAILURES } from '../../../workflows/contract';

/**
 * Turns an error of Temporal into a problem of the API; nothing else does. If the server is away or busy,
 * lacks the namespace or search attributes, or holds payloads that this process has no key for, this is for
 * us to mend and not for the caller: the response is 503 and the log has the cause.
 * @param orderId the order that the command is for
 */
export function temporalProblem(error: unknown, orderId?: string): unknown {
  if (error instanceof WorkflowUpdateFailedError) {
    const failure = rootCause(error);
    const [version, more] = (failure?.details ?? []) as [unknown?, Omit<ErrorRecord, 'type' | 'message'>?];
    const refusal = failure && { ...more, type: failure.type!, message: failure.message };
    const problem = refusal && failureProblem(refusal, version, orderId);
    return problem ?? orderingUnavailable(error, orderId); // a repeat restarts its workflow
  }
  const types = [ServiceError, NamespaceNotFoundError, UndecodablePayload];
  const isTemporals = isGrpcServiceError(error) || types.some((type) => error instanceof type);
  return isTemporals ? orderingUnavailable(explained(error), orderId) : error;
}

/** Returns whether nothing was done because the order had changed much since the caller read it. */
export function isOutdated(error: unknown): boolean {
  return error instanceof WorkflowUpdateFailedError && rootCause(error)?.type === FAILURES.outdatedCommand;
}

/** Returns the problem that the caller would get if the workflow had thrown the error. */
export function businessProblem(error: BusinessError, version: number, orderId: string): unknown {
  return failureProblem(recordOf(error), version, orderId) ?? error;
}

/** Returns the problem for a command that the order remembers to have turned down. */
export function recordedProblem(error: ErrorRecord, version: number, orderId: string): unknown {
  return failureProblem(error, version, orderId) ?? orderingUnavailable(undefined, orderId);
}

export function orderingUnavailable(cause?: unknown, orderId?: string): AppError {
  const detail =
    'Orders cannot be placed or changed right now, and this request may or may not have been carried out. ' +
    'If it had an Idempotency-Key, repeat it with the same one; if not, read the order first.';
  return new AppError('service_unavailable', detail, { cause, orderId });
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  ...REJECTION_CODES,
  PaymentRefused: 'invalid_transition',
  [FAILURES.malformedCommand]: 'validation_failed',
  [FAILURES.paymentKeyReused]: 'invalid_transition',
  [FAILURES.paymentUnsettled]: 'invalid_transition',
  [FAILURES.invalidTransition]: 'invalid_transition',
  [FAILURES.notFound]: 'not_found',
};

/** Returns undefined if the failure is not a business error. */
function failureProblem(error: ErrorRecord, version: unknown, orderId?: string): AppError | undefined {
  const { type, message, existingOrderId, retryUntil, total } = error;
  if (type === FAILURES.idempotencyKeyReused) return keyReused(orderId);
  if (type === FAILURES.staleVersion) return preconditionFailed(message, etagOf(version as number));
  if (type === FAILURES.paymentUnanswered) return paymentUnanswered(orderId);
  if (type === FAILURES.interrupted) return new AppError('service_unavailable', message, { orderId });
  if (!Object.hasOwn(CODES, type)) return undefined;
  const headers = typeof version === 'number' ? { ETag: etagOf(version) } : undefined;
  return new AppError(CODES[type]!, message, { orderId, existingOrderId, retryUntil, total, headers });
}

export function keyReused(orderId?: string): AppError {
  return new AppError(
    'idempotency_key_reused',
    'This Idempotency-Key was used for a different request. Send a new key, or repeat the first request unchanged.',
    { orderId },
  );
}

function paymentUnanswered(orderId?: string): AppError {
  return new AppError(
    'service_unavailable',
    'The payment service did not respond in time, so nothing was changed. Try again later.',
    { orderId },
  );
}
