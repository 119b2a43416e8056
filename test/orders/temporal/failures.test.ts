import {
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import { status } from '@grpc/grpc-js';
import { PaymentRefused, StaleVersion } from '../../../src/domain/errors';
import { businessProblem, hasEnded, isBusy, temporalProblem } from '../../../src/orders/temporal/failures';

const grpc = (code: status) => Object.assign(new Error('grpc'), { code, details: 'd', metadata: {} });
const answer = (type: string, ...details: unknown[]) =>
  failed(ApplicationFailure.nonRetryable('Why.', type, ...details));
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
  ['a product that is not sold', answer('UnknownProduct'), 'unknown_product'],
  ['two currencies', answer('MixedCurrencies'), 'mixed_currencies'],
  ['a total that is too large', answer('AmountTooLarge'), 'amount_too_large'],
  ['more than in stock', answer('OutOfStock'), 'out_of_stock'],
  ['a card that is declined', answer('PaymentDeclined'), 'payment_declined'],
  ['a payment that has lapsed', answer('PaymentRefused'), 'invalid_transition'],
  ['a key of another payment', answer('PaymentKeyReused'), 'invalid_transition'],
  ['a payment service that is away', answer('PaymentUnanswered'), 'service_unavailable'],
  ['what the order does not have', answer('NotFound'), 'not_found'],
  ['a version of before', answer('StaleVersion', 7), 'precondition_failed'],
  ['a failure that nobody foresaw', answer('TypeError'), 'service_unavailable'],
])('%s becomes its problem', (_, error, code) => {
  expect(temporalProblem(error)).toMatchObject({ code });
});

it('a mistake of our own stays what it is', () => {
  const error = new TypeError('x');
  expect(temporalProblem(error)).toBe(error);
});

it('tells the order that a command was about, and the current version', () => {
  expect(temporalProblem(answer('OutOfStock'), 'ord_1')).toMatchObject({ orderId: 'ord_1', detail: 'Why.' });
  expect(temporalProblem(answer('StaleVersion', 7))).toMatchObject({ headers: { ETag: '"7"' } });
  expect(temporalProblem(grpc(status.UNAVAILABLE), 'ord_1')).toMatchObject({
    orderId: 'ord_1',
    detail: expect.stringContaining('may have been done'),
  });
});

it('gives for a refusal of the domain the answer that the workflow would have given', () => {
  expect(businessProblem(new StaleVersion(7), 'ord_1')).toMatchObject({
    code: 'precondition_failed',
    headers: { ETag: '"7"' },
  });
  expect(businessProblem(new PaymentRefused('It has lapsed.'), 'ord_1')).toMatchObject({
    code: 'invalid_transition',
    detail: 'It has lapsed.',
    orderId: 'ord_1',
  });
});

it.each([
  ['too many updates', new ServiceError('x', { cause: grpc(status.RESOURCE_EXHAUSTED) }), true],
  ['too many updates, as Update-with-Start says it', grpc(status.RESOURCE_EXHAUSTED), true],
  ['a workflow that continues as new', answer('ContinuingAsNew'), true],
  ['a refusal', answer('InvalidTransition'), false],
  ['a server that is away', new ServiceError('x', { cause: grpc(status.UNAVAILABLE) }), false],
])('%s: another try, shortly, is worth it: %s', (_, error, expected) => {
  expect(isBusy(error)).toBe(expected);
});

it.each([
  ['one that has completed', new WorkflowExecutionAlreadyStartedError('x', 'w', 't'), true],
  ['one that is not known', new WorkflowNotFoundError('x', 'w', undefined), true],
  ['one that ended between', grpc(status.NOT_FOUND), true],
  ['a server that is away', grpc(status.UNAVAILABLE), false],
])('%s: the workflow has ended: %s', (_, error, expected) => {
  expect(hasEnded(error)).toBe(expected);
});
