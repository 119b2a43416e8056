import pino from 'pino';
import { openMongoDb } from '../../../src/mongodb/mongodb';
import { refundedOf } from '../../../src/domain/payment';
import { DECLINED } from '../../../src/payments/declines/messages';
import type { PaymentProvider } from '../../../src/payments/payment-provider';
import { createSandboxProvider } from '../../../src/payments/sandbox/provider';
import { createSandboxRepository } from '../../../src/payments/sandbox/repository';
import { type TestDatabase, openTestDatabase } from '../../support/database';
import { eventually } from '../../support/eventually';
import { deferred } from '../../workflows/saga/deferred';
import { ledgerOf } from './checked-ledger';
import { errorOf, newKey, newPayment, WHOLE } from '../fixtures';

let db: TestDatabase;
let sandbox: PaymentProvider;
/** What a reply to `pm_sandbox_slow` waits for. */
const pause = jest.fn<Promise<void>, []>();
const repository = () => createSandboxRepository(db.connection);
beforeAll(async () => {
  db = await openTestDatabase();
  sandbox = createSandboxProvider({ repository: repository(), pause });
});
afterAll(() => db.drop());

async function authorized(paymentMethod = 'pm_card_visa') {
  const payment = newPayment({ paymentMethod });
  const { reference } = await sandbox.authorize(payment);
  return { ...payment, reference };
}

async function captured() {
  const payment = await authorized();
  await sandbox.capture(newKey(), payment, WHOLE);
  return payment;
}

