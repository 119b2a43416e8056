import { Connection } from '@temporalio/client';
import { randomBytes, randomUUID } from 'node:crypto';
import { connect, type Mongoose } from 'mongoose';
import { newId } from '../../src/common/ids';
import { Canaries, formsOf } from '../support/canaries';
import { openCollector } from '../support/collector';
import { testConfig } from '../support/config';
import { eventually, repeat } from '../support/eventually';
import { sample } from '../support/sample';
import { startWholeSystem, type WholeSystem } from '../support/whole-system';
import { tokenFor } from '../support/tokens';

type Json = Record<string, unknown>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- this test does not check the shape of bodies
type ApiResponse = { status: number; body: any; headers: Headers };

/** The canaries found in each place after some orders with a canary in every personal field. */
interface Findings {
  canaries: Canaries;
  errorBodies: string[];
  logs: string[];
  temporal: string[];
  traces: string[];
}

/** Where a bank asks its customer. */
const PAGE = 'page of the bank';
const NEVER_IN_TEMPORAL = ['password', 'wrong password', 'e-mail', 'unknown e-mail', 'access token'];

it('a text is found in base64 at any offset', () => {
  for (const before of ['', 'a', 'ab', 'abc', '{"note":"']) {
    const encoded = Buffer.from(`${before}canary<<??>>~~${before}`).toString('base64');
    expect(formsOf('canary<<??>>~~').filter((form) => encoded.includes(form))).not.toEqual([]);
  }
});

it('with payload keys, no personal data is in any log, problem or trace, or in the files of Temporal', async () => {
  const key = randomBytes(32).toString('base64');
  const { canaries, ...found } = await findingsWith({ PAYLOAD_KEYS: `canary:${key}` });
  expect(canaries.names.length).toBeGreaterThan(20);
  expect(found).toEqual({ errorBodies: [], logs: [], temporal: [], traces: [] });
});

async function expectOrdersInTemporalOnly(): Promise<void> {
  const { canaries, temporal, ...others } = await findingsWith({});
  expect(others).toEqual({ errorBodies: [], logs: [], traces: [] });
  const found = new Set(temporal.map((finding) => finding.replace(/^[^:]+: /, '')));
  const given = canaries.names.filter((name) => /address|note|reason|tracking|carrier/.test(name));
  const missed = given.filter((name) => !found.has(name) && !/invalid|rejected/.test(name));
  expect(missed).toEqual([]);
  const secrets = canaries.names.filter((name) => NEVER_IN_TEMPORAL.includes(name) || name.startsWith(PAGE));
  expect(secrets.filter((name) => found.has(name))).toEqual([]);
}

// This shows that the canaries of orders can be found, so that finding none means something.
for (const run of sample('e2e/personal-data: systems without payload keys', [expectOrdersInTemporalOnly]))
  it('without payload keys, the data of orders is in the files of Temporal, but in no log', run);

async function findingsWith(env: NodeJS.ProcessEnv): Promise<Findings> {
  const canaries = new Canaries();
  const collector = await openCollector();
  const system = await startWholeSystem({
    LOG_LEVEL: 'trace',
    ORDER_COMMAND_TIMEOUT_MS: '4000',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    ...env,
  });
  try {
    const errors: string[] = [];
    await exerciseApi(system, canaries, errors);
    await system.stop(); // which flushes the traces
    expect(collector.spans.length).toBeGreaterThan(100);
    return {
      canaries,
      errorBodies: errors.flatMap((body) => canaries.foundIn(body).map((name) => `${name}: ${body}`)),
      logs: await canaries.foundInFiles(system.logFolder, /\.log$/),
      temporal: await canaries.foundInFiles(system.folder, /^temporal\.db/),
      traces: collector.bodies.flatMap((body) => canaries.foundIn(body)),
    };
  } finally {
    await system.stop();
    await system.remove();
    collector.close();
  }
}

async function exerciseApi(system: WholeSystem, canaries: Canaries, errors: string[]): Promise<void> {
  const call = caller(system.baseUrl, errors);
  const admin = tokenFor(testConfig(), 'ADMIN');
  canaries.add('access token of the ADMIN', admin);
  const customer = await signUp(call, canaries);
  const product = await sell(call, admin);
  const { baseUrl } = system;
  const shop: TestShop = { call, canaries, admin, customer, product, baseUrl };
  await fulfilledAndRefunded(shop);
  await cancelled(shop);
  await rejectedOrders(shop);
  await invalidBodies(shop);
  await askedByBanks(shop);
  await failingActivity(shop, system);
  await readByCodec(shop);
}

interface TestShop {
  call: Call;
  canaries: Canaries;
  admin: string;
  customer: string;
  /** The id of a product to order. */
  product: string;
  baseUrl: string;
}

