import { measuredProvider } from '../../src/payments/measured-provider';
import { FAULTY_METHODS } from '../../src/payments/sandbox/payment-methods';
import { createMetrics } from '../../src/telemetry/metrics';
import { createWorkerMetrics } from '../../src/telemetry/worker-metrics';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { parseExposition } from '../support/exposition';
import { errorOf, newKey, newPayment, WHOLE } from './fixtures';
import { sandboxService } from './services';

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterAll(() => db.drop());

async function measuring() {
  const { meter, text } = await createMetrics();
  const { provider } = sandboxService(db.connection);
  return {
    provider,
    measured: measuredProvider(provider, createWorkerMetrics(meter).countPaymentCall),
    /** Returns the calls that were counted, as `operation outcome`, and how many were timed. */
    async counted() {
      const { all, sum } = parseExposition(await text());
      const calls = all('payment_calls_total').filter(({ value }) => value > 0);
      return {
        calls: Object.fromEntries(
          calls.map(({ labels, value }) => [`${labels.operation} ${labels.outcome}`, value]),
        ),
        timed: sum('payment_call_duration_seconds_count'),
      };
    },
  };
}

it('counts each operation, and does what the payment service does', async () => {
  const { provider, measured, counted } = await measuring();
  expect(measured).toMatchObject({ name: provider.name, captures: provider.captures });
  const [partly, whole, voided] = [newPayment(), newPayment(), newPayment()];
  for (const payment of [partly, whole, voided])
    expect(await measured.authorize({ ...payment, isOnSession: true })).toMatchObject({
      status: 'authorized',
    });
  expect(await measured.capture(newKey(), whole, WHOLE)).toMatchObject({ captured: 10_000 });
  await measured.capture(newKey(), partly, { amount: 4_000, isFinal: false });
  await measured.release(newKey(), partly);
  expect(await measured.void(newKey(), voided)).toMatchObject({ status: 'voided' });
  await measured.refund(newKey(), whole, 1_000);
  expect(await measured.find(whole)).toEqual(await provider.find(whole));
  const period = {
    from: new Date(0).toISOString(),
    to: new Date(Date.now() + 60_000).toISOString(),
    cursor: null,
  };
  expect((await measured.list(period)).payments).toHaveLength(3);
  expect(await counted()).toEqual({
    calls: {
      'authorize ok': 3,
      'capture ok': 2,
      'release ok': 1,
      'void ok': 1,
      'refund ok': 1,
      'find ok': 1,
      'list ok': 1,
    },
    timed: 10,
  });
});

it('tells a definite no from no answer, and changes neither', async () => {
  const { measured, counted } = await measuring();
  const payment = newPayment({ paymentMethod: 'pm_card_chargeDeclined', isOnSession: true });
  const authorization = { ...payment, isOnSession: true };
  expect(await errorOf(measured.authorize(authorization))).toMatchObject({ name: 'PaymentDeclined' });
  expect(await errorOf(measured.capture(newKey(), payment, WHOLE))).toMatchObject({ name: 'PaymentRefused' });
  const away = { ...newPayment({ paymentMethod: FAULTY_METHODS.outage }), isOnSession: true };
  expect((await errorOf(measured.authorize(away))).message).toContain('The payment service is unavailable');
  expect(await counted()).toEqual({
    calls: { 'authorize declined': 1, 'capture declined': 1, 'authorize failed': 1 },
    timed: 3,
  });
});
