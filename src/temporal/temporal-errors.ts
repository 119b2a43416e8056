import { isGrpcServiceError, ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import { AppError } from '../errors/app-error';
import { FAILURES } from '../../workflows/contract';

/**
 * The only place where an error of Temporal becomes an error of the API. Whatever the server answers but to the
 * request itself (it is away, busy, or lacks the namespace or search attributes) is ours to mend, not the caller's:
 * the cause is in the log.
 */
export function temporalProblem(error: unknown): unknown {
  if (error instanceof WorkflowUpdateFailedError) return updateProblem(error);
  const types = [ServiceError, NamespaceNotFoundError];
  const isTemporals = isGrpcServiceError(error) || types.some((type) => error instanceof type);
  return isTemporals ? orderingUnavailable(error) : error;
}

export function orderingUnavailable(cause?: unknown): AppError {
  return new AppError(
    'service_unavailable',
    'Orders cannot be taken or changed right now. Send the same request again, with the same Idempotency-Key.',
    { cause },
  );
}

/** The workflow itself refused, or a step that it ran. */
function updateProblem(error: WorkflowUpdateFailedError): AppError {
  const { type, message } = rootCause(error);
  if (type === FAILURES.idempotencyKeyReused) return keyReused();
  if (type === FAILURES.invalidTransition) return new AppError('invalid_transition', message!);
  return orderingUnavailable(error); // its workflow was terminated: asked again, the order is taken up again
}

function rootCause({ cause }: WorkflowUpdateFailedError): { type?: string | null; message?: string } {
  const root = cause instanceof ActivityFailure ? cause.cause : cause;
  return root instanceof ApplicationFailure ? root : {};
}

export function keyReused(): AppError {
  return new AppError(
    'idempotency_key_reused',
    'This Idempotency-Key was used for another order. Send a new key, or repeat the first request unchanged.',
  );
}