type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<ApiResponse>;

function caller(baseUrl: string, errors: string[]): Call {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(baseUrl + path, {
      method,
      headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) errors.push(text);
    return { status: response.status, body: text ? JSON.parse(text) : undefined, headers: response.headers };
  };
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const keyed = (token: string) => ({ ...bearer(token), 'Idempotency-Key': randomUUID() });

async function signUp(call: Call, canaries: Canaries): Promise<string> {
  const email = `${canaries.make('e-mail')}@example.com`;
  const password = canaries.make('password');
  const registered = await call('POST', '/auth/register', { email, password, name: canaries.make('name') });
  expect(registered.status).toBe(201);
  const wrong = await call('POST', '/auth/login', { email, password: canaries.make('wrong password') });
  const unknown = `${canaries.make('unknown e-mail')}@example.com`;
  const unknownUser = await call('POST', '/auth/login', { email: unknown, password });
  const again = await call('POST', '/auth/register', { email, password, name: canaries.make('other name') });
  expect([wrong.status, unknownUser.status, again.status]).toEqual([401, 401, 201]);
  for (const [name, value] of Object.entries(registered.body.data as Json))
    if (/token/i.test(name)) canaries.add(name, String(value));
  return canaries.add('access token', registered.body.data.accessToken);
}

async function sell(call: Call, admin: string): Promise<string> {
  const entry = { sku: 'MUG', name: 'Mug', kind: 'product', unitPrice: 1_000, currency: 'EUR', stock: 100 };
  const { body } = await call('POST', '/product-services', entry, bearer(admin));
  return body.data.id as string;
}

function addressOf(canaries: Canaries, whose: string): Json {
  const fields = ['name', 'line1', 'line2', 'city', 'region'];
  const values = fields.map((field) => [field, canaries.make(`${whose} address: ${field}`)]);
  const postalCode = canaries.make(`${whose} address: postal code`).slice(0, 20);
  canaries.add(`${whose} address: postal code`, postalCode);
  return { ...(Object.fromEntries(values) as Json), postalCode, country: 'DE' };
}

/** Returns the body of an order with its own canaries. */
function orderOf({ canaries, product }: TestShop, whose: string, given: Json = {}): Json {
  return {
    items: [{ productServiceId: product, quantity: 2 }],
    paymentMethod: 'pm_card_visa',
    note: canaries.make(`${whose} note`),
    shippingAddress: addressOf(canaries, whose),
    ...given,
  };
}

async function placed(shop: TestShop, whose: string, given?: Json): Promise<string> {
  const { status, body } = await command(
    shop,
    ['POST', '/orders', orderOf(shop, whose, given)],
    keyed(shop.customer),
  );
  expect([201, 202]).toContain(status); // on a busy machine it may be 202
  const { id } = body.data as { id: string };
  await eventually(async () => expect((await orderAt(shop, id)).status).toBe('confirmed'));
  return id;
}

async function orderAt({ call, customer }: TestShop, id: string): Promise<Json> {
  return (await call('GET', `/orders/${id}`, undefined, bearer(customer))).body.data as Json;
}

/** Sends a command until it returns a result. A busy machine may return 503 first. */
async function command(
  shop: TestShop,
  [method, path, body]: [method: string, path: string, body?: unknown],
  headers: Record<string, string>,
): Promise<ApiResponse> {
  const attempt = async () => {
    const response = await shop.call(method, path, body, headers);
    return response.status === 503 ? undefined : response;
  };
  return repeat(attempt, () => `${method} ${path} still returns 503.`);
}

async function fulfilledAndRefunded(shop: TestShop): Promise<void> {
  const { canaries, admin, customer, product } = shop;
  const id = await placed(shop, 'first', { paymentMethod: 'pm_sandbox_flaky' });
  const { version } = (await orderAt(shop, id)) as { version: number };
  const change = { note: canaries.make('amended note'), shippingAddress: addressOf(canaries, 'amended') };
  const amended = await command(shop, ['PATCH', `/orders/${id}`, change], {
    ...bearer(customer),
    'If-Match': `"${version}"`,
  });
  expect([200, 412]).toContain(amended.status); // 412: an earlier attempt has made the change
  const fulfillment = {
    items: [{ productServiceId: product, quantity: 2 }],
    carrier: canaries.make('carrier'),
    trackingNumber: canaries.make('tracking number'),
  };
  const path = `/orders/${id}/fulfillments`;
  const { status, body } = await command(shop, ['POST', path, fulfillment], keyed(admin));
  expect(status).toBe(201);
  const late = { reason: canaries.make('rejected reason') };
  expect((await command(shop, ['POST', `/orders/${id}/cancel`, late], bearer(customer))).status).toBe(409);
  const fulfillmentId = (body.data.fulfillments as { id: string }[])[0]!.id;
  await command(shop, ['POST', `${path}/${fulfillmentId}/deliver`], bearer(admin));
  const refund = keyed(admin);
  const [part, other] = [canaries.make('refund reason'), canaries.make('other refund rejected reason')];
  const refunds = `/orders/${id}/refunds`;
  expect((await command(shop, ['POST', refunds, { amount: 500, reason: part }], refund)).status).toBe(201);
  expect((await command(shop, ['POST', refunds, { amount: 500, reason: other }], refund)).status).toBe(422);
  const tooMuch = { amount: 999_999, reason: canaries.make('too much rejected reason') };
  expect((await command(shop, ['POST', refunds, tooMuch], keyed(admin))).status).toBe(409);
}

async function cancelled(shop: TestShop): Promise<void> {
  const id = await placed(shop, 'cancelled');
  const reason = shop.canaries.make('cancel reason');
  const { status } = await command(shop, ['POST', `/orders/${id}/cancel`, { reason }], bearer(shop.customer));
  expect([200, 409]).toContain(status);
  const shipping = {
    items: [{ productServiceId: shop.product, quantity: 1 }],
    trackingNumber: shop.canaries.make('rejected tracking number'),
  };
  const late = await command(shop, ['POST', `/orders/${id}/fulfillments`, shipping], keyed(shop.admin));
  expect(late.status).toBe(409);
}

async function rejectedOrders(shop: TestShop): Promise<void> {
  const unknown = { items: [{ productServiceId: newId('ps'), quantity: 1 }] };
  const tooMany = { items: [{ productServiceId: shop.product, quantity: 5_000 }] };
  const declined = { paymentMethod: 'pm_card_chargeDeclined' };
  for (const [whose, status, given] of [
    ['unknown product', 422, unknown],
    ['out of stock', 409, tooMany],
    ['declined', 402, declined],
  ] as const) {
    const [body, headers] = [orderOf(shop, whose, given), keyed(shop.customer)];
    const attempt = async () => {
      const response = await command(shop, ['POST', '/orders', body], headers);
      return response.status === 202 ? undefined : response;
    };
    const response = await repeat(attempt, () => `The order is still pending: ${whose}.`);
    expect([whose, response.status]).toEqual([whose, status]);
  }
}

/** Places orders whose bank asks the customer, on a page whose address only the customer may know. */
async function askedByBanks(shop: TestShop): Promise<void> {
  const authorised = await asked(shop, 'authorise');
  const order = await orderAt(shop, authorised);
  expect([order.status, order.paymentAction]).toEqual(['confirmed', undefined]);
  const failed = await asked(shop, 'fail');
  const pay = [`/orders/${failed}/payment`, { paymentMethod: 'pm_card_threeDSecure2Required' }] as const;
  const { status, body } = await command(shop, ['POST', ...pay], keyed(shop.customer));
  expect(status).toBe(202);
  actionIn(shop, body.data as Json, 'another card');
}

/** Adds what the customer has to know to answer, and nobody else. Returns the address of the page. */
function actionIn({ canaries }: TestShop, { paymentAction }: Json, whose: string): string {
  const { redirectUrl } = paymentAction as { redirectUrl: string };
  canaries.add(`${PAGE}: ${whose}`, redirectUrl.split('/').at(-1)!);
  return redirectUrl.slice(redirectUrl.indexOf('/payments/'));
}

async function asked(shop: TestShop, answer: 'authorise' | 'fail'): Promise<string> {
  const { call, canaries, customer, admin, baseUrl } = shop;
  const order = orderOf(shop, answer, { paymentMethod: 'pm_card_threeDSecure2Required' });
  const { body } = await command(shop, ['POST', '/orders', order], keyed(customer));
  const { id } = body.data as { id: string };
  await eventually(async () => expect((await orderAt(shop, id)).paymentAction).toBeDefined());
  const page = baseUrl + actionIn(shop, await orderAt(shop, id), answer);
  const forOthers = [
    await call('GET', '/orders', undefined, bearer(customer)),
    await call('GET', `/orders/${id}`, undefined, bearer(admin)),
    await call('GET', `/payments/sandbox/payments?orderId=${id}`, undefined, bearer(admin)),
  ];
  expect(forOthers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(canaries.foundIn(JSON.stringify(forOthers)).filter((name) => name.startsWith(PAGE))).toEqual([]);
  const nonce = /nonce=(\w+)/.exec(await (await fetch(page)).text())![1]!;
  canaries.add(`${PAGE}: ${answer}, what it sends`, nonce);
  await fetch(`${page}?answer=${answer}&nonce=${nonce}`, { method: 'POST' });
  const confirmed = await command(shop, ['POST', `/orders/${id}/payment/confirm`], bearer(customer));
  expect(confirmed.status).toBe(answer === 'authorise' ? 201 : 402);
  return id;
}

async function invalidBodies(shop: TestShop): Promise<void> {
  const { call, canaries, customer, admin } = shop;
  const invalid = (what: string) => canaries.make(`invalid ${what}`);
  const address = addressOf(canaries, 'invalid');
  const send = async (path: string, body: unknown, token = customer) =>
    expect((await call('POST', path, body, keyed(token))).status).toBe(400);
  await send('/orders', orderOf(shop, 'invalid 1', { email: invalid('field') }));
  await send(
    '/orders',
    orderOf(shop, 'invalid 2', { shippingAddress: { ...address, country: invalid('country') } }),
  );
  await send(
    '/orders',
    orderOf(shop, 'invalid 3', { shippingAddress: { ...address, city: [invalid('city')] } }),
  );
  await send('/orders', orderOf(shop, 'invalid 4', { note: { text: invalid('note') } }));
  await send('/orders', orderOf(shop, 'invalid 5', { paymentMethod: `${invalid('method')} ?` }));
  await send(
    '/orders',
    orderOf(shop, 'invalid 6', { items: [{ productServiceId: `${invalid('id')} ?`, quantity: 1 }] }),
  );
  await send('/orders', orderOf(shop, 'invalid 7', { note: `${invalid('long note')}${'x'.repeat(600)}` }));
  await send('/orders', `{"note":"${invalid('JSON')}", ${invalid('syntax')}}`);
  await send('/auth/register', {
    email: invalid('e-mail'),
    password: invalid('password'),
    name: invalid('name'),
  });
  await send('/auth/register', {
    email: `${invalid('e-mail 2')}@example.com`,
    password: invalid('pw').slice(0, 8),
    name: 'x',
  });
  await send('/orders/ord_x/refunds', { amount: invalid('amount'), reason: invalid('reason') }, admin);
  const forged = `${invalid('token')}.${invalid('claims')}.${invalid('signature')}`;
  expect((await call('GET', '/orders', undefined, bearer(forged))).status).toBe(401);
}

/** Makes an activity fail until an index is dropped: the error of MongoDB repeats a canary. */
async function failingActivity(shop: TestShop, { mongodbUri, temporalAddress }: WholeSystem): Promise<void> {
  const [first, second] = [await placed(shop, 'taken'), await placed(shop, 'colliding')];
  const { note } = (await orderAt(shop, first)) as { note: string };
  const { version } = (await orderAt(shop, second)) as { version: number };
  const mongodb = await connect(mongodbUri);
  try {
    const index = await uniqueNotes(mongodb);
    const ifMatch = { ...bearer(shop.customer), 'If-Match': `"${version}"` };
    const { status } = await shop.call('PATCH', `/orders/${second}`, { note }, ifMatch);
    expect(status).toBe(503);
    await eventually(async () => expect(await failingAttempts(temporalAddress, second)).toBeGreaterThan(1));
    await mongodb.connection.collection('orders').dropIndex(index);
  } finally {
    await mongodb.disconnect();
  }
  await eventually(async () => expect((await orderAt(shop, second)).note).toBe(note));
}

function uniqueNotes({ connection }: Mongoose): Promise<string> {
  const partialFilterExpression = { note: { $type: 'string' as const } };
  return connection.collection('orders').createIndex({ note: 1 }, { unique: true, partialFilterExpression });
}

async function failingAttempts(address: string, orderId: string): Promise<number> {
  const connection = await Connection.connect({ address });
  try {
    const { pendingActivities } = await connection.workflowService.describeWorkflowExecution({
      namespace: 'default',
      execution: { workflowId: `order-${orderId}` },
    });
    return pendingActivities[0]?.lastFailure ? (pendingActivities[0].attempt ?? 0) : 0;
  } finally {
    await connection.close();
  }
}

/** Decodes a payload with the codec server. */
async function readByCodec({ call, canaries, admin }: TestShop): Promise<void> {
  const text = canaries.make('decoded');
  const data = Buffer.from(text).toString('base64');
  const encoded = await call('POST', '/codec/encode', { payloads: [{ data }] }, bearer(admin));
  if (encoded.status === 404) return; // no keys
  const decoded = await call('POST', '/codec/decode', encoded.body, bearer(admin));
  expect(decoded.body).toMatchObject({ payloads: [{ data }] });
  const { headers } = await call('POST', '/codec/session', undefined, bearer(admin));
  canaries.add('codec session', /=([^;]+)/.exec(headers.get('set-cookie')!)![1]!);
}
