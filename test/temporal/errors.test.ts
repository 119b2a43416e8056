import {
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import { status } from '@grpc/grpc-js';
import { hasEnded, isBusy, isUnavailable } from '../../src/temporal/errors';

const grpc = (code: status) => Object.assign(new Error('grpc'), { code, details: 'd', metadata: {} });
const wrapped = (code: status) => new ServiceError('x', { cause: grpc(code) });
const NO_NAMESPACE = 'Namespace x is not found.';
const noNamespace = Object.assign(grpc(status.NOT_FOUND), { details: NO_NAMESPACE });
const byWorker = Object.assign(grpc(status.NOT_FOUND), { details: '', message: NO_NAMESPACE });
const updateFailure = (type: string) =>
  new WorkflowUpdateFailedError('failed', ApplicationFailure.nonRetryable('Why.', type));

it.each([
  ['too many updates in flight', wrapped(status.RESOURCE_EXHAUSTED), true],
  ['too many updates in flight, as Update-with-Start throws it', grpc(status.RESOURCE_EXHAUSTED), true],
  ['a workflow whose tasks keep failing', wrapped(status.FAILED_PRECONDITION), true],
  ['a workflow whose tasks keep failing, at Update-with-Start', grpc(status.FAILED_PRECONDITION), true],
  ['a workflow that continues as new', updateFailure('ContinuingAsNew'), true],
  ['a rejected update', updateFailure('InvalidTransition'), false],
  ['a server that is away', wrapped(status.UNAVAILABLE), false],
])('tells whether the workflow is busy: %s', (_, error, expected) => {
  expect(isBusy(error)).toBe(expected);
});

it.each([
  ['a server that is away', wrapped(status.UNAVAILABLE), true],
  ['a server that is away, as Update-with-Start throws it', grpc(status.UNAVAILABLE), true],
  ['too many updates in flight', wrapped(status.RESOURCE_EXHAUSTED), false],
  ['a rejected update', updateFailure('InvalidTransition'), false],
])('tells whether the server is unavailable: %s', (_, error, expected) => {
  expect(isUnavailable(error)).toBe(expected);
});

it.each([
  ['a completed workflow', new WorkflowExecutionAlreadyStartedError('x', 'w', 't'), true],
  ['an unknown workflow', new WorkflowNotFoundError('x', 'w', undefined), true],
  ['a workflow that ended just now', grpc(status.NOT_FOUND), true],
  ['a namespace that is missing', new NamespaceNotFoundError('x'), false],
  ['a namespace that is missing, as some calls throw it', noNamespace, false],
  ['a namespace that is missing, as a worker gets it', byWorker, false],
  [
    'a namespace that is missing, as others throw it',
    new WorkflowNotFoundError(NO_NAMESPACE, 'w', ''),
    false,
  ],
  ['a server that is away', grpc(status.UNAVAILABLE), false],
])('tells whether the workflow has ended: %s', (_, error, expected) => {
  expect(hasEnded(error)).toBe(expected);
});
