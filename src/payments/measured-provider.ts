import { PaymentDeclined, PaymentRefused } from '../domain/errors';
import type { PaymentProvider } from './payment-provider';

export const PAYMENT_OPERATIONS = [
  'authorize',
  'capture',
  'release',
  'void',
  'refund',
  'find',
  'list',
] as const;

export type PaymentOperation = (typeof PAYMENT_OPERATIONS)[number];

/** How a call can end: `declined` is a definite no of the payment service, `failed` is no answer. */
export const PAYMENT_CALL_OUTCOMES = ['ok', 'declined', 'failed'] as const;

export type PaymentCallOutcome = (typeof PAYMENT_CALL_OUTCOMES)[number];

export type OnPaymentCall = (
  operation: PaymentOperation,
  outcome: PaymentCallOutcome,
  durationMs: number,
) => void;

/** Returns the provider with each of its calls reported. */
export function measuredProvider(provider: PaymentProvider, onCall: OnPaymentCall): PaymentProvider {
  function measured<Args extends unknown[], Result>(
    operation: PaymentOperation,
    call: (...args: Args) => Promise<Result>,
  ) {
    return async (...args: Args): Promise<Result> => {
      const startedAt = performance.now();
      const report = (outcome: PaymentCallOutcome) =>
        onCall(operation, outcome, performance.now() - startedAt);
      try {
        const result = await call(...args);
        report('ok');
        return result;
      } catch (error) {
        report(outcomeOf(error));
        throw error;
      }
    };
  }
  return {
    name: provider.name,
    captures: provider.captures,
    authorize: measured('authorize', (...args) => provider.authorize(...args)),
    capture: measured('capture', (...args) => provider.capture(...args)),
    release: measured('release', (...args) => provider.release(...args)),
    void: measured('void', (...args) => provider.void(...args)),
    refund: measured('refund', (...args) => provider.refund(...args)),
    find: measured('find', (...args) => provider.find(...args)),
    list: measured('list', (...args) => provider.list(...args)),
  };
}

function outcomeOf(error: unknown): PaymentCallOutcome {
  return error instanceof PaymentDeclined || error instanceof PaymentRefused ? 'declined' : 'failed';
}
