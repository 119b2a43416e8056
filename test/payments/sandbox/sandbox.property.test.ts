import fc from 'fast-check';
import type { Captures, PaymentRef, ProviderPayment } from '../../../src/domain/payment';
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

const KINDS = ['authorize', 'capture', 'capture', 'release', 'void', 'refund', 'refund'] as const;

interface Operation {
  kind: (typeof KINDS)[number];
  /** One of a few keys, so that some are reused, for the same operation and for others. */
  key: number;
  amount: number;
  /** Of a capture. */
  isFinal: boolean;
}

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom(...KINDS),
  key: fc.nat(7),
  amount: fc.oneof(fc.integer({ min: 1, max: AMOUNT }), fc.constantFrom(AMOUNT / 4, AMOUNT)),
  isFinal: fc.boolean(),
});

/** Cards that can be captured many times, and once. */
const paymentMethod = fc.constantFrom('pm_card_visa', 'pm_card_credit_disableEnterpriseCardFeatures');
const capturesOf = (method: string): Captures => (method === 'pm_card_visa' ? 'many' : 'once');

function perform(payment: PaymentRef, { kind, key, ...capture }: Operation): Promise<ProviderPayment> {
  const operationKey = `${payment.key}/${key}`;
  switch (kind) {
    case 'authorize':
      return sandbox.authorize(payment);
    case 'capture':
      return sandbox.capture(operationKey, payment, capture);
    case 'refund':
      return sandbox.refund(operationKey, payment, capture.amount);
    case 'release':
    case 'void':
      return sandbox[kind](operationKey, payment);
  }
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
  private open = 0;
  captured = 0;
  refunded = 0;

  constructor(private readonly captures: Captures) {}

  /** Applies the operation. @returns whether it is expected to succeed */
  apply(operation: Operation): boolean {
    const { kind, key, amount, isFinal } = operation;
    if (kind === 'authorize') {
      if (this.status === 'none') Object.assign(this, { status: 'authorized', open: AMOUNT });
      return this.status !== 'voided';
    }
    const uses = {
      capture: `capture ${amount} ${isFinal}`,
      refund: `refund ${amount}`,
      release: kind,
      void: kind,
    };
    const earlier = this.used.get(key);
    if (earlier !== undefined) return earlier === uses[kind];
    const isPossible = this[kind](operation);
    if (isPossible === 'changed') this.used.set(key, uses[kind]);
    return isPossible !== false;
  }

  private capture({ amount, isFinal }: Operation): 'changed' | false {
    if (amount > this.open || (!isFinal && this.captures === 'once')) return false;
    this.captured += amount;
    return this.keep(isFinal ? 0 : this.open - amount);
  }

  private release(): 'changed' | 'as it was' | false {
    if (this.captured === 0) return false;
    return this.open === 0 ? 'as it was' : this.keep(0);
  }

  private void(): 'changed' | 'as it was' | false {
    if (this.captured > 0) return false;
    if (this.status === 'voided') return 'as it was';
    Object.assign(this, { status: 'voided', open: 0 });
    return 'changed';
  }

  private refund({ amount }: Operation): 'changed' | false {
    if (this.refunded + amount > this.captured) return false;
    this.refunded += amount;
    return 'changed';
  }

  private keep(open: number): 'changed' {
    Object.assign(this, { status: open > 0 ? 'authorized' : 'captured', open });
    return 'changed';
  }

  balances() {
    const { status, open, captured, refunded } = this;
    return { status, open, captured, refunded };
  }
}

it('follows the rules in any sequence of operations, with a balanced ledger after each', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 15 }), paymentMethod, async (operations, method) => {
      const payment = newPayment({ amount: AMOUNT, paymentMethod: method });
      const model = new Model(capturesOf(method));
      for (const requested of operations) {
        const outcome = await outcomeOf(perform(payment, requested));
        expect(outcome !== 'refused').toBe(model.apply(requested));
        const found = await sandbox.find(payment);
        if (outcome !== 'refused') expect(outcome).toEqual(found);
        if (found) expect(await ledgerOf(db, payment.key)).toMatchObject(model.balances());
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
        // A release that found nothing to do leaves its key to others.
        const { operations } = await ledgerOf(db, payment.key);
        const isReleased = ({ key }: Operation) =>
          operations.some((made) => made.kind === 'release' && made.key === `${payment.key}/${key}`);
        const repeats = accepted.filter((repeat) =>
          repeat.kind === 'authorize'
            ? found?.status !== 'voided'
            : repeat.kind !== 'release' || isReleased(repeat),
        );
        for (const repeat of repeats) expect(await perform(payment, repeat)).toEqual(found);
        expect(await sandbox.find(payment)).toEqual(found);
      },
    ),
    { numRuns: RUNS },
  );
});
