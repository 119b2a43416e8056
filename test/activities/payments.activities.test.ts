import type { PaymentCall } from '../../activities/payments.activities';
import type { Activities } from '../../src/worker/activities';
import { newPayment } from '../payments/fixtures';
import { ledgerOf } from '../payments/sandbox/checked-ledger';
import { activitiesOn } from '../support/activities';
import { openTestDatabase, type TestDatabase } from '../support/database';

let db: TestDatabase;
let activities: Activities;
beforeAll(async () => {
  db = await openTestDatabase();
  activities = activitiesOn(db);
});
afterAll(() => db.drop());

const newCall = (): PaymentCall => ({ ...newPayment(), requestId: 'test' });

/** Carries out a step twice at the same time and once again later, as Temporal may, and expects equal results. */
async function repeatedly<T>(step: () => Promise<T>): Promise<T> {
  const [one, other] = await Promise.all([step(), step()]);
  const late = await step();
  expect([other, late]).toEqual([one, one]);
  return one;
}

it('authorises, captures and refunds a payment once each, however often the steps run', async () => {
  const payment = newCall();
  payment.reference = await repeatedly(() => activities.authorizePayment(payment));
  expect(await repeatedly(() => activities.findAuthorization(payment))).toBe(payment.reference);
  await repeatedly(() => activities.capturePayment(payment));
  await repeatedly(() => activities.refundPayment(payment, `${payment.key}-first`, 3_000));
  await repeatedly(() => activities.refundPayment(payment, `${payment.key}-second`, 3_000));
  expect(await ledgerOf(db, payment.key)).toMatchObject({
    authorized: 10_000,
    captured: 10_000,
    refunded: 6_000,
  });
});

it('voids an authorised payment once, however often the step runs', async () => {
  const payment = newCall();
  payment.reference = await activities.authorizePayment(payment);
  expect(await repeatedly(() => activities.voidPayment(payment))).toBe(true);
  expect(await ledgerOf(db, payment.key)).toMatchObject({ voided: 10_000, open: 0 });
});

it('voids a payment that was never authorised, which then cannot be authorised', async () => {
  const payment = newCall();
  expect(await repeatedly(() => activities.voidPayment(payment))).toBe(false);
  await expect(activities.authorizePayment(payment)).rejects.toMatchObject({ name: 'PaymentDeclined' });
});

it('refunds what an abandoned run has captured when the payment is to be voided', async () => {
  const payment = newCall();
  payment.reference = await activities.authorizePayment(payment);
  await activities.capturePayment(payment);
  await repeatedly(() => activities.voidPayment(payment));
  expect(await ledgerOf(db, payment.key)).toMatchObject({ captured: 10_000, refunded: 10_000 });
});
