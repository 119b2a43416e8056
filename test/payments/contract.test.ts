import type { ListedPayment, PaymentRef } from '../../src/domain/payment';
import { DECLINED } from '../../src/payments/declines/messages';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { errorOf, newKey, newPayment, WHOLE } from './fixtures';
import { sandboxService, stripeService, type Service } from './services';
import { startFakeStripe, type FakeStripe } from './stripe/fake-stripe';

let db: TestDatabase;
let fake: FakeStripe;
beforeAll(async () => {
  db = await openTestDatabase();
  fake = await startFakeStripe();
});
afterAll(async () => {
  await fake?.close();
  await db.drop();
});

const ASKING = 'pm_card_threeDSecure2Required';
const PART = { amount: 2_500, isFinal: false };
const refused = { name: 'PaymentRefused' };

describe.each<[string, () => Service]>([
  ['the sandbox', () => sandboxService(db.connection)],
  ['Stripe', () => stripeService(db.connection, fake)],
])('%s', (_name, open) => {
  let service: Service;
  let provider: PaymentProvider;
  beforeAll(() => {
    service = open();
    ({ provider } = service);
  });

  async function authorized(changes: Partial<PaymentRef> = {}): Promise<PaymentRef> {
    const payment = newPayment(changes);
    const { reference } = await provider.authorize(payment);
    return { ...payment, reference };
  }

  async function captured(changes: Partial<PaymentRef> = {}): Promise<PaymentRef> {
    const payment = await authorized(changes);
    await provider.capture(newKey(), payment, WHOLE);
    return payment;
  }

  const waiting = (paymentMethod = ASKING) => authorized({ paymentMethod, isOnSession: true });

  it('authorises, captures in parts, releases the rest and refunds', async () => {
    const payment = await authorized();
    expect(await provider.find(payment)).toMatchObject({ status: 'authorized', authorized: 10_000 });
    await provider.capture(newKey(), payment, PART);
    expect(await provider.capture(newKey(), payment, PART)).toMatchObject({
      status: 'authorized',
      captured: 5_000,
    });
    expect(await provider.release(newKey(), payment)).toMatchObject({ status: 'captured', captured: 5_000 });
    const key = newKey();
    const refunds = [{ key, amount: 1_000, status: 'succeeded' }];
    expect(await provider.refund(key, payment, 1_000)).toMatchObject({ refunds });
    expect(await provider.find(payment)).toMatchObject({ status: 'captured', refunds, disputes: [] });
  });

  it('voids', async () => {
    const payment = await authorized();
    expect(await provider.void(newKey(), payment)).toMatchObject({ status: 'voided', authorized: 10_000 });
    expect(await errorOf(provider.authorize(payment))).toMatchObject(refused);
  });

  it('declines, also a repeat', async () => {
    const payment = newPayment({ paymentMethod: 'pm_card_chargeDeclined', isOnSession: true });
    for (let time = 0; time < 2; time++)
      expect(await errorOf(provider.authorize(payment))).toMatchObject({ name: 'PaymentDeclined' });
    expect(await provider.find(payment)).toMatchObject({ status: 'declined', authorized: 0 });
  });

  describe('waits for the customer', () => {
    it.each([ASKING, 'pm_card_authenticationRequired'])(
      'with %s: nothing is reserved, and the repeat and find say the same',
      async (paymentMethod) => {
        const payment = newPayment({ paymentMethod, isOnSession: true });
        const asked = await provider.authorize(payment);
        expect(asked).toMatchObject({ status: 'action_required', authorized: 0, captured: 0 });
        expect([asked.action!.clientSecret, asked.action!.redirectUrl].join('')).not.toBe('');
        expect(await provider.authorize(payment)).toEqual(asked);
        expect(await provider.find(payment)).toEqual(asked);
        expect(await errorOf(provider.capture(newKey(), payment, WHOLE))).toMatchObject(refused);
      },
    );

    it('who confirms: it is authorised, without an action', async () => {
      const payment = await waiting();
      await service.answer(payment, 'authorise');
      const found = await provider.find(payment);
      expect(found).toMatchObject({ status: 'authorized', authorized: 10_000 });
      expect(found).not.toHaveProperty('action');
      expect(await provider.authorize(payment)).toEqual(found);
      expect(await provider.capture(newKey(), payment, WHOLE)).toMatchObject({ captured: 10_000 });
    });

    it('who fails: it is declined permanently', async () => {
      const payment = await waiting();
      await service.answer(payment, 'fail');
      const declineReason = expect.stringContaining('customer did not confirm the payment') as string;
      const declined = { status: 'declined', declineReason, authorized: 0 };
      expect(await provider.find(payment)).toMatchObject(declined);
      expect(await provider.find(payment)).toMatchObject(declined);
      expect(await errorOf(provider.authorize(payment))).toMatchObject({ name: 'PaymentDeclined' });
    });

    it.each([
      'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
      'pm_card_threeDSecureRequiredChargeDeclined',
    ])('who confirms a payment that the bank declines then: %s', async (paymentMethod) => {
      const payment = await waiting(paymentMethod);
      await service.answer(payment, 'authorise');
      expect(await provider.find(payment)).toMatchObject({ status: 'declined', declineReason: DECLINED });
    });

    it('until the payment is voided: an answer that comes late reserves nothing', async () => {
      const payment = await waiting();
      expect(await provider.void(newKey(), payment)).toMatchObject({ status: 'voided', authorized: 0 });
      await service.answer(payment, 'authorise').catch(() => undefined);
      expect(await provider.find(payment)).toMatchObject({ status: 'voided', authorized: 0 });
      expect(await errorOf(provider.authorize(payment))).toMatchObject(refused);
    });

    it.each([ASKING, 'pm_card_authenticationRequired'])(
      'only if the customer is there: otherwise %s is declined, and the reason says so',
      async (paymentMethod) => {
        const payment = newPayment({ paymentMethod, isOnSession: false });
        const message = expect.stringContaining('authentication_required') as string;
        const declined = { name: 'PaymentDeclined', message };
        for (let time = 0; time < 2; time++)
          expect(await errorOf(provider.authorize(payment))).toMatchObject(declined);
        expect(await provider.find(payment)).toMatchObject({ status: 'declined', authorized: 0 });
      },
    );
  });

  describe('knows what was done elsewhere', () => {
    it('a capture of all, and one of a part', async () => {
      const all = await authorized();
      await service.capture(all);
      expect(await provider.find(all)).toMatchObject({ status: 'captured', captured: 10_000 });
      const part = await authorized();
      await service.capture(part, 6_000);
      expect(await provider.find(part)).toMatchObject({ status: 'captured', captured: 6_000 });
      expect(await errorOf(provider.capture(newKey(), part, WHOLE))).toMatchObject(refused);
    });

    it('a refund, which counts with ours', async () => {
      const payment = await captured();
      await service.refund(payment, 600);
      const refunds = [{ key: expect.stringMatching(/\w+/) as string, amount: 600, status: 'succeeded' }];
      expect(await provider.find(payment)).toMatchObject({ captured: 10_000, refunds });
      expect(await errorOf(provider.refund(newKey(), payment, 9_401))).toMatchObject(refused);
      await provider.refund(newKey(), payment, 9_400);
    });

    it('a refund that is pending, and one that fails later: its amount can be refunded again', async () => {
      const payment = await captured({ paymentMethod: service.pendingRefund });
      const key = newKey();
      expect(await provider.refund(key, payment, 10_000)).toMatchObject({
        refunds: [{ key, status: 'pending' }],
      });
      await service.failRefund(payment);
      expect(await provider.find(payment)).toMatchObject({ refunds: [{ key, status: 'failed' }] });
      const again = newKey();
      await provider.refund(again, payment, 10_000);
      await service.settleRefund(payment);
      const { refunds } = (await provider.find(payment))!;
      expect(Object.fromEntries(refunds.map((refund) => [refund.key, refund.status]))).toEqual({
        [key]: 'failed',
        [again]: 'succeeded',
      });
    });

    it('an authorisation that lapsed, in whole and after a capture in part', async () => {
      const whole = await authorized();
      await service.expire(whole);
      const lapsed = { status: 'voided', authorized: 10_000, captured: 0 };
      expect(await provider.find(whole)).toMatchObject(lapsed);
      expect(await provider.void(newKey(), whole)).toMatchObject(lapsed);
      const rest = await authorized();
      await provider.capture(newKey(), rest, PART);
      await service.expire(rest);
      expect(await provider.find(rest)).toMatchObject({ status: 'captured', captured: 2_500 });
    });

    it('disputes: opened, won and lost, with their amounts', async () => {
      const payment = await captured();
      await service.dispute(payment, 4_000);
      const dispute = { id: expect.stringMatching(/\w+/) as string, amount: 4_000 };
      const opened = { ...dispute, status: 'opened', reason: expect.any(String) as string };
      expect((await provider.find(payment))!.disputes).toEqual([opened]);
      expect(await errorOf(provider.refund(newKey(), payment, 1))).toMatchObject(refused);
      await service.closeDispute(payment, 'won');
      expect((await provider.find(payment))!.disputes).toMatchObject([{ ...dispute, status: 'won' }]);
      await provider.refund(newKey(), payment, 1_000);
      const other = await captured();
      await service.dispute(other);
      await service.closeDispute(other, 'lost');
      expect((await provider.find(other))!.disputes).toMatchObject([{ amount: 10_000, status: 'lost' }]);
    });
  });

  describe('lists the payments of a period', () => {
    const MINUTE_MS = 60_000;
    const around = (time: number) => ({
      from: new Date(time - MINUTE_MS).toISOString(),
      to: new Date(time + MINUTE_MS).toISOString(),
    });

    /** Returns the last state of each payment in the list, by its key, and the number of parts that were asked for. */
    async function listed(period: { from: string; to: string }) {
      const found = new Map<string, ListedPayment>();
      let cursor: string | null = null;
      let parts = 0;
      do {
        const part = await provider.list({ ...period, cursor });
        for (const payment of part.payments) found.set(payment.key, payment);
        cursor = part.nextCursor;
        parts += 1;
      } while (cursor !== null);
      return { found, parts };
    }

    it('with their refunds and disputes, and as find has them', async () => {
      const refunded = await captured();
      await provider.refund(newKey(), refunded, 100);
      await service.refund(refunded, 50);
      await service.failRefund(refunded);
      const disputed = await captured();
      await service.dispute(disputed);
      const lapsed = await authorized();
      await service.expire(lapsed);
      const declined = newPayment({ paymentMethod: 'pm_card_chargeDeclined' });
      await errorOf(provider.authorize(declined));
      const asked = await waiting();
      const { found } = await listed(around(Date.now()));
      for (const payment of [refunded, disputed, lapsed, declined, asked]) {
        const { action: _, ...expected } = (await provider.find(payment))!;
        const { orderId, paymentMethod } = payment;
        const createdAt = expect.stringMatching(/^\d{4}-.*Z$/) as string;
        expect(found.get(payment.key)).toEqual({ ...expected, orderId, paymentMethod, createdAt });
      }
    });

    it('in parts, each payment in one of them at least', async () => {
      const payments = await Promise.all(Array.from({ length: 101 }, () => authorized()));
      const { found, parts } = await listed(around(Date.now()));
      expect(payments.filter(({ key }) => !found.has(key))).toEqual([]);
      expect(parts).toBeGreaterThan(1);
    });

    it('and none of another period', async () => {
      await authorized();
      expect((await listed(around(Date.now() - 10 * MINUTE_MS))).found.size).toBe(0);
    });
  });
});
