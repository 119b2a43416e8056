import { setTimeout as delay } from 'node:timers/promises';
import type { Authorization, ProviderPayment } from '../../domain/payment';
import type { PaymentProvider } from '../payment-provider';
import { createSandboxLedger, type LedgerResult } from './ledger';
import { capturesOf, FAULTY_METHODS } from './payment-methods';
import type { SandboxPayment, SandboxRepository } from './repository';

const FAILURES_OF_FLAKY = 2;
const SLOW_MS = 5_000;

export interface SandboxProviderDeps {
  repository: SandboxRepository;
  /** Waits before a reply to `pm_sandbox_slow`. */
  pause?: () => Promise<unknown>;
}

/**
 * A payment service for development and tests, whose ledger is in MongoDB. It knows Stripe's test payment
 * methods, and has some of its own that fail in the ways real services do (`FAULTY_METHODS`).
 */
export function createSandboxProvider({
  repository,
  pause = () => delay(SLOW_MS),
}: SandboxProviderDeps): PaymentProvider {
  const ledger = createSandboxLedger(repository);

  /** Does the work with the faults of the payment method. */
  async function serve(
    operationKey: string,
    { paymentMethod }: Authorization,
    work: () => Promise<LedgerResult>,
  ): Promise<ProviderPayment> {
    await requireAvailable(paymentMethod);
    if (paymentMethod === FAULTY_METHODS.flaky) await failAtFirst(operationKey);
    const { payment, isNew } = await work();
    if (paymentMethod === FAULTY_METHODS.slow) await pause();
    if (paymentMethod === FAULTY_METHODS.lostReply && isNew) throw connectionLost();
    return present(payment);
  }

  async function requireAvailable(paymentMethod: string): Promise<void> {
    if (paymentMethod !== FAULTY_METHODS.outage || (await repository.isAvailable())) return;
    throw new Error(
      `The payment service is unavailable for ${paymentMethod}: an ADMIN can switch it on with PUT /payments/sandbox { "available": true }.`,
    );
  }

  async function failAtFirst(operationKey: string): Promise<void> {
    const attempt = await repository.countAttempt(operationKey);
    if (attempt > FAILURES_OF_FLAKY) return;
    throw new Error(
      `The payment service failed at attempt ${attempt} of ${operationKey}: it works after ${FAILURES_OF_FLAKY} failures.`,
    );
  }

  return {
    name: 'sandbox',
    captures: 'many',
    authorize: (authorization) =>
      serve(authorization.key, authorization, () => ledger.authorize(authorization)),
    capture: (key, payment, capture) => serve(key, payment, () => ledger.capture(key, payment, capture)),
    release: (key, payment) => serve(key, payment, () => ledger.release(key, payment)),
    void: (key, payment) => serve(key, payment, () => ledger.void(key, payment)),
    refund: (key, payment, amount) => serve(key, payment, () => ledger.refund(key, payment, amount)),

    async find({ key, paymentMethod }) {
      await requireAvailable(paymentMethod);
      const found = await ledger.find(key);
      return found && present(found);
    },

    list: async () => ({ payments: [], nextCursor: null }),
  };
}

function present(payment: SandboxPayment): ProviderPayment {
  const { key, reference, status, amount, currency, authorized, captured, operations, declineReason } =
    payment;
  const captures = capturesOf(payment.paymentMethod);
  const refunds = operations
    .filter(({ kind }) => kind === 'refund')
    .map((refund) => ({ key: refund.key, amount: refund.amount, status: 'succeeded' as const }));
  return {
    key,
    reference,
    status,
    amount,
    currency,
    authorized,
    captured,
    captures,
    refunds,
    disputes: [],
    ...(declineReason !== null && { declineReason }),
  };
}

/** Returns the error that a client sees when a service dies before it replies. */
function connectionLost(): Error {
  return Object.assign(new Error('The connection to the payment service was lost before it replied.'), {
    code: 'ECONNRESET',
  });
}