describe('a payment in the sandbox', () => {
  it('is authorised, captured and refunded, and the ledger agrees after each step', async () => {
    const payment = newPayment();
    const { amount, currency, key } = payment;
    const open = await sandbox.authorize(payment);
    expect(open).toEqual({
      key,
      reference: expect.stringMatching(/^sbx_/) as string,
      status: 'authorized',
      amount,
      currency,
      authorized: amount,
      captured: 0,
      captures: 'many',
      refunds: [],
      disputes: [],
    });
    expect(await ledgerOf(db, key)).toMatchObject({ authorized: amount, open: amount });
    await sandbox.capture('c1', payment, WHOLE);
    expect(await ledgerOf(db, key)).toMatchObject({ open: 0, captured: amount });
    await sandbox.refund('r1', payment, 2_500);
    const refunded = await sandbox.refund('r2', payment, 7_500);
    expect(refunded).toMatchObject({
      status: 'captured',
      authorized: amount,
      captured: amount,
      refunds: [
        { key: 'r1', amount: 2_500, status: 'succeeded' },
        { key: 'r2', amount: 7_500, status: 'succeeded' },
      ],
    });
    expect(await sandbox.find(payment)).toEqual(refunded);
    const ledger = await ledgerOf(db, key);
    expect(ledger).toMatchObject({ authorized: amount, captured: amount, refunded: amount });
    expect(ledger.operations.map(({ key, kind, amount }) => [key, kind, amount])).toEqual([
      [payment.key, 'authorize', amount],
      ['c1', 'capture', amount],
      ['r1', 'refund', 2_500],
      ['r2', 'refund', 7_500],
    ]);
  });

  it('is captured in parts, the last of which releases the rest, and refunded as far as it is captured', async () => {
    const payment = await authorized();
    expect(await sandbox.capture('p1', payment, { amount: 3_000, isFinal: false })).toMatchObject({
      status: 'authorized',
      authorized: 10_000,
      captured: 3_000,
    });
    expect(await ledgerOf(db, payment.key)).toMatchObject({ open: 7_000, captured: 3_000 });
    await sandbox.refund('p-refund', payment, 3_000);
    expect(await errorOf(sandbox.refund(newKey(), payment, 1))).toMatchObject({ name: 'PaymentRefused' });
    expect(await errorOf(sandbox.capture(newKey(), payment, { amount: 7_001, isFinal: true }))).toMatchObject(
      {
        message: `The payment ${payment.key} has only 7000 left to capture, not 7001: capture less.`,
      },
    );
    const last = await sandbox.capture('p2', payment, { amount: 5_000, isFinal: true });
    expect(last).toMatchObject({ status: 'captured', captured: 8_000 });
    expect(await sandbox.capture('p1', payment, { amount: 3_000, isFinal: false })).toEqual(last);
    expect(await ledgerOf(db, payment.key)).toMatchObject({ open: 0, captured: 8_000, voided: 2_000 });
  });

  it('is captured in parts to the end, after which nothing is reserved', async () => {
    const payment = await authorized();
    await sandbox.capture(newKey(), payment, { amount: 4_000, isFinal: false });
    const all = await sandbox.capture(newKey(), payment, { amount: 6_000, isFinal: false });
    expect(all).toMatchObject({ status: 'captured', captured: 10_000 });
  });

  it('is released after a capture in part, once or often', async () => {
    const payment = await authorized();
    await sandbox.capture(newKey(), payment, { amount: 2_500, isFinal: false });
    const released = await sandbox.release('release-1', payment);
    expect(released).toMatchObject({ status: 'captured', captured: 2_500 });
    for (const key of ['release-1', 'release-2'])
      expect(await sandbox.release(key, payment)).toEqual(released);
    expect(await ledgerOf(db, payment.key)).toMatchObject({ open: 0, captured: 2_500, voided: 7_500 });
  });

  it('is captured only once with a card that allows no more', async () => {
    const payment = await authorized('pm_card_credit_disableEnterpriseCardFeatures');
    expect(await sandbox.find(payment)).toMatchObject({ captures: 'once' });
    expect(await errorOf(sandbox.capture(newKey(), payment, { amount: 1, isFinal: false }))).toMatchObject({
      name: 'PaymentRefused',
      message: `The payment ${payment.key} can be captured only once: make its capture final.`,
    });
    await sandbox.capture(newKey(), payment, { amount: 1, isFinal: true });
    expect(await ledgerOf(db, payment.key)).toMatchObject({ open: 0, captured: 1, voided: 9_999 });
  });

  it('is authorised and voided', async () => {
    const payment = await authorized();
    expect(await sandbox.void('v', payment)).toMatchObject({
      status: 'voided',
      authorized: payment.amount,
      captured: 0,
    });
    expect(await ledgerOf(db, payment.key)).toMatchObject({ open: 0, voided: payment.amount });
  });

  it('waits for its customer only so long, and tells where to answer', async () => {
    const url = 'https://shop.example/api';
    const quick = createSandboxProvider({ repository: repository(), url, actionTtlMs: 0 });
    const payment = newPayment({ paymentMethod: 'pm_card_threeDSecure2Required', isOnSession: true });
    const message = 'The customer did not confirm the payment in time: use another payment method.';
    expect(await errorOf(quick.authorize(payment))).toMatchObject({ name: 'PaymentDeclined', message });
    expect(await quick.find(payment)).toMatchObject({ status: 'declined', declineReason: message });
    const { action } = await createSandboxProvider({ repository: repository(), url }).authorize({
      ...payment,
      key: newKey(),
    });
    expect(action).toEqual({
      type: 'redirect',
      redirectUrl: expect.stringMatching(
        /^https:\/\/shop.example\/api\/payments\/sandbox\/actions\/[0-9a-f]{48}$/,
      ) as string,
      expiresAt: expect.stringMatching(/Z$/) as string,
    });
    expect((await ledgerOf(db, payment.key)).operations).toMatchObject([
      { kind: 'require_action' },
      { kind: 'decline' },
    ]);
  });

  it.each([
    ['pm_card_authenticationRequiredSetupForOffSession', 'authorized'],
    ['pm_card_threeDSecureOptional', 'authorized'],
  ])('is authorised without its customer with %s', async (paymentMethod, status) => {
    expect(await sandbox.authorize(newPayment({ paymentMethod }))).toMatchObject({ status });
  });

  it('is null if it is unknown', async () => {
    expect(await sandbox.find(newPayment())).toBeNull();
  });

  it('can be voided before it is authorised, and a later authorisation is rejected', async () => {
    const payment = newPayment();
    const voided = await sandbox.void('tombstone', payment);
    expect(voided).toMatchObject({ key: payment.key, status: 'voided', authorized: 0 });
    expect(await sandbox.void('tombstone', payment)).toEqual(voided);
    expect(await sandbox.find(payment)).toEqual(voided);
    expect(await errorOf(sandbox.authorize(payment))).toMatchObject({ name: 'PaymentRefused' });
    expect(await ledgerOf(db, payment.key)).toMatchObject({ authorized: 0, voided: 0 });
  });

  it.each([
    ['pm_card_chargeDeclined', DECLINED],
    ['pm_card_chargeDeclinedInsufficientFunds', DECLINED],
    ['pm_card_visa_chargeDeclinedStolenCard', DECLINED],
    ['pm_card_chargeDeclinedProcessingError', DECLINED],
    ['pm_card_chargeDeclinedExpiredCard', 'The card has expired: use another payment method.'],
    [
      'pm_nonsense',
      'The payment method "pm_nonsense" is unknown: use one of Stripe\'s test cards, for example pm_card_visa.',
    ],
    [
      'toString',
      'The payment method "toString" is unknown: use one of Stripe\'s test cards, for example pm_card_visa.',
    ],
  ])('is declined with the payment method %s, also on a repeat', async (paymentMethod, message) => {
    const payment = newPayment({ paymentMethod });
    for (let time = 0; time < 2; time++)
      expect(await errorOf(sandbox.authorize(payment))).toMatchObject({ name: 'PaymentDeclined', message });
    expect(await sandbox.find(payment)).toMatchObject({
      status: 'declined',
      declineReason: message,
      authorized: 0,
    });
    expect(await sandbox.void(newKey(), payment)).toMatchObject({ status: 'declined', authorized: 0 });
    expect((await ledgerOf(db, payment.key)).operations).toMatchObject([{ kind: 'decline' }]);
  });

  it('is accepted with any other test card of Stripe', async () => {
    const payment = newPayment({ paymentMethod: 'pm_card_mastercard_prepaid' });
    expect(await sandbox.authorize(payment)).toMatchObject({ status: 'authorized' });
  });
});

