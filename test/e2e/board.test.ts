import axe from 'axe-core';
import type { Connection } from 'mongoose';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import pino from 'pino';
import type { BrowserContextOptions, Locator, Page, Route } from 'playwright-core';
import { startServer, type RunningServer } from '../../src/api-server';
import { newId } from '../../src/common/ids';
import type { OrderView } from '../../src/orders/order-view';
import { seed } from '../../src/seed/seed';
import { DEMO_ADMIN, DEMO_CUSTOMER, DEMO_PASSWORD } from '../../src/users/demo-users';
import { createUserModel } from '../../src/users/users.model';
import { freePorts } from '../../tools/devstack/ports';
import { findChromium, openBrowser, type TestBrowser } from '../support/browser';
import { testConfig } from '../support/config';
import { eventually, HANG_MS } from '../support/eventually';
import { untilReady } from '../support/ready';
import { keepRelaying } from '../support/relay';
import { openShop, type Shop } from '../support/shop';
import { taskQueueEnv } from '../support/task-queues';

interface Sent {
  body?: unknown;
  headers?: Record<string, string>;
}

const CAROL = { email: 'carol@example.com', password: 'nine-pears-after-dusk' };
const HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}';
const WIDE = { width: 1_300, height: 1_000 };
const NARROW = { width: 320, height: 640 };

const chromium = findChromium();
if (!chromium) {
  console.warn(
    'The order board is not tested, because there is no Chromium on PATH. Install it, for example `apt install chromium`.',
  );
}

