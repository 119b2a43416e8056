import { ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import { status } from '@grpc/grpc-js';
import { temporalProblem } from '../../src/temporal/temporal-errors';

const grpc = (code: status) => Object.assign(new Error('grpc'), { code, details: 'd', metadata: {} });
const failed = (cause: Error) => new WorkflowUpdateFailedError('failed', cause);

function stepFailure(cause: Error): ActivityFailure {
  return new ActivityFailure('failed', 'openOrder', '1', 'NON_RETRYABLE_FAILURE', undefined, cause);
}

it.each([
  [
    'a server that is away',
    new ServiceError('x', { cause: grpc(status.UNAVAILABLE) }),
    'service_unavailable',
  ],
  ['a namespace that lacks its search attributes', grpc(status.INVALID_ARGUMENT), 'service_unavailable'],
  ['a namespace that is missing', new NamespaceNotFoundError('x'), 'service_unavailable'],
  ['a call that took too long', grpc(status.DEADLINE_EXCEEDED), 'service_unavailable'],
  ['a workflow that was terminated', failed(new Error('terminated')), 'service_unavailable'],
  [
    'another body under the key',
    failed(ApplicationFailure.nonRetryable('x', 'IdempotencyKeyReused')),
    'idempotency_key_reused',
  ],
  [
    'another body, found by a step',
    failed(stepFailure(ApplicationFailure.nonRetryable('x', 'IdempotencyKeyReused'))),
    'idempotency_key_reused',
  ],
  [
    'a refused command',
    failed(ApplicationFailure.nonRetryable('It is closed.', 'InvalidTransition')),
    'invalid_transition',
  ],
])('%s becomes its problem', (_, error, code) => {
  expect(temporalProblem(error)).toMatchObject({ code });
});

it('a mistake of our own stays what it is', () => {
  const error = new TypeError('x');
  expect(temporalProblem(error)).toBe(error);
});
