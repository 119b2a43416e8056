import type { Connection } from 'mongoose';
import type { Locator } from 'playwright-core';
import pino from 'pino';
import { newId } from '../../src/common/ids';
import { orderIdOf } from '../../src/orders/order-request';
import { startServer, type RunningServer } from '../../src/api-server';
import { seed } from '../../src/seed/seed';
import { DEMO_USERS } from '../../src/users/demo-users';
import { createUserModel } from '../../src/users/users.model';
import { findChromium, openBrowser, type TestBrowser } from '../support/browser';
import { testConfig } from '../support/config';
import { HANG_MS } from '../support/eventually';
import { untilReady } from '../support/ready';
import { openShop, type Shop } from '../support/shop';
import { taskQueueEnv } from '../support/task-queues';

const ALICE = DEMO_USERS[1]!._id;
const chromium = findChromium();
if (!chromium) {
  console.warn(
    'The Swagger page is not tested, because there is no Chromium on PATH. Install it, for example `apt install chromium`.',
  );
}

(chromium ? describe : describe.skip)('the Swagger page in a browser', () => {
  let shop: Shop;
  let server: RunningServer;
  let browser: TestBrowser;

  beforeAll(async () => {
    shop = await openShop();
    const config = testConfig({
      PORT: '0',
      MONGODB_URI: shop.db.uri,
      ...taskQueueEnv(shop.taskQueue),
      PLACE_ORDER_TIMEOUT_MS: String(HANG_MS),
    });
    server = await startServer(config, pino({ level: 'silent' }));
    await untilReady(server.url);
    const opened = openBrowser(chromium!, new URL(server.url));
    [browser] = await Promise.all([opened, seedFor(shop.db.connection)]);
    browser.page.setDefaultTimeout(HANG_MS);
    await browser.page.goto(`${server.url}/api`);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await shop?.close();
  });

  /** Unfolds and returns an operation of the page, which is ready to be tried out. */
  async function open(tag: string, operationId: string): Promise<Locator> {
    const operation = browser.page.locator(`#operations-${tag}-${operationId}`);
    await operation.locator('.opblock-summary-control').click();
    return operation;
  }

  /** Executes an operation and returns the response that the page shows. */
  async function execute(operation: Locator): Promise<{ status: string; data: Record<string, unknown> }> {
    await operation.getByRole('button', { name: 'Execute' }).click();
    const response = operation.locator('.live-responses-table .response').first();
    const body = JSON.parse(await response.locator('.highlight-code .microlight').first().innerText()) as {
      data: Record<string, unknown>;
    };
    return { status: (await response.locator('.response-col_status').innerText()).trim(), data: body.data };
  }

  async function authorize(token: string): Promise<void> {
    const { page } = browser;
    await page.locator('.auth-wrapper').getByRole('button', { name: 'Authorize' }).click();
    const dialog = page.locator('.dialog-ux');
    await dialog.getByLabel('auth-bearer-value').fill(token);
    await dialog.getByRole('button', { name: 'Apply credentials' }).first().click();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await dialog.waitFor({ state: 'detached' });
  }

  it('lists every operation of the API', async () => {
    const { page, faults } = browser;
    await page.locator('.opblock').first().waitFor();
    const shown = await page
      .locator('.opblock')
      .evaluateAll((blocks) => blocks.map(({ id }) => id.split('-').at(-1)!));
    expect(shown).toEqual(await operationIds(server.url));
    expect(shown).toEqual(expect.arrayContaining(['ready', 'login', 'listProductServices', 'placeOrder']));
    expect(faults).toEqual([]);
  });

  it('signs in, places an order and reads it with the unchanged examples', async () => {
    const session = await execute(await open('Auth', 'login'));
    expect(session).toMatchObject({ status: '200', data: { user: { name: 'Alice' } } });
    await authorize(session.data.accessToken as string);

    const placeOrder = await open('Orders', 'placeOrder');
    const key = await placeOrder.getByPlaceholder('Idempotency-Key').inputValue();
    const placed = await execute(placeOrder);
    expect(placed).toMatchObject({ status: '201', data: { status: 'confirmed', total: 4_758 } });

    const getOrder = await open('Orders', 'getOrder');
    const id = getOrder.getByPlaceholder('id', { exact: true });
    expect(await id.inputValue()).toBe(orderIdOf(ALICE, key)); // the example is right for the seeded id of Alice
    await id.fill(placed.data.id as string);
    expect(await execute(getOrder)).toEqual({ status: '200', data: placed.data });
    expect(browser.faults).toEqual([]);
    const stored = await browser.page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }])',
    );
    expect(stored).toBe('[{},{}]'); // the token is in memory only
  });
});

/**
 * Adds the demo data, with another id for the customer who signs in. The id of the order depends on it and on
 * the Idempotency-Key of the example, and a shared Temporal server may already have a workflow with that id.
 */
async function seedFor(connection: Connection): Promise<void> {
  await seed(connection, 'test');
  const users = createUserModel(connection);
  const alice = await users.findOneAndDelete({ _id: ALICE }).lean();
  await users.create({ ...alice, _id: newId('usr') });
}

async function operationIds(url: string): Promise<string[]> {
  const { paths } = (await (await fetch(`${url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  return Object.values(paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
}
