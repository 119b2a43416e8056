import type { Connection } from 'mongoose';
import { randomUUID } from 'node:crypto';
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

type Json = Record<string, unknown>;

/** What the page shows of a response. */
interface Shown {
  status: string;
  data: Json;
  body: Json;
}

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
    shop = await openShop({ own: true });
    const config = testConfig({
      PORT: '0',
      MONGODB_URI: shop.db.uri,
      ...taskQueueEnv(shop.taskQueue),
      PLACE_ORDER_TIMEOUT_MS: String(HANG_MS),
    });
    server = await startServer(config, pino({ level: 'silent' }));
    // Its sandbox sends customers to a page of this API.
    await shop.startWorker({}, undefined, { PAYMENT_SANDBOX_URL: server.url, PAYMENT_RETRY_WINDOW: '15m' });
    await untilReady(server.url);
    await seedFor(shop.db.connection);
  });
  // Each test has a profile of its own, because the page remembers who is signed in.
  beforeEach(async () => {
    browser = await openBrowser(chromium!, new URL(server.url));
    browser.page.setDefaultTimeout(HANG_MS);
    await browser.page.goto(`${server.url}/api`);
  });
  afterEach(() => browser.close());
  afterAll(async () => {
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
  async function execute(operation: Locator): Promise<Shown> {
    // What is shown of a request before would be read otherwise, until the page has drawn the next one.
    const clear = operation.getByRole('button', { name: 'Clear', exact: true });
    if (await clear.isVisible()) await clear.click();
    await operation.locator('.live-responses-table').waitFor({ state: 'detached' });
    await operation.getByRole('button', { name: 'Execute' }).click();
    const response = operation.locator('.live-responses-table .response').first();
    const shown = response.locator('.highlight-code .microlight').first();
    const body = JSON.parse(await shown.innerText()) as Json & { data: Json };
    return {
      status: (await response.locator('.response-col_status').innerText()).trim(),
      data: body.data,
      body,
    };
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

  async function signIn(): Promise<void> {
    const session = await execute(await open('Auth', 'login'));
    expect(session).toMatchObject({ status: '200', data: { user: { name: 'Alice' } } });
    await authorize(session.data.accessToken as string);
  }

  /** Changes the example of a request body. */
  async function change(operation: Locator, fields: Json): Promise<void> {
    const body = operation.locator('textarea.body-param__text');
    await body.fill(JSON.stringify({ ...(JSON.parse(await body.inputValue()) as Json), ...fields }));
  }

  /** Places an order whose bank asks the customer, and answers on the page that the response names. */
  async function placedAndAnswered(placeOrder: Locator, key: string, answer: 'Authorise' | 'Fail') {
    await placeOrder.getByPlaceholder('Idempotency-Key').fill(key);
    const placed = await execute(placeOrder);
    expect(placed).toMatchObject({
      status: '202',
      data: { status: 'pending', paymentStatus: 'action_required', paymentAction: { type: 'redirect' } },
    });
    const { redirectUrl } = placed.data.paymentAction as { redirectUrl: string };
    const bank = await browser.page.context().newPage();
    bank.setDefaultTimeout(HANG_MS);
    await bank.goto(redirectUrl);
    await bank.getByRole('button', { name: answer, exact: true }).click();
    const outcome = { Authorise: 'You have authorised this payment.', Fail: 'This payment has failed.' };
    await bank.getByRole('heading', { name: outcome[answer] }).waitFor();
    await bank.close();
    return placed.data.id as string;
  }

  it('lists every operation and webhook of the API', async () => {
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
    await signIn();
    const placeOrder = await open('Orders', 'placeOrder');
    const key = await placeOrder.getByPlaceholder('Idempotency-Key').inputValue();
    const placed = await execute(placeOrder);
    expect(placed).toMatchObject({ status: '201', data: { status: 'confirmed', total: 4_758 } });

    const getOrder = await open('Orders', 'getOrder');
    const id = getOrder.getByPlaceholder('id', { exact: true });
    expect(await id.inputValue()).toBe(orderIdOf(ALICE, key)); // the example is right for the seeded id of Alice
    await id.fill(placed.data.id as string);
    expect(await execute(getOrder)).toMatchObject({ status: '200', data: placed.data });
    expect(browser.faults).toEqual([]);
    const stored = await browser.page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }])',
    );
    expect(stored).toBe('[{},{}]'); // the token is in memory only
  });

  it('lets a guest put things into a cart and order them', async () => {
    const { data: cart } = await execute(await open('Carts', 'createCart'));
    const inCart = async (operationId: string) => {
      const operation = await open('Carts', operationId);
      await operation.getByPlaceholder('id', { exact: true }).fill(cart.id as string);
      await operation.getByPlaceholder('Cart-Token').fill(cart.token as string);
      return operation;
    };
    expect(await execute(await inCart('putCartItem'))).toMatchObject({
      status: '200',
      data: { total: 4_758 },
    });
    expect(await execute(await inCart('changeCart'))).toMatchObject({ status: '200' });
    const checkOut = await inCart('checkOut');
    await change(checkOut, { email: 'ada@example.com' });
    const ordered = await execute(checkOut);
    expect(ordered).toMatchObject({ status: '201', data: { status: 'confirmed', total: 4_758 } });
    const read = await execute(await inCart('getCart'));
    expect(read).toMatchObject({ status: '200', data: { status: 'ordered', orderId: ordered.data.id } });
    expect(browser.faults).toEqual([]);
  });

  it('pays with cards whose bank asks the customer: one is authorised, one fails and another card pays', async () => {
    await signIn();
    const placeOrder = await open('Orders', 'placeOrder');
    await change(placeOrder, { paymentMethod: 'pm_card_threeDSecure2Required', externalRef: null });
    const getOrder = await open('Orders', 'getOrder');
    const read = async (id: string) => {
      await getOrder.getByPlaceholder('id', { exact: true }).fill(id);
      return execute(getOrder);
    };

    const authorised = await placedAndAnswered(placeOrder, randomUUID(), 'Authorise');
    const confirmed = await read(authorised);
    expect(confirmed.data).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized' });
    expect(confirmed.data).not.toHaveProperty('paymentAction');
    expect(browser.faults).toEqual([]);

    const key = randomUUID();
    const failed = await placedAndAnswered(placeOrder, key, 'Fail');
    const { data: declined } = await read(failed);
    expect(declined).toMatchObject({ status: 'pending', paymentStatus: 'declined' });
    const repeated = await execute(placeOrder);
    expect(repeated).toMatchObject({
      status: '402',
      body: { code: 'payment_action_failed', orderId: failed, retryUntil: declined.retryUntil },
    });

    const payOrder = await open('Orders', 'payOrder');
    await payOrder.getByPlaceholder('id', { exact: true }).fill(failed);
    await payOrder.getByPlaceholder('Idempotency-Key').fill(randomUUID());
    await change(payOrder, { paymentMethod: 'pm_card_mastercard' });
    const paid = await execute(payOrder);
    expect(paid).toMatchObject({ status: '201', data: { status: 'confirmed', paymentStatus: 'authorized' } });
    expect(browser.faults.filter((fault) => !/status( of)? 402/.test(fault))).toEqual([]);
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
  type Operations = Record<string, Record<string, { operationId: string }>>;
  const response = await fetch(`${url}/api/openapi.json`);
  const { paths, webhooks } = (await response.json()) as { paths: Operations; webhooks: Operations };
  return [paths, webhooks]
    .flatMap((operations) => Object.values(operations))
    .flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
}