describe('the sandbox declines what cards cannot be charged', () => {
  const accepts = (amount: number, currency: string) => sandbox.authorize(newPayment({ amount, currency }));

  it.each([
    [49, 'EUR', 'a payment of 0.49 EUR: the minimum is 0.50 EUR, so order more.'],
    [49, 'JPY', 'a payment of 49 JPY: the minimum is 50 JPY, so order more.'],
    [17_499, 'HUF', 'a payment of 174.99 HUF: the minimum is 175.00 HUF, so order more.'],
    [
      1_000_000_000_000,
      'EUR',
      'a payment of 10000000000.00 EUR: the maximum is 9999999999.99 EUR, so order less at once.',
    ],
    [
      10_000_000_000,
      'ISK',
      'a payment of 10000000000 ISK: the maximum is 9999999999 ISK, so order less at once.',
    ],
    [
      5_124,
      'KWD',
      'a payment of 5.124 KWD: cards are charged in multiples of 0.010 KWD, so choose 5120 (5.120 KWD) or 5130 (5.130 KWD).',
    ],
  ])('%d %s', async (amount, currency, what) => {
    expect(await errorOf(accepts(amount, currency))).toMatchObject({
      name: 'PaymentDeclined',
      message: `The payment service does not accept ${what}`,
    });
  });

  it.each([
    [50, 'EUR'],
    [50, 'JPY'],
    [999_999_999_999, 'EUR'],
    [9_999_999_999, 'ISK'],
    [5, 'UGX'],
    [80_045, 'TWD'],
    [5_120, 'KWD'],
  ])('and accepts %d %s', async (amount, currency) => {
    expect(await accepts(amount, currency)).toMatchObject({ status: 'authorized' });
  });
});

