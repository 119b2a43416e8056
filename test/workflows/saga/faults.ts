import {
  type BusinessError,
  OrderRejected,
  PaymentDeclined,
  PaymentRefused,
} from '../../../src/domain/errors';
import type { Attempt, Fault, StepName } from './saboteur';

/** Uses up the local attempts of a step, and the first regular one. */
const FAILURES = 3;

async function failAtFirst({ number }: Attempt): Promise<void> {
  if (number <= FAILURES) throw new Error(`The network is down at attempt ${number}.`);
}

/** What the order gets over: it ends as if nothing had happened. */
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
    if (attempt.number === 1) await attempt.overtaken;
    return result;
  },
  'stalls and has no effect': async (attempt, effect) => {
    if (attempt.number > 1) return effect();
    await attempt.overtaken;
    throw new Error('The connection was lost.');
  },
  'stalls and has its effect when all is over': async (attempt, effect) => {
    if (attempt.number === 1) await attempt.lifeOver;
    return effect();
  },
} satisfies Record<string, Fault>;

/** The steps that may say no for good, and what they say then. */
export const BUSINESS_ERRORS: Partial<Record<StepName, () => BusinessError>> = {
  priceOrder: () => new OrderRejected('UnknownProduct', 'It is not sold any more.'),
  openOrder: () => new OrderRejected('OutOfStock', 'Too few are left.'),
  amendOrder: () => new OrderRejected('OutOfStock', 'Too few are left.'),
  authorizePayment: () => new PaymentDeclined('The card was declined.'),
  capturePayment: () => new PaymentRefused('The authorisation has lapsed.'),
  refundPayment: () => new PaymentRefused('The account is closed.'),
  voidPayment: () => new PaymentRefused('Come back later.'),
};

/** Once: the one compensation among them is tried again. */
export function sayingNo(name: StepName): Fault {
  return async ({ number }, effect) => {
    if (number === 1) throw BUSINESS_ERRORS[name]!();
    return effect();
  };
}

/** Has something done while the step is under way. */
export function meanwhile(act: (attempt: Attempt) => Promise<void>): Fault {
  return async (attempt, effect) => {
    if (attempt.number === 1) await act(attempt);
    return effect();
  };
}
