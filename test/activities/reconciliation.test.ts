import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import {
  createReconciliationActivities,
  type ReconciliationActivityDeps,
} from '../../activities/reconciliation.activities';
import { PaymentRefused } from '../../src/domain/errors';
import type { Order } from '../../src/domain/order';
import type { ProviderPayment } from '../../src/domain/payment';
import { beginReconciliation, type ReconciliationPart } from '../../src/domain/reconciliation';
import { toDocument } from '../../src/orders/order-documents';
import type { OrderDocument } from '../../src/orders/orders.model';
import { createOrderRepository } from '../../src/orders/orders.repository';
import { createFindingRepository } from '../../src/payments/findings/findings.repository';
import { createInTurn } from '../../src/worker/in-turn';
import { CREATED, LATER, orderIn } from '../domain/fixtures';
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
  find?: () => Promise<ProviderPayment | null>;
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
  };
  const { environment, activities } = activitiesWith(deps, attempt);
  return environment.run(activities.comparePayments, beginReconciliation({}, new Date().toISOString()));
}

function activitiesWith(deps: object, attempt = 1) {
  const all = { findings: createFindingRepository(db.connection), inTurn: createInTurn(), ...deps };
  return {
    environment: new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') }),
    activities: createReconciliationActivities(all as unknown as ReconciliationActivityDeps),
  };
}

const findings = () => db.connection.collection('reconciliation_findings');
const stored = () => findings().countDocuments();
const open = () => findings().countDocuments({ state: 'open' });
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

describe('an authorisation that no order has', () => {
  const orphan = () => recordOf({ status: 'authorized' });
  const DEAD = { status: 'voided' } as const;

  interface Provider {
    /** What the payment service has of it, each time that it is asked. */
    finds: (ProviderPayment | null)[];
    void?: () => Promise<void>;
    release?: () => Promise<void>;
  }

  /** Finds it, and then looks again at the finding. @param reads the order each time that it is read */
  async function settled({ finds, ...calls }: Provider, reads: (Order | null)[] = [null]) {
    await compare([null], { status: 'authorized' });
    const next = <T>(all: T[]): T => (all.length > 1 ? all.shift()! : all[0]!);
    const made: string[] = [];
    const call = (name: 'void' | 'release') => async () => {
      made.push(name);
      await calls[name]?.();
    };
    const { environment, activities } = activitiesWith({
      provider: { find: async () => next(finds), void: call('void'), release: call('release') },
      orders: { findById: async () => next(reads) },
    });
    const asked = beginReconciliation({ repair: true }, new Date().toISOString());
    const { counts }: ReconciliationPart = await environment.run(activities.settleFindings, asked);
    return { counts, made };
  }

  it('is given up, and gone then', async () => {
    const { counts, made } = await settled({ finds: [orphan(), recordOf(DEAD)] });
    expect({ counts, made }).toEqual({ counts: { findings: 1, gone: 0, repaired: 1 }, made: ['void'] });
  });

  it('is released as far as it is not captured', async () => {
    const { made } = await settled({ finds: [{ ...orphan(), captures: 'many', captured: 1_000 }] });
    expect(made).toEqual(['release']);
  });

  it('is gone if someone else has given it up', async () => {
    const { counts, made } = await settled({ finds: [recordOf(DEAD)] });
    expect({ counts, made }).toEqual({ counts: { findings: 1, gone: 1 }, made: [] });
  });

  it('is left as it is found if it changes while it is given up', async () => {
    const refuse = () => Promise.reject(new PaymentRefused('It is captured.'));
    const { counts } = await settled({ finds: [orphan()], void: refuse });
    expect(counts).toEqual({ findings: 1, gone: 0, repaired: 0 });
    expect(await open()).toBe(1);
  });

  it('stays a finding if the payment service does not answer', async () => {
    const fail = () => Promise.reject(new Error('The payment service does not answer.'));
    const { counts } = await settled({ finds: [orphan()], void: fail });
    expect(counts).toEqual({ findings: 1, gone: 0, unanswered: 1 });
    expect(await open()).toBe(1);
  });

  it('is left to the next run if its order is just being placed', async () => {
    const { counts, made } = await settled({ finds: [orphan()] }, [recently()]);
    expect({ counts, made }).toEqual({ counts: { findings: 1, skipped: 1 }, made: [] });
  });

  it('is left to the next run if its order appears while it is given up', async () => {
    const { counts } = await settled({ finds: [orphan()] }, [null, null, null, orderIn()]);
    expect(counts).toEqual({ findings: 1, gone: 0, skipped: 1 });
  });
});

it('says nothing of an earlier payment of an order that the payment service does not know any more', async () => {
  const find = () => Promise.resolve(null);
  const later = orderIn({ payment: { ...orderIn().payment!, key: 'ord_1-2' } });
  expect(await compare([later], { find, status: 'authorized' })).toMatchObject({ counts: { payments: 1 } });
  expect(await stored()).toBe(0);
});

it('asks the payment service for nothing more when the worker is to stop', async () => {
  const list = jest.fn();
  const { environment, activities } = activitiesWith({ provider: { list } });
  environment.cancel();
  const part = environment.run(activities.comparePayments, beginReconciliation({}, new Date().toISOString()));
  await expect(part).rejects.toThrow(CancelledFailure);
  expect(list).not.toHaveBeenCalled();
});

it('looks at all orders and all findings once, part by part', async () => {
  const payment = { ...orderIn().payment!, amount: 0 };
  const current = Array.from({ length: 51 }, (_, n) =>
    orderIn({ id: `ord_${100 + n}`, number: `N${n}`, payment }),
  );
  const archived = current.map((order) => ({
    ...order,
    id: `${order.id}a`,
    number: `${order.number}a`,
    archivedAt: order.updatedAt,
  }));
  await db.connection
    .collection<OrderDocument>('orders')
    .insertMany([...current, ...archived].map(toDocument));
  const orders = createOrderRepository(db.connection);
  const findings = createFindingRepository(db.connection);
  for (const { id } of current) {
    const finding = { kind: 'payment_missing', subject: id, there: null, here: null } as const;
    await findings.record(
      [finding],
      { ...payment, key: id, orderId: id, paymentMethod: 'pm' },
      { at: LATER, since: CREATED },
    );
  }
  const { environment, activities } = activitiesWith({ provider: { find: async () => null }, orders });
  const all = beginReconciliation({ from: CREATED, to: LATER }, LATER);
  const parts = async (phase: 'compareOrders' | 'settleFindings') => {
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const part: ReconciliationPart = await environment.run(activities[phase], { ...all, cursor });
      seen.push(part.counts[phase === 'compareOrders' ? 'orders' : 'findings'] ?? 0);
      cursor = part.nextCursor;
    } while (cursor !== null);
    return seen;
  };
  expect(await parts('compareOrders')).toEqual([50, 1, 50, 1]);
  expect(await parts('settleFindings')).toEqual([50, 1]);
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