describe('the sandbox rejects', () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      'the capture of a payment that was never authorised',
      () => sandbox.capture(newKey(), newPayment(), WHOLE),
    ],
    ['the refund of a payment that was never authorised', () => sandbox.refund(newKey(), newPayment(), 1)],
    [
      'the capture of a voided payment',
      async () => {
        const payment = await authorized();
        await sandbox.void(newKey(), payment);
        await sandbox.capture(newKey(), payment, WHOLE);
      },
    ],
    ['a second capture with another key', async () => sandbox.capture(newKey(), await captured(), WHOLE)],
    [
      'the void of a payment that is captured in part',
      async () => {
        const payment = await authorized();
        await sandbox.capture(newKey(), payment, { amount: 1, isFinal: false });
        await sandbox.void(newKey(), payment);
      },
    ],
    ['the release of an uncaptured payment', async () => sandbox.release(newKey(), await authorized())],
    ['the release of a payment that was never authorised', () => sandbox.release(newKey(), newPayment())],
    [
      'a capture of zero',
      async () => sandbox.capture(newKey(), await authorized(), { amount: 0, isFinal: true }),
    ],
    ['the void of a captured payment', async () => sandbox.void(newKey(), await captured())],
    ['the refund of an uncaptured payment', async () => sandbox.refund(newKey(), await authorized(), 1)],
    ['a refund of more than was captured', async () => sandbox.refund(newKey(), await captured(), 10_001)],
    [
      'a refund of more than is left',
      async () => {
        const payment = await captured();
        await sandbox.refund(newKey(), payment, 9_999);
        await sandbox.refund(newKey(), payment, 2);
      },
    ],
    ['a refund of zero', async () => sandbox.refund(newKey(), await captured(), 0)],
    ['a refund of a negative amount', async () => sandbox.refund(newKey(), await captured(), -1)],
    ['a refund of a fraction', async () => sandbox.refund(newKey(), await captured(), 0.5)],
    [
      'a capture that cards cannot be charged exactly',
      async () => {
        const payment = newPayment({ amount: 5_120, currency: 'KWD' });
        await sandbox.authorize(payment);
        await sandbox.capture(newKey(), payment, { amount: 5, isFinal: false });
      },
    ],
    [
      'a refund that cards cannot be paid back exactly',
      async () => {
        const payment = newPayment({ amount: 5_120, currency: 'KWD' });
        await sandbox.authorize(payment);
        await sandbox.capture(newKey(), payment, { amount: 5_120, isFinal: true });
        await sandbox.refund(newKey(), payment, 5);
      },
    ],
    ['an authorisation of zero', () => sandbox.authorize(newPayment({ amount: 0 }))],
  ])('%s', async (_what, work) => {
    expect(await errorOf(work())).toMatchObject({ name: 'PaymentRefused' });
  });

  it.each([
    { amount: 9_999 },
    { currency: 'USD' },
    { orderId: 'ord_other' },
    { paymentMethod: 'pm_card_amex' },
  ])('the key of an authorisation for one with %j', async (changes) => {
    const payment = await authorized();
    const message = `The key ${payment.key} was used for a different operation: use a new key for each operation.`;
    expect(await errorOf(sandbox.authorize({ ...payment, ...changes }))).toMatchObject({
      name: 'PaymentKeyReused',
      message,
    });
  });

  it.each<[string, (key: string) => Promise<unknown>]>([
    ['the capture of another payment', async (key) => sandbox.capture(key, await authorized(), WHOLE)],
    ['the refund of another payment', async (key) => sandbox.refund(key, await captured(), 10)],
    ['the void of a payment that was never authorised', (key) => sandbox.void(key, newPayment())],
    ['an authorisation', (key) => sandbox.authorize(newPayment({ key }))],
  ])('the key of a refund for %s', async (_what, reuse) => {
    const payment = await captured();
    const key = newKey();
    await sandbox.refund(key, payment, 10);
    const again = () => sandbox.refund(key, payment, 11);
    for (const work of [() => reuse(key), again, () => sandbox.void(key, payment)]) {
      expect(await errorOf(work())).toMatchObject({
        name: 'PaymentKeyReused',
        message: `The key ${key} was used for a different operation: use a new key for each operation.`,
      });
    }
    expect(await ledgerOf(db, payment.key)).toMatchObject({ refunded: 10 });
  });
});

