import {
  disputedOf,
  givingUp,
  isLive,
  keptOf,
  refundedOf,
  type ProviderPayment,
} from '../../src/domain/payment';

const payment: ProviderPayment = {
  key: 'ord_1-1',
  reference: 'pi_1',
  status: 'captured',
  amount: 3_000,
  currency: 'EUR',
  authorized: 3_000,
  captured: 3_000,
  captures: 'once',
  refunds: [
    { key: 'a', amount: 100, status: 'succeeded' },
    { key: 'b', amount: 20, status: 'pending' },
    { key: 'c', amount: 3, status: 'failed' },
  ],
  disputes: [
    { id: 'dp_1', amount: 1_000, status: 'opened', reason: 'fraudulent' },
    { id: 'dp_2', amount: 500, status: 'lost', reason: 'fraudulent' },
    { id: 'dp_3', amount: 7, status: 'won', reason: 'fraudulent' },
  ],
};

it('what is paid back, or about to be, and what the bank has taken back is not kept', () => {
  expect([refundedOf(payment), disputedOf(payment), keptOf(payment)]).toEqual([120, 1_500, 1_380]);
});

it.each([
  ['authorized', true],
  ['action_required', true],
  ['captured', false],
  ['voided', false],
  ['declined', false],
] as const)('a payment that is %s reserves something, or may: %s', (status, expected) => {
  expect(isLive({ status })).toBe(expected);
});

it('a payment is given up under the same keys by all who do', () => {
  expect(givingUp('ord_1-1')).toEqual({
    void: 'ord_1-1-void',
    release: 'ord_1-1-release',
    refund: 'ord_1-1-undo',
  });
});
