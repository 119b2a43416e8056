import { type BusinessError, PaymentDeclined, PaymentRefused } from '../../../src/domain/errors';
import type { Attempt, Fault, StepName } from './fault-injector';

/** As many as the local attempt of a step and the first regular one. */
const FAILURES = 2;

async function failAtFirst({ number }: Attempt): Promise<void> {
  if (number <= FAILURES) throw new Error(`The network is down at attempt ${number}.`);
}

/** Faults that do not change how the order ends. */
export const PASSING_FAULTS = {
  'fails at first': async (attempt, effect) => {
    await failAtFirst(attempt);
    return effect();
  },
  'loses its reply': async (attempt, effect) => {
    const result = await effect();
    await failAtFirst(attempt);
    return result;
  },
  'stalls after its effect': async (attempt, effect) => {
    const result = await effect();
    if (attempt.number === 1) await Promise.race([attempt.overtaken, attempt.scenarioOver]);
    return result;
  },
  'stalls and has no effect': async (attempt, effect) => {
    if (attempt.number > 1) return effect();
    await Promise.race([attempt.overtaken, attempt.scenarioOver]);
    throw new Error('The connection was lost.');
  },
  'stalls and has its effect after the end': async (attempt, effect) => {
    if (attempt.number === 1) await attempt.scenarioOver;
    return effect();
  },
} satisfies Record<string, Fault>;

/** The business error of each call of the payment service. */
export const BUSINESS_ERRORS: Partial<Record<StepName, () => BusinessError>> = {
  authorizePayment: () => new PaymentDeclined('The card was declined.'),
  capturePayment: () => new PaymentRefused('The authorisation has lapsed.'),
  refundPayment: () => new PaymentRefused('The account is closed.'),
  voidPayment: () => new PaymentRefused('Come back later.'),
  releasePayment: () => new PaymentRefused('Come back later.'),
  payBack: () => new PaymentRefused('Come back later.'),
};

/** Fails once with a business error; a compensation is retried all the same. */
export function failingForGood(name: StepName): Fault {
  return async ({ number }, effect) => {
    if (number === 1) throw BUSINESS_ERRORS[name]!();
    return effect();
  };
}

/** Does something while the step is running. */
export function meanwhile(act: (attempt: Attempt) => Promise<void>): Fault {
  return async (attempt, effect) => {
    if (attempt.number === 1) await act(attempt);
    return effect();
  };
}
