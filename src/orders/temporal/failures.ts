import {
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import { status, type ServiceError as GrpcError } from '@grpc/grpc-js';
import { etagOf, preconditionFailed } from '../../common/etag';
import { type BusinessError, StaleVersion } from '../../domain/errors';
import { REJECTION_CODES } from '../../domain/rejection';
import { AppError } from '../../errors/app-error';
import type { ErrorCode } from '../../errors/problems';
import { FAILURES } from '../../../workflows/contract';
import { UndecodablePayload } from '../../temporal/payload-codec';

/**
 * The only place where an error of Temporal becomes an error of the API. Whatever the server answers but to the
 * request itself (it is away, busy, or lacks the namespace or search attributes), or in payloads that this process has
 * no key for, is ours to mend, not the caller's: the cause is in the log.
 * @param orderId of the order that a command was about
 */
export function temporalProblem(error: unknown, orderId?: string): unknown {
  if (error instanceof WorkflowUpdateFailedError) {
    const failure = rootCause(error);
    const answer = failure && answerProblem(failure.type!, failure.message, failure.details?.[0], orderId);
    return answer ?? orderingUnavailable(error, orderId); // its workflow was terminated: asked again, it is taken up again
  }
  const types = [ServiceError, NamespaceNotFoundError, UndecodablePayload];
  const isTemporals = isGrpcServiceError(error) || types.some((type) => error instanceof type);
  return isTemporals ? orderingUnavailable(error, orderId) : error;
}

/** The answer that the workflow would have given. */
export function businessProblem(error: BusinessError, orderId: string): unknown {
  const version = error instanceof StaleVersion ? error.version : undefined;
  return answerProblem(error.name, error.message, version, orderId) ?? error;
}

/** Whether the same update again, shortly, will be taken: too many are under way, or the workflow is moving on. */
export function isBusy(error: unknown): boolean {
  if (error instanceof WorkflowUpdateFailedError) return rootCause(error)?.type === FAILURES.continuingAsNew;
  return grpcError(error)?.code === status.RESOURCE_EXHAUSTED;
}

/** Whether the server is away, or has dropped an update that no worker had taken yet: it alone can tell. */
export function isUnavailable(error: unknown): boolean {
  return grpcError(error)?.code === status.UNAVAILABLE;
}

/** Whether the workflow that an update was for has ended, or is not known any more. */
export function hasEnded(error: unknown): boolean {
  const types = [WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError];
  return types.some((type) => error instanceof type) || grpcError(error)?.code === status.NOT_FOUND;
}

/** Update-with-Start throws what happened to one of its two parts as it came. */
function grpcError(error: unknown): GrpcError | undefined {
  return [error, (error as Error | undefined)?.cause].find(isGrpcServiceError);
}

/** @param orderId of the order that it is about, when that is known */
export function orderingUnavailable(cause?: unknown, orderId?: string): AppError {
  const detail =
    'Orders cannot be taken or changed right now, and this may have been done or not. Send the same request again, ' +
    'with the same Idempotency-Key if it had one; if not, read the order first.';
  return new AppError('service_unavailable', detail, { cause, orderId });
}

/** What the workflow itself threw, or a step that it ran. */
function rootCause({ cause }: WorkflowUpdateFailedError): ApplicationFailure | undefined {
  const root = cause instanceof ActivityFailure ? cause.cause : cause;
  return root instanceof ApplicationFailure ? root : undefined;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  ...REJECTION_CODES,
  PaymentRefused: 'invalid_transition',
  [FAILURES.paymentKeyReused]: 'invalid_transition',
  [FAILURES.invalidTransition]: 'invalid_transition',
  [FAILURES.notFound]: 'not_found',
};

/** Undefined for what is no answer of the business. */
function answerProblem(
  type: string,
  message: string,
  version: unknown,
  orderId?: string,
): AppError | undefined {
  if (type === FAILURES.idempotencyKeyReused) return keyReused(orderId);
  if (type === FAILURES.staleVersion) return preconditionFailed(message, version as number);
  if (type === FAILURES.paymentUnanswered) return paymentUnanswered(orderId);
  if (!Object.hasOwn(CODES, type)) return undefined;
  const headers = typeof version === 'number' ? { ETag: etagOf(version) } : undefined;
  return new AppError(CODES[type]!, message, { orderId, headers });
}

export function keyReused(orderId?: string): AppError {
  return new AppError(
    'idempotency_key_reused',
    'This Idempotency-Key was used for another request. Send a new key, or repeat the first request unchanged.',
    { orderId },
  );
}

function paymentUnanswered(orderId?: string): AppError {
  return new AppError(
    'service_unavailable',
    'The payment service did not answer in time, so nothing was changed: try again later.',
    { orderId },
  );
}
