import { ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import { status } from '@grpc/grpc-js';
import { PaymentRefused, StaleVersion } from '../../../src/domain/errors';
import { businessProblem, recordedProblem, temporalProblem } from '../../../src/orders/temporal/failures';

const grpc = (code: status) => Object.assign(new Error('grpc'), { code, details: 'd', metadata: {} });
const failure = (type: string, ...details: unknown[]) =>
  failed(ApplicationFailure.nonRetryable('Why.', type, ...details));
const failed = (cause: Error) => new WorkflowUpdateFailedError('failed', cause);

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
    'a command that is rejected',
    failed(ApplicationFailure.nonRetryable('It is closed.', 'InvalidTransition')),
    'invalid_transition',
  ],
  ['an unknown product', failure('UnknownProduct'), 'unknown_product'],
  ['two currencies', failure('MixedCurrencies'), 'mixed_currencies'],
  ['a total that is too large', failure('AmountTooLarge'), 'amount_too_large'],
  ['more than in stock', failure('OutOfStock'), 'out_of_stock'],
  ['a declined card', failure('PaymentDeclined'), 'payment_declined'],
  ['a lapsed payment', failure('PaymentRefused'), 'invalid_transition'],
  ['a key that was used for another payment', failure('PaymentKeyReused'), 'invalid_transition'],
  ['a payment service that is away', failure('PaymentUnanswered'), 'service_unavailable'],
  ['an amendment that was interrupted', failure('Interrupted'), 'service_unavailable'],
  ['a malformed command', failure('MalformedCommand'), 'validation_failed'],
  ['a thing that the order does not have', failure('NotFound'), 'not_found'],
  ['an earlier version', failure('StaleVersion', 7), 'precondition_failed'],
  ['an unforeseen failure', failure('TypeError'), 'service_unavailable'],
])('turns %s into its problem', (_, error, code) => {
  expect(temporalProblem(error)).toMatchObject({ code });
});

it('returns an error of our own as it is', () => {
  const error = new TypeError('x');
  expect(temporalProblem(error)).toBe(error);
});

it('names the order that a command was for, and its current version', () => {
  expect(temporalProblem(failure('OutOfStock'), 'ord_1')).toMatchObject({ orderId: 'ord_1', detail: 'Why.' });
  expect(temporalProblem(failure('StaleVersion', 7))).toMatchObject({ headers: { ETag: '"7"' } });
  expect(temporalProblem(grpc(status.UNAVAILABLE), 'ord_1')).toMatchObject({
    orderId: 'ord_1',
    detail: expect.stringContaining('may or may not have been carried out'),
  });
});

it('tells the caller why an amendment was interrupted, and which order to read again', () => {
  expect(temporalProblem(failure('Interrupted'), 'ord_1')).toMatchObject({
    orderId: 'ord_1',
    detail: 'Why.',
  });
});

describe('a refusal that the order remembers', () => {
  const recorded = (type: string) => recordedProblem({ type, message: 'Why.' }, 7, 'ord_1');

  it('is the problem that it was at first', () => {
    expect(recorded('OutOfStock')).toMatchObject({ code: 'out_of_stock', detail: 'Why.', orderId: 'ord_1' });
    expect(recorded('StaleVersion')).toMatchObject({ code: 'precondition_failed', headers: { ETag: '"7"' } });
  });

  it('tells no version if the command did not ask for one', () => {
    expect(recorded('InvalidTransition')).toMatchObject({ code: 'invalid_transition', headers: {} });
  });

  it('of an unknown type, from another release, is 503', () => {
    expect(recorded('Novelty')).toMatchObject({ code: 'service_unavailable' });
  });
});

it('turns a BusinessError into the problem that the workflow would have caused', () => {
  expect(businessProblem(new StaleVersion(7), 7, 'ord_1')).toMatchObject({
    code: 'precondition_failed',
    headers: { ETag: '"7"' },
  });
  expect(businessProblem(new PaymentRefused('It has lapsed.'), 7, 'ord_1')).toMatchObject({
    code: 'invalid_transition',
    detail: 'It has lapsed.',
    orderId: 'ord_1',
  });
});
