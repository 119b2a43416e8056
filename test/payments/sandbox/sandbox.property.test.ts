import fc from 'fast-check';
import type { PaymentRef, ProviderPayment } from '../../../src/domain/payment';
import { PaymentRefused } from '../../../src/domain/errors';
import type { PaymentProvider } from '../../../src/payments/payment-provider';
import { createSandboxProvider } from '../../../src/payments/sandbox/provider';
import { createSandboxRepository } from '../../../src/payments/sandbox/repository';
import { type TestDatabase, openTestDatabase } from '../../support/database';
import { repetitions } from '../../support/sample';
import { ledgerOf } from './checked-ledger';
import { newPayment } from '../fixtures';

const RUNS = repetitions('payments/sandbox: sequences of operations');
const AMOUNT = 100;

let db: TestDatabase;
let sandbox: PaymentProvider;
beforeAll(async () => {
  db = await openTestDatabase();
  sandbox = createSandboxProvider({ repository: createSandboxRepository(db.connection) });
});
afterAll(() => db.drop());

interface Operation {
  kind: 'authorize' | 'capture' | 'void' | 'refund';
  /** One of a few keys, so that some are reused, for the same operation and for others. */
  key: number;
  amount: number;
}

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom('authorize', 'capture', 'void', 'refund', 'refund'),
  key: fc.nat(7),
  amount: fc.integer({ min: 1, max: AMOUNT }),
});

function perform(payment: PaymentRef, { kind, key, amount }: Operation): Promise<ProviderPayment> {
  const operationKey = `${payment.key}/${key}`;
  if (kind === 'authorize') return sandbox.authorize(payment);
  if (kind === 'refund') return sandbox.refund(operationKey, payment, amount);
  if (kind === 'capture') return sandbox.capture(operationKey, payment, { amount: AMOUNT, isFinal: true });
  return sandbox.void(operationKey, payment);
}

/** Returns the resulting payment, or `refused`. Any other error fails the test. */
async function outcomeOf(work: Promise<ProviderPayment>): Promise<ProviderPayment | 'refused'> {
  return work.catch((error: unknown) => {
    if (error instanceof PaymentRefused) return 'refused' as const;
    throw error;
  });
}

/** The rules without a database: the used keys and the balances. */
class Model {
  private readonly used = new Map<number, string>();
  private status: 'none' | 'authorized' | 'captured' | 'voided' = 'none';
  refunded = 0;

  /** Applies the operation. @returns whether it is expected to succeed */
  apply({ kind, key, amount }: Operation): boolean {
    if (kind === 'authorize') {
      if (this.status === 'none') this.status = 'authorized';
      return this.status !== 'voided';
    }
    const use = kind === 'refund' ? `refund ${amount}` : kind;
    const earlier = this.used.get(key);
    if (earlier !== undefined) return earlier === use;
    if (kind === 'void' && this.status === 'voided') return true;
    if (!this.advance(kind, amount)) return false;
    this.used.set(key, use);
    return true;
  }

  private advance(kind: 'capture' | 'void' | 'refund', amount: number): boolean {
    if (kind === 'refund') {
      if (this.status !== 'captured' || this.refunded + amount > AMOUNT) return false;
      this.refunded += amount;
      return true;
    }
    const from = kind === 'void' ? ['authorized', 'none'] : ['authorized'];
    if (!from.includes(this.status)) return false;
    this.status = kind === 'void' ? 'voided' : 'captured';
    return true;
  }
}

it('follows the rules in any sequence of operations, with a balanced ledger after each', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 15 }), async (operations) => {
      const payment = newPayment({ amount: AMOUNT });
      const model = new Model();
      for (const requested of operations) {
        const outcome = await outcomeOf(perform(payment, requested));
        expect(outcome !== 'refused').toBe(model.apply(requested));
        const found = await sandbox.find(payment);
        if (outcome !== 'refused') expect(outcome).toEqual(found);
        if (found) expect(await ledgerOf(db, payment.key)).toMatchObject({ refunded: model.refunded });
      }
    }),
    { numRuns: RUNS },
  );
});

it('keeps the ledger balanced under concurrent operations, and returns its state to repeats', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(operation, { minLength: 2, maxLength: 12 }), { maxLength: 4 }),
      async (rounds) => {
        const payment = newPayment({ amount: AMOUNT });
        await sandbox.authorize(payment);
        const accepted: Operation[] = [];
        for (const round of rounds) {
          const outcomes = await Promise.all(
            round.map((requested) => outcomeOf(perform(payment, requested))),
          );
          accepted.push(...round.filter((_, n) => outcomes[n] !== 'refused'));
          await ledgerOf(db, payment.key);
        }
        const found = await sandbox.find(payment);
        for (const repeat of accepted.filter(
          ({ kind }) => kind !== 'authorize' || found?.status !== 'voided',
        ))
          expect(await perform(payment, repeat)).toEqual(found);
        expect(await sandbox.find(payment)).toEqual(found);
      },
    ),
    { numRuns: RUNS },
  );
});
