import { randomBytes } from 'node:crypto';
import { chromium, type Browser } from 'playwright-core';
import { createClient, type ProblemError } from '../../clients/typescript/src';
import { newId } from '../../src/common/ids';
import { findChromium } from '../support/browser';
import { testConfig } from '../support/config';
import { HANG_MS } from '../support/eventually';
import { sample } from '../support/sample';
import { startWholeSystem, type WholeSystem } from '../support/whole-system';
import { tokenFor } from '../support/tokens';

const NOTE = 'leave it with the neighbour';
const chromiumPath = findChromium();
const [isDrawn] = sample('e2e/temporal-ui: systems with a Temporal UI', [true]);
const withChromium = chromiumPath && isDrawn ? it : it.skip;

let system: WholeSystem;
let browser: Browser;
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await system?.remove();
});

/** Places an order with an encrypted note and returns its id. */
async function placeOrder(): Promise<string> {
  const accessToken = tokenFor(testConfig(), 'CUSTOMER');
  const { baseUrl } = system;
  const placed = createClient({ baseUrl, tokens: { accessToken }, timeoutMs: HANG_MS }).placeOrder({
    body: {
      items: [{ productServiceId: newId('ps'), quantity: 1 }], // the order is rejected, which is enough for a history
      paymentMethod: 'pm_card_visa',
      note: NOTE,
    },
  });
  const problem: unknown = await placed.catch((error: unknown) => error);
  expect(problem).toMatchObject({ code: 'unknown_product' });
  return (problem as ProblemError).orderId!;
}

withChromium(
  'an ADMIN reads encrypted payloads in the Temporal UI, as docs/encryption.md describes',
  async () => {
    const key = randomBytes(32).toString('base64');
    system = await startWholeSystem(
      { PAYLOAD_KEYS: `ui:${key}`, PLACE_ORDER_TIMEOUT_MS: String(HANG_MS) },
      { withUi: true },
    );
    const orderId = await placeOrder();
    browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
    const context = await browser.newContext({ viewport: { width: 1_400, height: 1_000 } });
    const page = await context.newPage();
    page.setDefaultTimeout(HANG_MS);
    const api = system.baseUrl.replace('127.0.0.1', 'localhost'); // the cookie must have the same host as the UI
    await page.goto(`${system.temporalUiUrl}/namespaces/default/workflows/order-${orderId}`);
    await page.getByText('orderWorkflow').first().waitFor();
    expect(await page.locator('body').innerText()).not.toContain(NOTE);

    const session = await context.request.post(`${api}/codec/session`, {
      headers: { Authorization: `Bearer ${tokenFor(testConfig(), 'ADMIN')}` },
    });
    expect(session.status()).toBe(204);
    await page.locator('[data-testid="data-encoder-status"], button[aria-label*="odec" i]').first().click();
    await page.getByText('Use my browser setting').first().click();
    await page
      .locator('#data-encoder-endpoint-input, input[name="codec-endpoint"]')
      .first()
      .fill(`${api}/codec`);
    await page
      .getByText(/Include cross-origin credentials/i)
      .first()
      .click();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.reload();
    await page.getByText(NOTE).first().waitFor();
  },
);
