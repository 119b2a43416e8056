import { isGrpcServiceError, ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { status } from '@grpc/grpc-js';
import { AppError } from '../errors/app-error';
import { FAILURES } from '../../workflows/contract';

/** gRPC answers that say nothing about the request: the server is away, busy or starting. */
const TRANSIENT = new Set([
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);

/** The only place where an error of Temporal becomes an error of the API. */
export function temporalProblem(error: unknown): unknown {
  if (error instanceof WorkflowUpdateFailedError) return updateProblem(error);
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause) && TRANSIENT.has(cause.code)) return orderingUnavailable(error);
  return error;
}

export function orderingUnavailable(cause?: unknown): AppError {
  return new AppError(
    'service_unavailable',
    'Orders cannot be taken or changed right now. Send the same request again, with the same Idempotency-Key.',
    { headers: { 'Retry-After': '5' }, cause },
  );
}

function updateProblem(error: WorkflowUpdateFailedError): AppError {
  const { cause } = error;
  const type = cause instanceof ApplicationFailure ? cause.type : undefined;
  if (type === FAILURES.idempotencyKeyReused) return keyReused();
  if (type === FAILURES.invalidTransition) return new AppError('invalid_transition', cause!.message);
  return orderingUnavailable(error); // its workflow was terminated: asked again, the order is taken up again
}

export function keyReused(): AppError {
  return new AppError(
    'idempotency_key_reused',
    'This Idempotency-Key was used for another order. Send a new key, or repeat the first request unchanged.',
  );
}
