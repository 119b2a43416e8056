import {
  createPaymentActionRepository,
  type PaymentActionRepository,
} from '../../src/payments/actions.repository';
import { keepingActions } from '../../src/payments/keeping-actions';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { createSandboxActions } from '../../src/payments/sandbox/actions';
import { createSandboxProvider } from '../../src/payments/sandbox/provider';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { newPayment } from './fixtures';

let db: TestDatabase;
let actions: PaymentActionRepository;
let bare: PaymentProvider;
let provider: PaymentProvider;
beforeAll(async () => {
  db = await openTestDatabase();
  actions = createPaymentActionRepository(db.connection);
  bare = createSandboxProvider({ repository: createSandboxRepository(db.connection) });
  provider = keepingActions(bare, actions);
});
afterAll(() => db.drop());

const asking = () => newPayment({ paymentMethod: 'pm_card_threeDSecure2Required', isOnSession: true });

it('keeps what the customer has to do, and hands on the payment without it', async () => {
  const payment = asking();
  for (const work of [() => provider.authorize(payment), () => provider.find(payment)]) {
    const handedOn = await work();
    expect(handedOn).toMatchObject({ status: 'action_required' });
    expect(handedOn).not.toHaveProperty('action');
    const { action } = (await bare.find(payment))!;
    expect(await actions.find(payment.key)).toEqual(action);
    await actions.remove(payment.key);
  }
});

it('forgets it once the payment waits for the customer no more', async () => {
  const payment = asking();
  await provider.authorize(payment);
  const repository = createSandboxRepository(db.connection);
  await createSandboxActions(repository).answer((await repository.find(payment.key))!, 'authorise');
  expect(await provider.find(payment)).toMatchObject({ status: 'authorized' });
  expect(await actions.find(payment.key)).toBeNull();
});

it('lets MongoDB forget it when its time is up, or after a day', async () => {
  const expiresAt = '2026-11-29T08:00:00.000Z';
  await actions.keep('a', { type: 'redirect', redirectUrl: 'https://bank.example', expiresAt });
  await actions.keep('b', { type: 'use_sdk', clientSecret: 'secret' });
  const collection = db.connection.collection<{ _id: string; keptUntil: Date }>('payment_actions');
  const untils = await Promise.all(['a', 'b'].map((_id) => collection.findOne({ _id })));
  expect(untils[0]!.keptUntil.toISOString()).toBe(expiresAt);
  expect(untils[1]!.keptUntil.getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  expect(await collection.indexes()).toContainEqual(
    expect.objectContaining({ key: { keptUntil: 1 }, expireAfterSeconds: 0 }),
  );
});

it('costs a plain card nothing', async () => {
  const payment = newPayment();
  const kept = { keep: jest.fn(), remove: jest.fn() };
  await keepingActions(bare, kept).authorize(payment);
  expect([kept.keep, kept.remove].flatMap(({ mock }) => mock.calls)).toEqual([]);
});