describe('every operation takes effect once', () => {
  it('when it is repeated, and returns the current payment', async () => {
    const payment = newPayment();
    const steps = [
      () => sandbox.authorize(payment),
      () => sandbox.capture('capture', payment, WHOLE),
      () => sandbox.refund('refund', payment, 1_000),
    ];
    for (const [done, step] of steps.entries()) {
      const result = await step();
      for (const earlier of steps.slice(0, done + 1)) expect(await earlier()).toEqual(result);
    }
    expect((await ledgerOf(db, payment.key)).operations).toHaveLength(3);
  });

  it('when a voided payment is voided again, with any key', async () => {
    const payment = await authorized();
    const voided = await sandbox.void('void-1', payment);
    expect(await sandbox.void('void-1', payment)).toEqual(voided);
    expect(await sandbox.void('void-2', payment)).toEqual(voided);
    expect((await ledgerOf(db, payment.key)).operations).toHaveLength(2);
  });

  describe('in several processes at the same time', () => {
    let others: TestDatabase['mongodb'][];
    let providers: PaymentProvider[];
    beforeAll(async () => {
      others = [1, 2, 3].map(() => openMongoDb({ uri: db.uri }, pino({ level: 'silent' })));
      await Promise.all(others.map(({ connected }) => connected));
      providers = others.map(({ connection }) =>
        createSandboxProvider({ repository: createSandboxRepository(connection) }),
      );
    });
    afterAll(() => Promise.all(others.map((other) => other.close())));

    const atOnce = <T>(times: number, work: (provider: PaymentProvider, n: number) => Promise<T>) =>
      Promise.allSettled(Array.from({ length: times }, (_, n) => work(providers[n % 3]!, n)));
    const fulfilled = <T>(results: PromiseSettledResult<T>[]) =>
      results.filter((result) => result.status === 'fulfilled');

    it('for the same key: authorise, capture and refund', async () => {
      const payment = newPayment();
      for (const work of [
        (provider: PaymentProvider) => provider.authorize(payment),
        (provider: PaymentProvider) => provider.capture('capture-once', payment, WHOLE),
        (provider: PaymentProvider) => provider.refund('refund-once', payment, 600),
      ]) {
        const results = fulfilled(await atOnce(20, work));
        expect(results).toHaveLength(20);
        expect(new Set(results.map(({ value }) => JSON.stringify(value))).size).toBe(1);
      }
      expect(await ledgerOf(db, payment.key)).toMatchObject({ refunded: 600 });
    });

    it('for one of several requests with different parameters, and the others are rejected', async () => {
      const payment = newPayment();
      const results = await atOnce(20, (provider, n) => provider.authorize({ ...payment, amount: 100 + n }));
      expect(fulfilled(results)).toHaveLength(1);
      const { authorized: amount } = await ledgerOf(db, payment.key);
      expect(fulfilled(results)).toMatchObject([{ value: { amount } }]);
    });

    it('for either capture or void, never both', async () => {
      for (let round = 0; round < 20; round++) {
        const payment = await authorized();
        const results = await atOnce(6, (provider, n) =>
          n % 2
            ? provider.capture(`c-${payment.key}`, payment, WHOLE)
            : provider.void(`v-${payment.key}`, payment),
        );
        expect(fulfilled(results)).toHaveLength(3);
        const { captured: taken, voided } = await ledgerOf(db, payment.key);
        expect(taken + voided).toBe(payment.amount);
      }
    });

    it('for authorise and void: nothing stays reserved', async () => {
      for (let round = 0; round < 20; round++) {
        const payment = newPayment();
        await atOnce(6, (provider, n) =>
          n % 2 ? provider.authorize(payment) : provider.void(`v-${payment.key}`, payment),
        );
        expect(await ledgerOf(db, payment.key)).toMatchObject({ status: 'voided', open: 0 });
      }
    });

    it('for ten of 100 captures of a tenth', async () => {
      const payment = await authorized();
      const results = await atOnce(100, (provider, n) =>
        provider.capture(`${payment.key}-c${n}`, payment, { amount: 1_000, isFinal: false }),
      );
      expect(fulfilled(results)).toHaveLength(10);
      expect(await ledgerOf(db, payment.key)).toMatchObject({ status: 'captured', captured: 10_000 });
    });

    it('for ten of 100 refunds of a tenth', async () => {
      const payment = await captured();
      const results = await atOnce(100, (provider, n) =>
        provider.refund(`${payment.key}-r${n}`, payment, 1_000),
      );
      expect(fulfilled(results)).toHaveLength(10);
      expect(await ledgerOf(db, payment.key)).toMatchObject({ refunded: 10_000 });
      expect(refundedOf((await sandbox.find(payment))!)).toBe(10_000);
    });
  });
});

