import { callProvider, within } from '../../activities/payment-calls';
import { PaymentDeclined, PaymentKeyReused, PaymentRefused } from '../../src/domain/errors';
import type { PaymentTask } from '../../src/domain/intention';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { newPayment } from '../payments/fixtures';

const payment = newPayment();
const task = (operation: PaymentTask['operation'], fields: Partial<PaymentTask> = {}): PaymentTask => ({
  operation,
  payment,
  key: payment.key,
  amount: payment.amount,
  commandId: null,
  ...fields,
});

/** A payment service that does the same for each operation. */
function providerThat(answer: () => Promise<never>): PaymentProvider {
  const operations = { authorize: answer, capture: answer, release: answer, void: answer, refund: answer };
  return { name: 'sandbox', captures: 'many', ...operations, find: answer, list: answer };
}
const failing = (error: Error) => providerThat(() => Promise.reject(error));
const OPERATIONS = ['authorize', 'capture', 'refund'] as const;

describe('callProvider', () => {
  it.each(OPERATIONS)('passes on an error of %s after which the outcome is unknown', async (operation) => {
    const error = new Error('connection lost');
    await expect(callProvider({ provider: failing(error), task: task(operation) })).rejects.toBe(error);
  });

  it.each(OPERATIONS)('does not ask the payment service to %s 0', async (operation) => {
    const provider = failing(new Error('It was asked.'));
    const outcome = await callProvider({ provider, task: task(operation, { amount: 0 }) });
    expect(outcome).toEqual({ state: 'done', reference: payment.reference });
  });

  it.each([
    ['a declined card is declined', new PaymentDeclined('No funds.'), 'PaymentDeclined'],
    ['a voided key is as good as declined', new PaymentRefused('It is voided.'), 'PaymentDeclined'],
  ])('after an authorisation, %s', async (_, error, type) => {
    const outcome = await callProvider({ provider: failing(error), task: task('authorize') });
    expect(outcome).toEqual({ state: 'declined', error: { type, message: error.message } });
  });

  it.each(['capture', 'refund'] as const)('a %s that is refused is rejected', async (operation) => {
    const provider = failing(new PaymentRefused('It has lapsed.'));
    const error = { type: 'PaymentRefused', message: 'It has lapsed.' };
    expect(await callProvider({ provider, task: task(operation) })).toEqual({ state: 'rejected', error });
  });

  it.each([
    ['an order', null, /key of this order.*place a new order/],
    ['an amendment', 'cmd_1', /key of this amendment.*repeat the request/],
  ])('of %s does not know what is reserved under a key of another payment', async (_, commandId, message) => {
    const provider = failing(new PaymentKeyReused('It is used.'));
    const outcome = await callProvider({ provider, task: task('authorize', { commandId }) });
    const error = { type: 'PaymentKeyReused', message: expect.stringMatching(message) as string };
    expect(outcome).toEqual({ state: 'unanswered', error });
  });
});

describe('within', () => {
  const timeoutMs = 20;

  it('returns null if the payment service fails', async () => {
    const provider = failing(new Error('connection lost'));
    expect(await within({ timeoutMs, work: callProvider({ provider, task: task('authorize') }) })).toBeNull();
  });

  it('returns null if it does not answer in time', async () => {
    const provider = providerThat(() => new Promise(() => undefined));
    expect(await within({ timeoutMs, work: callProvider({ provider, task: task('authorize') }) })).toBeNull();
  });

  it('returns a definite no', async () => {
    const provider = failing(new PaymentDeclined('No funds.'));
    const outcome = await within({
      timeoutMs: 60_000,
      work: callProvider({ provider, task: task('authorize') }),
    });
    expect(outcome).toMatchObject({ state: 'declined' });
  });
});
