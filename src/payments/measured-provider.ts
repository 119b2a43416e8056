import { PaymentDeclined, PaymentRefused } from '../domain/errors';
import type { PaymentProvider } from './payment-provider';

export type PaymentOperation = Exclude<keyof PaymentProvider, 'name' | 'captures'>;

/** How a call ended: `declined` and `refused` are answers of the payment service, `failed` is none. */
export type PaymentCallOutcome = 'succeeded' | 'declined' | 'refused' | 'failed';

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
        report('succeeded');
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
  if (error instanceof PaymentDeclined) return 'declined';
  return error instanceof PaymentRefused ? 'refused' : 'failed';
}