describe('the faulty payment method', () => {
  /** Takes one payment from authorisation to refund and voids another one, each step by `attempt`. */
  async function live(paymentMethod: string, attempt: (work: () => Promise<unknown>) => Promise<unknown>) {
    const payment = newPayment({ paymentMethod });
    await attempt(() => sandbox.authorize(payment));
    await attempt(() => sandbox.capture(`${payment.key}-c`, payment, WHOLE));
    await attempt(() => sandbox.refund(`${payment.key}-r`, payment, 1));
    const toVoid = newPayment({ paymentMethod });
    await attempt(() => sandbox.void(`${toVoid.key}-v`, toVoid));
    expect(await ledgerOf(db, payment.key)).toMatchObject({ captured: 10_000, refunded: 1 });
    expect(await ledgerOf(db, toVoid.key)).toMatchObject({ status: 'voided' });
  }

  it('pm_sandbox_flaky fails twice in each operation, without effect, across processes', async () => {
    const other = createSandboxProvider({ repository: repository() });
    const payment = newPayment({ paymentMethod: 'pm_sandbox_flaky' });
    await expect(sandbox.authorize(payment)).rejects.toThrow('failed at attempt 1');
    await expect(other.authorize(payment)).rejects.toThrow('failed at attempt 2');
    expect(await sandbox.find(payment)).toBeNull();
    await sandbox.authorize(payment);
    await live('pm_sandbox_flaky', async (work) => {
      for (const attempt of [1, 2])
        expect((await errorOf(work())).message).toContain(`failed at attempt ${attempt}`);
      await work();
    });
  });

  it('pm_sandbox_flaky counts concurrent attempts', async () => {
    const payment = newPayment({ paymentMethod: 'pm_sandbox_flaky' });
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => sandbox.authorize(payment)));
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(2);
  });

  it('pm_sandbox_slow does each operation at once and replies late', async () => {
    const payment = newPayment({ paymentMethod: 'pm_sandbox_slow' });
    const replies = deferred();
    pause.mockReturnValueOnce(replies.promise);
    const replied = jest.fn();
    const result = sandbox.authorize(payment).then(replied);
    await eventually(async () => expect(await sandbox.find(payment)).toMatchObject({ status: 'authorized' }));
    expect(replied).not.toHaveBeenCalled();
    replies.resolve();
    await result;
    await live('pm_sandbox_slow', async (work) => {
      pause.mockClear();
      await work();
      expect(pause).toHaveBeenCalledTimes(1);
    });
  });

  it('pm_sandbox_lost_reply does each operation and loses the first reply, but not those of find and repeats', async () => {
    const payment = newPayment({ paymentMethod: 'pm_sandbox_lost_reply' });
    expect(await errorOf(sandbox.authorize(payment))).toMatchObject({ name: 'Error', code: 'ECONNRESET' });
    expect(await sandbox.find(payment)).toMatchObject({ status: 'authorized' });
    await live('pm_sandbox_lost_reply', async (work) => {
      expect(await errorOf(work())).toMatchObject({ code: 'ECONNRESET' });
      await work();
    });
  });

  it('pm_sandbox_outage fails until it is switched on, for every process', async () => {
    const payment = newPayment({ paymentMethod: 'pm_sandbox_outage' });
    const operations = [
      () => sandbox.authorize(payment),
      () => sandbox.find(payment),
      () => sandbox.capture('x', payment, WHOLE),
      () => sandbox.refund('y', payment, 1),
      () => sandbox.void('z', payment),
    ];
    for (const work of operations)
      expect(await errorOf(work())).toMatchObject({
        name: 'Error',
        message: expect.stringContaining('unavailable') as string,
      });
    await repository().setAvailable(true);
    expect(await sandbox.find(payment)).toBeNull();
    await live('pm_sandbox_outage', (work) => work());
    await repository().setAvailable(false);
    await expect(sandbox.find(payment)).rejects.toThrow('PUT /payments/sandbox');
  });
});
