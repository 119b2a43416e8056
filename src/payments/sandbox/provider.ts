import { setTimeout as delay } from 'node:timers/promises';
import type { Authorization, ListRequest, PaymentList, ProviderPayment } from '../../domain/payment';
import type { PaymentProvider } from '../payment-provider';
import { createSandboxLedger } from './ledger';
import type { LedgerResult } from './moves';
import { FAULTY_METHODS } from './payment-methods';
import { PAGE_PATH } from './page';
import { presentListed, presentPayment } from './present';
import type { SandboxPayment, SandboxRepository } from './repository';

const FAILURES_OF_FLAKY = 2;
const SLOW_MS = 5_000;
const ACTION_TTL_MS = 3_600_000;
const LIST_LIMIT = 100;
const DEFAULT_URL = 'http://localhost:3000/orders-management-system';

export interface SandboxProviderDeps {
  repository: SandboxRepository;
  /** The base URL of the API as browsers reach it, for the page where customers answer their banks. */
  url?: string;
  /** How long customers may take to answer. */
  actionTtlMs?: number;
  /** Waits before a reply to `pm_sandbox_slow`. */
  pause?: () => Promise<unknown>;
}

/**
 * A payment service for development and tests, whose ledger is in MongoDB. It knows Stripe's test payment
 * methods, and has some of its own that fail in the ways real services do (`FAULTY_METHODS`).
 */
export function createSandboxProvider({
  repository,
  url = DEFAULT_URL,
  actionTtlMs = ACTION_TTL_MS,
  pause = () => delay(SLOW_MS),
}: SandboxProviderDeps): PaymentProvider {
  const ledger = createSandboxLedger(repository, { actionTtlMs });
  const present = presenter((actionId) => `${url}${PAGE_PATH}/${actionId}`);

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

  async function list({ from, to, cursor = null }: ListRequest): Promise<PaymentList> {
    const period = { from: new Date(from), to: new Date(to) };
    const found = await repository.changedWithin({ ...period, after: cursor, limit: LIST_LIMIT });
    const nextCursor = found.length < LIST_LIMIT ? null : found.at(-1)!.key;
    return { payments: found.map(presentListed), nextCursor };
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

    list,
  };
}

/** Presents a payment to the order, with what its customer has to do. */
function presenter(pageUrl: (actionId: string) => string) {
  return (payment: SandboxPayment): ProviderPayment => {
    const presented = presentPayment(payment);
    const { status, action } = payment;
    if (status !== 'action_required') return presented;
    const expiresAt = action!.expiresAt.toISOString();
    return { ...presented, action: { type: 'redirect', redirectUrl: pageUrl(action!.id), expiresAt } };
  };
}

/** Returns the error that a client sees when a service dies before it replies. */
function connectionLost(): Error {
  return Object.assign(new Error('The connection to the payment service was lost before it replied.'), {
    code: 'ECONNRESET',
  });
}
