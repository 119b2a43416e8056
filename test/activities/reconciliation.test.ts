import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import {
  createReconciliationActivities,
  type ReconciliationActivityDeps,
} from '../../activities/reconciliation.activities';
import type { Order } from '../../src/domain/order';
import type { ProviderPayment } from '../../src/domain/payment';
import { beginReconciliation } from '../../src/domain/reconciliation';
import { createFindingRepository } from '../../src/payments/findings/findings.repository';
import { createInTurn } from '../../src/worker/in-turn';
import { orderIn } from '../domain/fixtures';
import { recordOf } from '../domain/records';
import { openTestDatabase, type TestDatabase } from '../support/database';

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterEach(() => db.connection.collection('reconciliation_findings').deleteMany());
afterAll(() => db.drop());

const listed = {
  ...recordOf(),
  orderId: 'ord_1',
  paymentMethod: 'pm_card_visa',
  createdAt: '2026-01-01T00:00:00.000Z',
};

interface Circumstances {
  attempt?: number;
  status?: ProviderPayment['status'];
  find?: () => Promise<ProviderPayment>;
}

/** Compares a payment with its order. @param reads the order each time that it is read */
function compare(
  reads: (Order | null)[],
  { attempt = 1, status = 'voided', find = async () => recordOf({ status }) }: Circumstances = {},
) {
  let read = 0;
  const deps = {
    provider: { list: async () => ({ payments: [{ ...listed, status }], nextCursor: null }), find },
    orders: { findById: async () => reads[Math.min(read++, reads.length - 1)] },
    findings: createFindingRepository(db.connection),
    inTurn: createInTurn(),
  } as unknown as ReconciliationActivityDeps;
  const { comparePayments } = createReconciliationActivities(deps);
  const environment = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
  return environment.run(comparePayments, beginReconciliation({}, new Date().toISOString()));
}

const stored = () => db.connection.collection('reconciliation_findings').countDocuments();
const recently = () => orderIn({ updatedAt: new Date(Date.now() - 200_000).toISOString() });

it('records what still differs when both are read again', async () => {
  expect(await compare([orderIn()])).toEqual({ counts: { payments: 1 }, nextCursor: null });
  expect(await stored()).toBe(1);
});

it.each<[string, (Order | null)[]]>([
  ['was just changed', [recently()]],
  ['is changed when it is read again', [orderIn(), recently()]],
  ['is changed while the payment is read', [orderIn(), orderIn(), orderIn({ revision: 3 })]],
])('leaves an order to the next run that %s', async (_, reads) => {
  expect(await compare(reads)).toMatchObject({ counts: { payments: 1, skipped: 1 } });
  expect(await stored()).toBe(0);
});

it('leaves an authorisation to the next run whose order appears only when it is read again', async () => {
  const appearing = compare([null, null, recently()], { status: 'authorized' });
  expect(await appearing).toMatchObject({ counts: { payments: 1, skipped: 1 } });
  expect(await stored()).toBe(0);
});

it('tries again what fails, and leaves it out only after many attempts', async () => {
  const find = () => Promise.reject(new Error('The payment service does not answer.'));
  await expect(compare([orderIn()], { find })).rejects.toThrow('does not answer');
  await expect(compare([orderIn()], { find, attempt: 7 })).rejects.toThrow('does not answer');
  expect(await compare([orderIn()], { find, attempt: 8 })).toMatchObject({
    counts: { payments: 1, unanswered: 1 },
  });
  expect(await stored()).toBe(0);
});

it.each([undefined, 1e6])(
  'makes at most four calls at a time, with a limit of %s a second',
  async (limit) => {
    const inTurn = createInTurn(limit);
    let [now, most] = [0, 0];
    const call = async () => {
      most = Math.max(most, ++now);
      await new Promise(setImmediate);
      now--;
    };
    await Promise.all(Array.from({ length: 20 }, () => inTurn(call)));
    expect(most).toBe(4);
  },
);
