import pino from 'pino';
import { startServer, type RunningServer } from '../../src/api-server';
import type { PaymentRef } from '../../src/domain/payment';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { createSandboxProvider } from '../../src/payments/sandbox/provider';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { newPayment } from '../payments/fixtures';
import { findChromium, openBrowser, type TestBrowser } from '../support/browser';
import { testConfig } from '../support/config';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { HANG_MS } from '../support/eventually';
import { untilReady } from '../support/ready';

const chromium = findChromium();
if (!chromium) {
  console.warn(
    'The page of the payment sandbox is not tested, because there is no Chromium on PATH. Install it, for example `apt install chromium`.',
  );
}

(chromium ? describe : describe.skip)('the page of the payment sandbox in a browser', () => {
  let db: TestDatabase;
  let server: RunningServer;
  let browser: TestBrowser;
  let sandbox: PaymentProvider;

  beforeAll(async () => {
    db = await openTestDatabase();
    server = await startServer(testConfig({ PORT: '0', MONGODB_URI: db.uri }), pino({ level: 'silent' }));
    await untilReady(server.url);
    browser = await openBrowser(chromium!, new URL(server.url));
    browser.page.setDefaultTimeout(HANG_MS);
    sandbox = createSandboxProvider({ repository: createSandboxRepository(db.connection), url: server.url });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await db?.drop();
  });

  /** Opens the page of a new payment of 100.00 EUR. */
  async function open(paymentMethod = 'pm_card_threeDSecure2Required'): Promise<PaymentRef> {
    const payment = newPayment({ paymentMethod, isOnSession: true });
    const { action } = await sandbox.authorize(payment);
    await browser.page.goto(action!.redirectUrl!);
    await heading('Authorise 100.00 EUR?');
    return payment;
  }

  const heading = (name: string) => browser.page.getByRole('heading', { name }).waitFor();
  const press = (name: string) => browser.page.getByRole('button', { name, exact: true }).click();

  it.each([
    ['Authorise', 'pm_card_threeDSecure2Required', 'You have authorised this payment.', 'authorized'],
    ['Authorise', 'pm_card_threeDSecureRequiredChargeDeclined', 'This payment has failed.', 'declined'],
    ['Fail', 'pm_card_authenticationRequired', 'This payment has failed.', 'declined'],
  ])('%s, with %s: %s', async (button, paymentMethod, shown, status) => {
    const payment = await open(paymentMethod);
    await press(button);
    await heading(shown);
    expect(await sandbox.find(payment)).toMatchObject({ status });
    await browser.page.reload(); // which does not send the answer again
    await heading(shown);
    expect(browser.faults).toEqual([]);
  });

  it('tells if the shop needs the payment no more, also while the page is open', async () => {
    const payment = await open();
    await sandbox.void(`${payment.key}-void`, payment);
    await press('Authorise');
    await heading('This payment is no longer needed.');
    expect(await sandbox.find(payment)).toMatchObject({ status: 'voided', authorized: 0 });
    expect(browser.faults).toEqual([]);
  });
});
