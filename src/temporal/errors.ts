import {
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import { status, type ServiceError as GrpcError } from '@grpc/grpc-js';
import { FAILURES } from '../../workflows/contract';

/**
 * Tells whether the same update may succeed shortly, because too many are in flight, the workflow is continuing as new, or
 * its tasks have failed or timed out several times in a row: the server then rejects updates as WorkflowNotReady.
 */
export function isBusy(error: unknown): boolean {
  if (error instanceof WorkflowUpdateFailedError) return rootCause(error)?.type === FAILURES.continuingAsNew;
  const code = grpcError(error)?.code;
  return code === status.RESOURCE_EXHAUSTED || code === status.FAILED_PRECONDITION;
}

/** Tells whether the server is away. It also says so when it drops an update that no worker had accepted. */
export function isUnavailable(error: unknown): boolean {
  return grpcError(error)?.code === status.UNAVAILABLE;
}

/** Tells whether the workflow has ended, or is no longer known. */
export function hasEnded(error: unknown): boolean {
  const types = [WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError];
  return (types.some((type) => error instanceof type) || isMissing(error)) && !lacksNamespace(error);
}

/** Tells whether Temporal does not know what was asked for. */
export function isMissing(error: unknown): boolean {
  return grpcError(error)?.code === status.NOT_FOUND && !lacksNamespace(error);
}

/** Tells whether Temporal does not know the namespace. Only some calls of the SDK tell this from a missing workflow. */
export function lacksNamespace(error: unknown): boolean {
  if (error instanceof NamespaceNotFoundError) return true;
  const answer = error instanceof WorkflowNotFoundError ? error : grpcError(error);
  if (!answer || ('code' in answer && answer.code !== status.NOT_FOUND)) return false;
  return /Namespace \S+ is not found/.test(textOf(answer));
}

/** Returns what the server says: by a connection of workers it is in the message alone. */
export function textOf(error: Error & { details?: string }): string {
  return `${error.details ?? ''} ${error.message}`;
}

/** Tells whether a workflow was not started because the one with its id had completed. */
export function isCompleted(error: unknown): boolean {
  return grpcError(error)?.code === status.ALREADY_EXISTS;
}

/** Tells whether what was to be changed had been changed meanwhile. */
export function isOutpaced(error: unknown): boolean {
  const code = grpcError(error)?.code;
  return code === status.FAILED_PRECONDITION || code === status.ABORTED;
}

/** Tells whether the server will never do what was asked for: it must not, or it cannot. */
export function isForbidden(error: unknown): boolean {
  const code = grpcError(error)?.code;
  return (
    code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED || code === status.UNIMPLEMENTED
  );
}

/** Returns what the workflow itself threw, or an activity that it ran. */
export function rootCause({ cause }: WorkflowUpdateFailedError): ApplicationFailure | undefined {
  const root = cause instanceof ActivityFailure ? cause.cause : cause;
  return root instanceof ApplicationFailure ? root : undefined;
}

/** The SDK wraps most errors of gRPC, but Update-with-Start throws them as they are. */
export function grpcError(error: unknown): GrpcError | undefined {
  return [error, (error as Error | undefined)?.cause].find(isGrpcServiceError);
}