(chromium ? describe : describe.skip)('the order board in a browser', () => {
  let shop: Shop;
  let server: RunningServer;
  let relay: ReturnType<typeof keepRelaying>;
  let browser: TestBrowser;
  let page: Page;
  let folder: string;
  let port: number;
  let admin: string;
  let alice: string;

  beforeAll(async () => {
    shop = await openShop({ own: true });
    folder = await mkdtemp(join(tmpdir(), 'orders-board-'));
    [port] = (await freePorts(1)) as [number];
    await startApi();
    await shop.startWorker({}, undefined, { PAYMENT_SANDBOX_URL: server.url });
    relay = keepRelaying(shop.db.connection);
    await relay.following;
    await seed(shop.db.connection, 'test');
    await own(shop.db.connection);
    [admin, alice] = [await tokenOf(DEMO_ADMIN), await tokenOf(DEMO_CUSTOMER)];
  });
  beforeEach(() => open());
  afterEach(async () => {
    const violations = browser.faults.filter((fault) => /Content Security Policy|Trusted/i.test(fault));
    await browser.close();
    expect(violations).toEqual([]);
  });
  afterAll(async () => {
    await server?.close();
    await relay?.stop();
    await shop?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function startApi(): Promise<void> {
    const config = testConfig({
      PORT: String(port),
      MONGODB_URI: shop.db.uri,
      ...taskQueueEnv(shop.taskQueue),
      PLACE_ORDER_TIMEOUT_MS: String(HANG_MS),
      ORDER_COMMAND_TIMEOUT_MS: String(HANG_MS),
      DATA_DIR: folder,
      TRACE_UI_URL: 'http://localhost:16686/search?order={orderId}',
    });
    server = await startServer(config, pino({ level: 'silent' }));
    await untilReady(server.url);
  }

  async function open(options: BrowserContextOptions = {}): Promise<void> {
    browser = await openBrowser(chromium!, new URL(server.url), { reducedMotion: 'reduce', ...options });
    ({ page } = browser);
    page.setDefaultTimeout(HANG_MS);
    await page.goto(`${server.url}/board`);
  }

  async function call(method: string, path: string, token?: string, { body, headers }: Sent = {}) {
    const response = await fetch(server.url + path, {
      method,
      headers: {
        'Content-Type': 'application/json',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what the routes return is tested elsewhere
    const data = text === '' ? undefined : (JSON.parse(text) as { data: any }).data;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return data;
  }

  async function tokenOf(email: string): Promise<string> {
    return (await call('POST', '/auth/login', undefined, { body: { email, password: DEMO_PASSWORD } }))
      .accessToken;
  }

  const keyed = () => ({ 'Idempotency-Key': randomUUID() });

  /** Places an order of the customer for units of a new product. */
  async function place(quantity: number, more: object = {}, name = 'A lamp'): Promise<OrderView> {
    const product = await shop.sell({ name });
    const body = {
      items: [{ productServiceId: product.id, quantity }],
      paymentMethod: 'pm_card_visa',
      shippingAddress: { name: 'Ada Lovelace', line1: '12 Example Street', city: 'Berlin', country: 'DE' },
      ...more,
    };
    return call('POST', '/orders', alice, { body, headers: keyed() });
  }

  const read = (id: string): Promise<OrderView> => call('GET', `/orders/${id}`, admin);

  async function ship({ id, items: [item] }: OrderView, quantity: number): Promise<OrderView> {
    const body = { items: [{ productServiceId: item!.productServiceId, quantity }] };
    return call('POST', `/orders/${id}/fulfillments`, admin, { body, headers: keyed() });
  }

  async function signIn(email = DEMO_ADMIN, password = DEMO_PASSWORD): Promise<void> {
    await page.getByLabel('E-mail', { exact: true }).fill(email);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  const isLive = () => page.getByText('Live', { exact: true }).waitFor();
  const lane = (name: string) => page.getByRole('region', { name });
  const cardIn = (name: string, { number }: OrderView) => lane(name).getByRole('link', { name: number });
  const panel = () => page.getByRole('region', { name: 'Order', exact: true });
  const timeline = () => panel().getByRole('region', { name: 'Timeline' });
  const dialog = () => page.getByRole('dialog');
  const submit = (name: string) => dialog().getByRole('button', { name, exact: true });
  const command = (name: string) => panel().getByRole('button', { name });
  const isClosed = () => dialog().waitFor({ state: 'detached' });

  /** Opens the card of an order once it is in the lane. */
  async function openOrder(name: string, order: OrderView): Promise<void> {
    await cardIn(name, order).click();
    await panel()
      .getByRole('heading', { name: `Order ${order.number}` })
      .waitFor();
  }

  it('shows an order as it moves, and ships, closes short, delivers and refunds it, whatever the API does meanwhile', async () => {
    await signIn();
    await isLive();
    const order = await place(4);
    await openOrder('To fulfill', order);
    await timeline().getByText('Payment authorised').waitFor();

    // A double click ships once.
    await command('Fulfill…').click();
    await dialog().getByLabel('A lamp of 4').fill('2');
    await dialog().getByLabel('Carrier').fill('DHL');
    await dialog().getByLabel('Tracking number').fill('00340');
    await submit('Fulfill').dblclick();
    await isClosed();
    await cardIn('Partly fulfilled', order).waitFor();
    await timeline().getByText('DHL 00340').waitFor();
    expect((await read(order.id)).fulfillments).toHaveLength(1);

    // What another user does while the API is restarted appears.
    await server.close();
    await page.getByText('Reconnecting …').waitFor();
    await startApi();
    await ship(order, 1);
    await panel().getByText('3 of 4 fulfilled').waitFor();
    await isLive();

    await command('Close short…').click();
    await dialog().getByLabel('Reason').fill('Broken in the warehouse');
    await submit('Cancel these units').click();
    await isClosed();
    await cardIn('On its way', order).waitFor();

    for (const left of [1, 0]) {
      await command('as delivered…').first().click();
      await submit('It is delivered').click();
      await isClosed();
      await eventually(async () => expect(await command('as delivered…').count()).toBe(left));
    }
    await timeline().getByText('Completed').waitFor();

    await command('Refund…').click();
    await submit('Refund').click();
    await dialog().locator('input:invalid').waitFor(); // the reason is missing
    await dialog().getByLabel('Reason').fill('A dent');
    await dialog().getByLabel('Internal note').fill('Photo in the mailbox');
    await submit('Refund').click();
    await dialog().getByText('Choose at least one unit.').waitFor();
    await dialog().getByLabel('A lamp of 3', { exact: true }).fill('1');
    await dialog().getByLabel('Put A lamp back in stock').check();
    await submit('Refund').click();
    await isClosed();
    await timeline().getByText('Internal note: Photo in the mailbox').waitFor();

    await command('Refund…').click();
    await dialog().getByLabel('An amount').check();
    await dialog().getByLabel('Amount in EUR').fill('1,5');
    await dialog().getByLabel('Reason').fill('Another dent');
    await submit('Refund').click();
    await isClosed();
    expect(await read(order.id)).toMatchObject({
      status: 'completed',
      items: [{ fulfilledQuantity: 3, cancelledQuantity: 1, refundedQuantity: 1 }],
      refunds: [
        { items: [{ quantity: 1, restock: true }], reason: 'A dent', internalNote: 'Photo in the mailbox' },
        { amount: 150, reason: 'Another dent' },
      ],
    });
  });

  it('repeats a command whose response was lost, and it is done once', async () => {
    await signIn();
    const order = await place(3);
    await openOrder('To fulfill', order);
    await command('Fulfill…').click();
    await dialog().getByLabel('A lamp of 3').fill('1');
    const keys: (string | undefined)[] = [];
    const loseResponse = async (route: Route) => {
      keys.push(route.request().headers()['idempotency-key']);
      await route.fetch();
      await route.abort();
    };
    await page.route('**/fulfillments', loseResponse, { times: 1 });
    await submit('Fulfill').click();
    await dialog().getByText('It is not known whether this was done.').waitFor();
    page.on('request', (request) => {
      if (request.method() === 'POST') keys.push(request.headers()['idempotency-key']);
    });
    await submit('Fulfill').click();
    await isClosed();
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(2);
    const { fulfillments, items } = await read(order.id);
    expect([fulfillments.length, items[0]!.fulfilledQuantity]).toEqual([1, 1]);

    // What was sent may have been done: if the user then asks for something else, the page must not deny it.
    await command('Fulfill…').click();
    await dialog().getByLabel('A lamp of 2').fill('1');
    await page.route('**/fulfillments', loseResponse, { times: 1 });
    await submit('Fulfill').click();
    await dialog().getByText('It is not known whether this was done.').waitFor();
    await dialog().getByLabel('A lamp of 2').fill('2');
    await submit('Fulfill').click();
    await dialog().getByText('What you sent before may have been done.').waitFor();
    await dialog().getByText('Fulfilled: 1 unit → 2 units').waitFor();
    expect((await read(order.id)).items[0]!.fulfilledQuantity).toBe(2);
  });

  it('says what another user has changed before it ships to what the user has seen', async () => {
    await signIn();
    const order = await place(3);
    await openOrder('To fulfill', order);
    await command('Fulfill…').click();
    await dialog().getByLabel('A lamp of 3').waitFor();
    await ship(order, 2);
    await submit('Fulfill').click();
    await dialog().getByText('Fulfilled: 0 units → 2 units').waitFor();
    expect((await read(order.id)).items[0]!.fulfilledQuantity).toBe(2);
    await dialog().getByLabel('A lamp of 1').waitFor();
    await submit('Fulfill').click();
    await isClosed();
    expect((await read(order.id)).items[0]!.fulfilledQuantity).toBe(3);
  });

  it('says why a command is turned down', async () => {
    await signIn();
    const order = await place(1, { paymentMethod: 'pm_card_visa' });
    await openOrder('To fulfill', order);
    await command('Cancel…').click();
    const units = dialog().getByLabel('A lamp of 1');
    await units.fill('0'); // which must not cancel all
    await submit('Cancel these units').click();
    await dialog().getByText('Choose at least one unit.').waitFor();
    await units.fill('1');
    const reason = dialog().getByLabel('Reason');
    await reason.evaluate((input: { maxLength: number }) => void (input.maxLength = 500));
    await reason.fill('x'.repeat(201));
    await submit('Cancel these units').click();
    const alert = dialog().getByRole('alert');
    await alert.getByText('Validation failed').waitFor();
    expect(await alert.innerText()).toMatch(/reason.*200/);
    expect(await alert.innerText()).toMatch(/Request \S+/);
    await page.keyboard.press('Escape');
    await isClosed();
    expect((await read(order.id)).status).toBe('confirmed');
  });

  it('retries a compensation that keeps failing, and settles it', async () => {
    const switchPayments = (available: boolean) =>
      call('PUT', '/payments/sandbox', admin, { body: { available } });
    await switchPayments(true);
    const order = await place(1, { paymentMethod: 'pm_sandbox_outage' });
    await switchPayments(false);
    await call('POST', `/orders/${order.id}/cancel`, alice, { body: {} });
    await signIn();
    await page.getByLabel('Which orders are shown').selectOption('Closed orders');
    await openOrder('Cancelled', order);
    await panel().getByText('keeps failing').waitFor();
    await cardIn('Cancelled', order).getByText('compensation fails').waitFor();

    await command('Retry now…').click();
    await submit('Retry now').click();
    await isClosed();
    await page.getByText('It was tried once more.').waitFor();
    await command('Settled by hand…').click();
    await dialog().getByLabel('What you have done').fill('Paid back by bank transfer');
    await submit('Mark as settled').click();
    await isClosed();
    await timeline().getByText('Paid back by bank transfer').waitFor();
    await panel().getByText('keeps failing').waitFor({ state: 'detached' });
    expect((await read(order.id)).compensations).toMatchObject([{ state: 'resolved' }]);
  });

  it('finds orders by number, customer and state', async () => {
    const order = await place(1);
    const search = page.getByRole('searchbox');
    await signIn();
    await isLive();
    await search.fill(order.number.toLowerCase().replace('-', ''));
    await search.press('Enter');
    await panel().getByRole('heading', { name: order.number }).waitFor();
    await panel().getByRole('button', { name: order.customerId }).click();
    await cardIn('To fulfill', order).waitFor();
    await search.fill(DEMO_CUSTOMER);
    await search.press('Enter');
    await cardIn('To fulfill', order).waitFor();
    await search.fill('nobody@example.com');
    await search.press('Enter');
    await page.getByText('No orders found').waitFor();
    await search.fill('12');
    await search.press('Enter');
    await page.getByText('must be the number of an order').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByLabel('Which orders are shown').selectOption('Completed');
    await lane('Completed').waitFor();
    expect(await lane('To fulfill').count()).toBe(0);
    await search.fill(order.id);
    await search.press('Enter');
    const linkTo = (name: string) => panel().getByRole('link', { name, exact: true }).getAttribute('href');
    expect(await linkTo('Temporal UI')).toBe((await read(order.id)).temporalUrl);
    expect(await linkTo('Trace')).toBe(`http://localhost:16686/search?order=${order.id}`);
  });

  it('shows a customer their own orders, and lets them cancel', async () => {
    const bob = await call('POST', '/auth/login', undefined, {
      body: { email: 'bob@example.com', password: DEMO_PASSWORD },
    });
    const product = await shop.sell();
    const body = { items: [{ productServiceId: product.id, quantity: 1 }], paymentMethod: 'pm_card_visa' };
    const others: OrderView = await call('POST', '/orders', bob.accessToken, { body, headers: keyed() });
    const order = await place(2);
    await signIn(DEMO_CUSTOMER);
    await openOrder('To fulfill', order);
    expect(await cardIn('To fulfill', others).count()).toBe(0);
    expect(await panel().getByRole('button').allInnerTexts()).toEqual(['Cancel…']);
    await command('Cancel…').click();
    await dialog().getByLabel('Reason').fill('Ordered by mistake');
    await submit('Cancel what is open').click();
    await isClosed();
    await timeline().getByText('Ordered by mistake').waitFor();

    // The list is asked for again from time to time.
    await cardIn('To fulfill', await place(1)).waitFor();
    await page.goto(`${page.url().split('#')[0]}#/orders/${others.id}`);
    await panel().getByText('Order not found').waitFor();
    const stored = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    expect(stored).toBe('[{},{},""]');
  });

  it('keeps out a wrong password, asks for a code, and ends when the session is ended elsewhere', async () => {
    await signIn(DEMO_CUSTOMER, 'not the password');
    await page
      .getByRole('alert')
      .getByText(/password/i)
      .waitFor();
    const carol = await withAuthenticator();
    await signIn(CAROL.email, CAROL.password);
    await page.getByLabel('Code of your authenticator app').fill('000000');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').getByText(/code/i).waitFor();
    await page.getByLabel('Code of your authenticator app').fill(carol.nextCode());
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await isLive();

    await page.route('**/auth/logout', () => undefined); // it is never answered
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await signIn(DEMO_CUSTOMER);
    await isLive();
    const token = await tokenOf(DEMO_CUSTOMER);
    const sessions: { id: string; isCurrent: boolean }[] = await call('GET', '/users/me/sessions', token);
    expect(sessions.length).toBeGreaterThan(1);
    await call('DELETE', '/users/me/sessions', token);
    alice = await tokenOf(DEMO_CUSTOMER);
    await page.getByText('Your session has ended. Sign in again.').waitFor();
    expect(await lane('To fulfill').count()).toBe(0);
  });

  it('shows texts as they are, whatever they contain', async () => {
    const address = { name: HOSTILE, line1: HOSTILE, city: HOSTILE, country: 'DE' };
    const more = {
      note: HOSTILE,
      externalRef: HOSTILE,
      metadata: { note: HOSTILE },
      shippingAddress: address,
    };
    const order = await place(2, more, HOSTILE);
    await signIn();
    await openOrder('To fulfill', order);
    await command('Fulfill…').click();
    await dialog().getByLabel(`${HOSTILE} of 2`).fill('1');
    await dialog().getByLabel('Carrier').fill(HOSTILE);
    await submit('Fulfill').click();
    await isClosed();
    await timeline().getByText(`1 × ${HOSTILE}`).waitFor();
    expect(await page.locator('#app img').count()).toBe(1); // its own
    expect(browser.faults).toEqual([]);
  });

  it.each([
    ['light', WIDE],
    ['dark', WIDE],
    ['light', NARROW],
    ['dark', NARROW],
  ] as const)('is accessible: %s, %o', async (colorScheme, viewport) => {
    await browser.close();
    await open({ colorScheme, viewport });
    expect(await findings(page)).toEqual([]);
    await signIn();
    await isLive();
    const order = await place(2);
    if (viewport === NARROW) await page.getByRole('group', { name: 'Lanes' }).getByText('To fulfill').click();
    await cardIn('To fulfill', order).waitFor();
    expect(await findings(page)).toEqual([]);
    await openOrder('To fulfill', order);
    await ship(order, 1);
    await panel().getByText('1 of 2 fulfilled').waitFor();
    expect(await findings(page)).toEqual([]);
    await command('Refund…').click();
    await dialog().getByRole('button', { name: 'Refund', exact: true }).waitFor();
    expect(await findings(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(browser.faults).toEqual([]);
  });

  it('can be used with the keyboard alone, and keeps the focus while orders move', async () => {
    const order = await place(2);
    await page.keyboard.type(DEMO_ADMIN);
    await page.keyboard.press('Tab');
    await page.keyboard.type(DEMO_PASSWORD);
    await page.keyboard.press('Enter');
    await isLive();
    const card = cardIn('To fulfill', order);
    await untilFocused(page, card);
    await ship(order, 1);
    const moved = cardIn('Partly fulfilled', order);
    await moved.waitFor();
    expect(await isFocused(moved)).toBe(true);
    await page.keyboard.press('Enter');
    const heading = panel().getByRole('heading', { name: order.number });
    await heading.waitFor();
    expect(await isFocused(heading)).toBe(true);
    await untilFocused(page, command('Fulfill…'));
    await page.keyboard.press('Enter');
    await submit('Fulfill').waitFor();
    await page.keyboard.press('Escape');
    await isClosed();
    expect(await isFocused(command('Fulfill…'))).toBe(true);
    await page.keyboard.press('Escape');
    await panel().waitFor({ state: 'hidden' });
    expect(await isFocused(moved)).toBe(true);
  });

  /** Gives a new customer an authenticator app. */
  async function withAuthenticator() {
    const { email, password: currentPassword } = CAROL;
    const { accessToken } = await call('POST', '/auth/register', undefined, {
      body: { ...CAROL, name: 'Carol' },
    });
    await createUserModel(shop.db.connection).updateOne({ email }, { confirmedEmail: email });
    const body = { currentPassword };
    const { secret } = await call('POST', '/users/me/totp', accessToken, { body });
    const codeAt = (timestamp: number) => TOTP.generate({ secret: Secret.fromBase32(secret), timestamp });
    const token = await mailedToken(folder, 'totp');
    await call('POST', '/users/me/totp/confirm', accessToken, { body: { code: codeAt(Date.now()), token } });
    return { nextCode: () => codeAt(Date.now() + 30_000) }; // a code works once
  }
});

/** Gives the demo customers ids of their own: those of orders depend on them, and the Temporal server is shared. */
async function own(connection: Connection): Promise<void> {
  const users = createUserModel(connection);
  for (const email of [DEMO_CUSTOMER, 'bob@example.com']) {
    const user = await users.findOneAndDelete({ email }).lean();
    await users.create({ ...user, _id: newId('usr') });
  }
}

async function mailedToken(folder: string, purpose: string): Promise<string> {
  let token: string | undefined;
  await eventually(async () => {
    const names = await readdir(join(folder, 'mail'));
    const mails = await Promise.all(names.map((name) => readFile(join(folder, 'mail', name), 'utf8')));
    token = mails.map((mail) => new RegExp(`#${purpose}=([\\w-]{43})`).exec(mail)?.[1]).find(Boolean);
    expect(token).toBeDefined();
  });
  return token!;
}

/** What axe-core finds on the page. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

function isFocused(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) =>
    (element as unknown as { matches(selector: string): boolean }).matches(':focus'),
  );
}

/** Presses Tab until the element has the focus. */
async function untilFocused(page: Page, locator: Locator): Promise<void> {
  await locator.waitFor();
  for (let n = 0; n < 200 && !(await isFocused(locator)); n++) await page.keyboard.press('Tab');
  expect(await isFocused(locator)).toBe(true);
}
