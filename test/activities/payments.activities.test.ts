import {
  createPaymentActivities,
  type PaymentCall,
  type PaymentTaskCall,
} from '../../activities/payments.activities';
import { PaymentRefused } from '../../src/domain/errors';
import type { PaymentTask } from '../../src/domain/intention';
import { createPaymentProvider, type Activities } from '../../src/worker/activities';
import { newPayment } from '../payments/fixtures';
import { ledgerOf } from '../payments/sandbox/checked-ledger';
import { activitiesOn } from '../support/activities';
import { testWorkerConfig } from '../support/config';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { repeatedly } from './fixtures';

let db: TestDatabase;
let activities: Activities;
beforeAll(async () => {
  db = await openTestDatabase();
  activities = activitiesOn(db);
});
afterAll(() => db.drop());

const newCall = (): PaymentCall => ({ ...newPayment(), requestId: 'test' });

/** Returns the call that carries out the operation on the payment. */
function callFor(
  { requestId, ...payment }: PaymentCall,
  operation: PaymentTask['operation'],
  { key = `${payment.key}-${operation}`, amount = payment.amount, ...rest }: Partial<PaymentTask> = {},
): PaymentTaskCall {
  const { orderId } = payment;
  return { operation, payment, key, amount, commandId: null, orderId, requestId, ...rest };
}

/** Authorises the payment, and returns it with the payment service's own id. */
async function authorized(): Promise<PaymentCall> {
  const payment = newCall();
  const outcome = await repeatedly(() => activities.authorizePayment(callFor(payment, 'authorize')));
  const reference = outcome.state === 'done' ? outcome.reference : null;
  expect(reference).toEqual(expect.any(String));
  return { ...payment, reference };
}

it('authorises a payment once, and finds it, however often the steps run', async () => {
  const payment = await authorized();
  const found = await repeatedly(() => activities.findAuthorization(callFor(payment, 'authorize')));
  expect(found).toEqual({ state: 'done', reference: payment.reference, captures: 'many' });
  expect(await ledgerOf(db, payment.key)).toMatchObject({ authorized: 10_000, captured: 0 });
});

it('captures the whole amount and refunds each part once, however often the steps run', async () => {
  const payment = await authorized();
  const done = { state: 'done', reference: payment.reference };
  expect(await repeatedly(() => activities.capturePayment(callFor(payment, 'capture')))).toEqual(done);
  for (const key of [`${payment.key}-first`, `${payment.key}-second`]) {
    const call = callFor(payment, 'refund', { key, amount: 3_000 });
    expect(await repeatedly(() => activities.refundPayment(call))).toEqual(done);
  }
  expect(await ledgerOf(db, payment.key)).toMatchObject({ captured: 10_000, refunded: 6_000 });
});

it('captures a part once and releases the rest, however often the steps run', async () => {
  const payment = await authorized();
  const part = callFor(payment, 'capture', { amount: 2_500, isFinal: false });
  await repeatedly(() => activities.capturePayment(part));
  expect(await ledgerOf(db, payment.key)).toMatchObject({ captured: 2_500, open: 7_500 });
  expect(await repeatedly(() => activities.releasePayment(payment))).toBe(true);
  expect(await ledgerOf(db, payment.key)).toMatchObject({ captured: 2_500, open: 0, voided: 7_500 });
});

it('learns from the card how often its payment can be captured', async () => {
  const once = { ...newCall(), paymentMethod: 'pm_card_credit_disableEnterpriseCardFeatures' };
  const outcome = await activities.authorizePayment(callFor(once, 'authorize'));
  expect(outcome).toMatchObject({ state: 'done', captures: 'once' });
  expect(await activities.findAuthorization(callFor(once, 'authorize'))).toEqual(outcome);
});

it('finds no authorisation of a payment that was never authorised, or is voided', async () => {
  const payment = newCall();
  expect(await activities.findAuthorization(callFor(payment, 'authorize'))).toBeNull();
  await activities.voidPayment(payment);
  expect(await activities.findAuthorization(callFor(payment, 'authorize'))).toBeNull();
});

it('voids an authorised payment once, however often the step runs', async () => {
  const payment = await authorized();
  expect(await repeatedly(() => activities.voidPayment(payment))).toBe(true);
  expect(await ledgerOf(db, payment.key)).toMatchObject({ voided: 10_000, open: 0 });
});

it('voids a payment that was never authorised, which then counts as declined', async () => {
  const payment = newCall();
  expect(await repeatedly(() => activities.voidPayment(payment))).toBe(false);
  const late = await repeatedly(() => activities.authorizePayment(callFor(payment, 'authorize')));
  expect(late).toMatchObject({ state: 'declined', error: { type: 'PaymentDeclined' } });
});

it('refunds what an abandoned run has captured when the payment is to be voided', async () => {
  const payment = await authorized();
  await activities.capturePayment(callFor(payment, 'capture'));
  expect(await repeatedly(() => activities.voidPayment(payment))).toBe(true);
  expect(await ledgerOf(db, payment.key)).toMatchObject({ captured: 10_000, refunded: 10_000 });
});

it('releases and refunds a payment that is to be voided if an abandoned run has captured a part of it', async () => {
  const payment = await authorized();
  await activities.capturePayment(callFor(payment, 'capture', { amount: 2_500, isFinal: false }));
  expect(await repeatedly(() => activities.voidPayment(payment))).toBe(true);
  expect(await ledgerOf(db, payment.key)).toMatchObject({ captured: 2_500, refunded: 2_500, open: 0 });
});

it('captures in parts, releases the rest and pays back once each, however often the steps run', async () => {
  const payment = await authorized();
  const { requestId: _, ...ref } = payment;
  const capture = { ...callFor(payment, 'capture', { amount: 3_000 }), isFinal: false };
  await repeatedly(() => activities.capturePayment(capture));
  expect(await ledgerOf(db, payment.key)).toMatchObject({ captured: 3_000, open: 7_000 });
  expect(await repeatedly(() => activities.releasePayment(payment))).toBe(true);
  const call = { ...payment, payment: ref, key: `${payment.key}-back`, amount: 1_000 };
  expect(await repeatedly(() => activities.payBack(call))).toBe(true);
  expect(await ledgerOf(db, payment.key)).toMatchObject({ captured: 3_000, open: 0, refunded: 1_000 });
});

it('has Temporal repeat no void that the payment service turns down: an operator should look', async () => {
  const refuse = () => Promise.reject(new PaymentRefused('It is in dispute.'));
  const provider = createPaymentProvider(testWorkerConfig(), db.connection)!;
  const { voidPayment } = createPaymentActivities({ provider: { ...provider, void: refuse } });
  const failure = { type: 'PaymentRefused', message: 'It is in dispute.', nonRetryable: true };
  await expect(voidPayment(newCall())).rejects.toMatchObject(failure);
});

it('returns a capture that the payment service turns down as an outcome, and does not throw', async () => {
  const payment = await authorized();
  await activities.voidPayment(payment);
  const outcome = await activities.capturePayment(callFor(payment, 'capture'));
  expect(outcome).toMatchObject({ state: 'rejected', error: { type: 'PaymentRefused' } });
});

it('throws while the payment service is away, so that Temporal tries again', async () => {
  const payment = { ...newCall(), paymentMethod: 'pm_sandbox_outage' };
  await expect(activities.authorizePayment(callFor(payment, 'authorize'))).rejects.toThrow('is unavailable');
});
