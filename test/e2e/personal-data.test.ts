import { Connection } from '@temporalio/client';
import { randomBytes, randomUUID } from 'node:crypto';
import { connect, type Mongoose } from 'mongoose';
import { newId } from '../../src/common/ids';
import { Canaries, formsOf } from '../support/canaries';
import { testConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { startWholeSystem, type WholeSystem } from '../support/whole-system';
import { tokenFor } from '../support/tokens';

type Json = Record<string, unknown>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- bodies are what this test sends about, not what it checks
type Answer = { status: number; body: any; headers: Headers };

/** What was found where, after the life of some orders with a canary in every personal field. */
interface Findings {
  canaries: Canaries;
  errorBodies: string[];
  logs: string[];
  temporal: string[];
}

const NEVER_IN_TEMPORAL = ['password', 'wrong password', 'e-mail', 'unknown e-mail', 'access token'];

it('base64 of a text is known wherever the text begins', () => {
  for (const before of ['', 'a', 'ab', 'abc', '{"note":"']) {
    const encoded = Buffer.from(`${before}canary<<??>>~~${before}`).toString('base64');
    expect(formsOf('canary<<??>>~~').filter((form) => encoded.includes(form))).not.toEqual([]);
  }
});

it('nothing personal is in any log, in any error, or in the files of Temporal', async () => {
  const key = randomBytes(32).toString('base64');
  const { canaries, errorBodies, logs, temporal } = await liveWith({ PAYLOAD_KEYS: `canary:${key}` });
  expect(canaries.names.length).toBeGreaterThan(20);
  expect({ errorBodies, logs, temporal }).toEqual({ errorBodies: [], logs: [], temporal: [] });
}, 300_000);

it('without keys, what the orders were given is in the files of Temporal, and still in no log', async () => {
  const { canaries, errorBodies, logs, temporal } = await liveWith({});
  expect({ errorBodies, logs }).toEqual({ errorBodies: [], logs: [] });
  const found = new Set(temporal.map((finding) => finding.replace(/^[^:]+: /, '')));
  const given = canaries.names.filter((name) => /address|note|reason|tracking|carrier/.test(name));
  const missed = given.filter((name) => !found.has(name) && !/invalid|refused/.test(name));
  expect(missed).toEqual([]);
  expect(NEVER_IN_TEMPORAL.filter((name) => found.has(name))).toEqual([]);
}, 300_000);

async function liveWith(env: NodeJS.ProcessEnv): Promise<Findings> {
  const canaries = new Canaries();
  const system = await startWholeSystem({ LOG_LEVEL: 'trace', ORDER_COMMAND_TIMEOUT_MS: '4000', ...env });
  try {
    const errors: string[] = [];
    await live(system, canaries, errors);
    await system.stop();
    return {
      canaries,
      errorBodies: errors.flatMap((body) => canaries.foundIn(body).map((name) => `${name}: ${body}`)),
      logs: await canaries.foundInFiles(system.logFolder, /\.log$/),
      temporal: await canaries.foundInFiles(system.folder, /^temporal\.db/),
    };
  } finally {
    await system.stop();
    await system.remove();
  }
}

async function live(system: WholeSystem, canaries: Canaries, errors: string[]): Promise<void> {
  const call = caller(system.baseUrl, errors);
  const admin = tokenFor(testConfig(), 'ADMIN');
  canaries.add('access token of the ADMIN', admin);
  const customer = await signUp(call, canaries);
  const product = await sell(call, admin);
  const shop: Customer = { call, canaries, admin, customer, product };
  await fulfilledAndRefunded(shop);
  await cancelled(shop);
  await refusedOrders(shop);
  await invalidBodies(shop);
  await failingActivity(shop, system);
  await readByCodec(shop);
}

interface Customer {
  call: Call;
  canaries: Canaries;
  admin: string;
  customer: string;
  /** The id of something to order. */
  product: string;
}

type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

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
  const nobody = await call('POST', '/auth/login', { email: unknown, password });
  const again = await call('POST', '/auth/register', { email, password, name: canaries.make('other name') });
  expect([wrong.status, nobody.status, again.status]).toEqual([401, 401, 409]);
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

/** The body of an order with canaries of its own. */
function orderOf({ canaries, product }: Customer, whose: string, given: Json = {}): Json {
  return {
    items: [{ productServiceId: product, quantity: 2 }],
    paymentMethod: 'pm_card_visa',
    note: canaries.make(`${whose} note`),
    shippingAddress: addressOf(canaries, whose),
    ...given,
  };
}

async function placed(shop: Customer, whose: string, given?: Json): Promise<string> {
  const { status, body } = await shop.call(
    'POST',
    '/orders',
    orderOf(shop, whose, given),
    keyed(shop.customer),
  );
  expect([201, 202]).toContain(status); // on a busy machine it may be 202
  const { id } = body.data as { id: string };
  await eventually(async () => expect((await orderAt(shop, id)).status).toBe('confirmed'));
  return id;
}

async function orderAt({ call, customer }: Customer, id: string): Promise<Json> {
  return (await call('GET', `/orders/${id}`, undefined, bearer(customer))).body.data as Json;
}

/** Sends a command until it is answered: a busy machine may say 503 first. */
async function command(
  shop: Customer,
  [method, path, body]: [method: string, path: string, body?: unknown],
  headers: Record<string, string>,
): Promise<Answer> {
  for (;;) {
    const answer = await shop.call(method, path, body, headers);
    if (answer.status !== 503) return answer;
  }
}

async function fulfilledAndRefunded(shop: Customer): Promise<void> {
  const { canaries, admin, customer, product } = shop;
  const id = await placed(shop, 'first', { paymentMethod: 'pm_sandbox_flaky' });
  const { version } = (await orderAt(shop, id)) as { version: number };
  const change = { note: canaries.make('amended note'), shippingAddress: addressOf(canaries, 'amended') };
  const amended = await command(shop, ['PATCH', `/orders/${id}`, change], {
    ...bearer(customer),
    'If-Match': `"${version}"`,
  });
  expect([200, 412]).toContain(amended.status); // 412: it was done by the attempt before
  const fulfillment = {
    items: [{ productServiceId: product, quantity: 2 }],
    carrier: canaries.make('carrier'),
    trackingNumber: canaries.make('tracking number'),
  };
  const path = `/orders/${id}/fulfillments`;
  const { status, body } = await command(shop, ['POST', path, fulfillment], keyed(admin));
  expect(status).toBe(201);
  const late = { reason: canaries.make('refused reason') };
  expect((await command(shop, ['POST', `/orders/${id}/cancel`, late], bearer(customer))).status).toBe(409);
  const fulfillmentId = (body.data.fulfillments as { id: string }[])[0]!.id;
  await command(shop, ['POST', `${path}/${fulfillmentId}/deliver`], bearer(admin));
  const refund = keyed(admin);
  const [part, other] = [canaries.make('refund reason'), canaries.make('other refund refused reason')];
  const refunds = `/orders/${id}/refunds`;
  expect((await command(shop, ['POST', refunds, { amount: 500, reason: part }], refund)).status).toBe(201);
  expect((await command(shop, ['POST', refunds, { amount: 500, reason: other }], refund)).status).toBe(422);
  const tooMuch = { amount: 999_999, reason: canaries.make('too much refused reason') };
  expect((await command(shop, ['POST', refunds, tooMuch], keyed(admin))).status).toBe(409);
}

async function cancelled(shop: Customer): Promise<void> {
  const id = await placed(shop, 'cancelled');
  const reason = shop.canaries.make('cancel reason');
  const { status } = await command(shop, ['POST', `/orders/${id}/cancel`, { reason }], bearer(shop.customer));
  expect([200, 409]).toContain(status);
  const shipping = {
    items: [{ productServiceId: shop.product, quantity: 1 }],
    trackingNumber: shop.canaries.make('refused tracking number'),
  };
  const late = await command(shop, ['POST', `/orders/${id}/fulfillments`, shipping], keyed(shop.admin));
  expect(late.status).toBe(409);
}

async function refusedOrders(shop: Customer): Promise<void> {
  const unknown = { items: [{ productServiceId: newId('ps'), quantity: 1 }] };
  const tooMany = { items: [{ productServiceId: shop.product, quantity: 5_000 }] };
  const declined = { paymentMethod: 'pm_card_chargeDeclined' };
  for (const [whose, status, given] of [
    ['unknown product', 422, unknown],
    ['out of stock', 409, tooMany],
    ['declined', 402, declined],
  ] as const) {
    const [body, headers] = [orderOf(shop, whose, given), keyed(shop.customer)];
    let answer = await shop.call('POST', '/orders', body, headers);
    while (answer.status === 202) answer = await shop.call('POST', '/orders', body, headers);
    expect([whose, answer.status]).toEqual([whose, status]);
  }
}

async function invalidBodies(shop: Customer): Promise<void> {
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

/** MongoDB refuses a value and repeats it in its error; the activity tries again until it may. */
async function failingActivity(shop: Customer, { mongodbUri, temporalAddress }: WholeSystem): Promise<void> {
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

/** Whoever may read them all: that leaves no traces either. */
async function readByCodec({ call, canaries, admin }: Customer): Promise<void> {
  const text = canaries.make('decoded');
  const data = Buffer.from(text).toString('base64');
  const encoded = await call('POST', '/codec/encode', { payloads: [{ data }] }, bearer(admin));
  if (encoded.status === 404) return; // no keys
  const decoded = await call('POST', '/codec/decode', encoded.body, bearer(admin));
  expect(decoded.body).toMatchObject({ payloads: [{ data }] });
  const { headers } = await call('POST', '/codec/session', undefined, bearer(admin));
  canaries.add('codec session', /=([^;]+)/.exec(headers.get('set-cookie')!)![1]!);
}
