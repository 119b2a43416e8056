import pino from 'pino';
import type { Connection } from 'mongoose';
import { randomBytes, randomUUID } from 'node:crypto';
import { createAuditRepository } from '../../src/audit/audit.repository';
import { auditRoutes } from '../../src/audit/audit.routes';
import type { AuditEntryView } from '../../src/audit/audit.schema';
import { codecRoutes } from '../../src/temporal/codec-server/codec.routes';
import type { Config } from '../../src/config';
import { createTransact } from '../../src/mongodb/transaction';
import { buildDocument } from '../../src/openapi/document';
import { paymentRoutes } from '../../src/payments/payments.routes';
import { createPaymentEventRepository } from '../../src/payments/stripe/events.repository';
import { createStripeWebhookService, type StripeWebhookService } from '../../src/payments/stripe/webhook';
import { createStripePaymentRepository } from '../../src/payments/stripe/repository';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { SCOPES, type Scope } from '../../src/role/scope';
import { createRoutes } from '../../src/api-routes';
import { createUserModel } from '../../src/users/users.model';
import { createUsersRepository } from '../../src/users/users.repository';
import { eventually } from '../support/eventually';
import { openOrderApi, type OrderApi } from '../support/order-api';
import { person, type Person } from '../support/signed-in-users';
import { REQUESTS, type World } from './requests';
import { CALLERS, TABLE, type Caller } from './table';

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';

let api: OrderApi;
let world: World;
let bob: Person;
let disabled: Person;
/** The method of every operation of the OpenAPI document. */
let methods: Map<string, Method>;

beforeAll(async () => {
  const PAYLOAD_KEYS = `key:${randomBytes(32).toString('base64')}`;
  api = await openOrderApi({
    env: { PAYLOAD_KEYS },
    more: ({ connection }, config, revokedTokens, report) => [
      ...paymentRoutes({
        sandbox: { repository: createSandboxRepository(connection), lookAgain: async () => 'done' },
        webhook: stripeWebhook(connection),
      }),
      ...codecRoutes(config, revokedTokens, report),
      ...auditRoutes(createAuditRepository(connection, createTransact(connection))),
    ],
  });
  const [alice, admin] = [await person(api), await person(api, 'ADMIN')];
  [bob, disabled] = [await person(api), await person(api, 'ADMIN')];
  const { id: productId } = await api.shop.sell({ available: 1_000 });
  world = { api, alice, admin, productId };
  await createUsersRepository(api.db.connection).change(disabled.id, { status: 'disabled' });
  await eventually(async () => void (await api.call('get', '/users/me', disabled.accessToken).expect(401)));
  methods = methodsOf();
});
afterAll(() => api?.close());

function stripeWebhook(connection: Connection): StripeWebhookService {
  return createStripeWebhookService({
    secret: 'whsec_Zm9yIHRlc3RzIG9ubHk',
    events: createPaymentEventRepository(connection),
    payments: createStripePaymentRepository(connection),
    lookAgain: async () => 'done',
  });
}

/** Includes the operations of either payment provider. */
function methodsOf(): Map<string, Method> {
  const { config, db, health, jwt, shop } = api;
  const providers: Config['payments'][] = [
    { ...config.payments, provider: 'sandbox' },
    { ...config.payments, provider: 'stripe', stripe: { webhookSecret: 'whsec_x' } },
  ];
  const operations = providers.flatMap((payments) => {
    const routes = createRoutes({
      config: { ...config, payments },
      mongodb: db.mongodb,
      temporal: shop.temporal,
      health,
      jwt,
      revokedTokens: { has: () => false },
      declines: api.declines,
      admission: undefined as never,
      outbox: { post: () => undefined },
      dataKeys: undefined as never,
      report: () => undefined,
      logger: pino({ level: 'silent' }),
      draining: new AbortController().signal,
    });
    const { paths } = buildDocument(routes, { prefix: '', env: 'test' });
    return Object.values(paths).flatMap((path) => Object.entries(path));
  });
  return new Map(
    operations.map(([method, operation]) => [
      (operation as { operationId: string }).operationId,
      method as Method,
    ]),
  );
}

const keys = new Map<string, Promise<string>>();

/** Creates an API key with these scopes, once. */
function keyWith(scopes: readonly Scope[]): Promise<string> {
  const name = scopes.join();
  const known = keys.get(name);
  if (known) return known;
  const made = api
    .call('post', '/api-keys', world.admin.accessToken)
    .send({ name: 'Table', scopes })
    .expect(201)
    .then(({ body }) => (body as { data: { key: string } }).data.key);
  keys.set(name, made);
  return made;
}

function tokenOf(caller: Caller, scope: Scope | null): string | undefined | Promise<string> {
  switch (caller) {
    case 'anonymous':
      return undefined;
    case 'alice':
      return world.alice.accessToken;
    case 'bob':
      return bob.accessToken;
    case 'admin':
      return world.admin.accessToken;
    case 'disabled':
      return disabled.accessToken;
    case 'keyWith':
      return keyWith(scope ? [scope] : SCOPES);
    case 'keyWithout':
      return keyWith(SCOPES.filter((one) => one !== scope));
  }
}

it('has every operation of the OpenAPI document in the table, and no other', () => {
  expect(Object.keys(TABLE).sort()).toEqual([...methods.keys()].sort());
  expect(Object.keys(REQUESTS).sort()).toEqual(Object.keys(TABLE).sort());
});

it.each(Object.entries(TABLE))('%s responds to each caller as the table says', async (operation, row) => {
  const method = methods.get(operation)!;
  const statuses: Partial<Record<Caller, number>> = {};
  for (const caller of CALLERS) {
    const { path, body, headers = {} } = await REQUESTS[operation]!(world, caller);
    const token = await tokenOf(caller, row.scope);
    const { status } = await api.call(method, path, token).set(headers).send(body);
    statuses[caller] = status;
  }
  expect(statuses).toEqual(row.expected);
});

/** What of the things that ADMINs do leaves no entry in the audit log, and why. */
const UNAUDITED: Readonly<Record<string, string>> = {
  changeProfile: 'is about oneself',
  endOtherSessions: 'is about oneself',
  endSession: 'is about oneself',
  beginTotp: 'changes nothing yet: turning it on is in the log',
  confirmPayment: 'asks the payment service, which the order tells',
  pingWebhookEndpoint: 'tells the receiver nothing',
  openCodecSession: 'changes nothing; the codec is a security event',
  decodePayloads: 'changes nothing; the codec is a security event',
  encodePayloads: 'changes nothing; the codec is a security event',
  operateSandboxPayment: 'is no money',
  setPaymentSandbox: 'is no money',
};
const audited = Object.entries(TABLE).filter(
  ([operation, { expected }]) =>
    expected.anonymous === 401 &&
    expected.admin < 300 &&
    !(operation in UNAUDITED) &&
    !/^(get|list|export)/.test(operation),
);

it.each(audited)(
  '%s of an ADMIN or an API key is in the audit log',
  async (operation, { expected, scope }) => {
    for (const caller of scope ? (['admin', 'keyWith'] as const) : (['admin'] as const)) {
      const { path, body, headers = {} } = await REQUESTS[operation]!(world, caller);
      const requestId = randomUUID();
      const call = api.call(methods.get(operation)!, path, await tokenOf(caller, scope));
      await call
        .set({ ...headers, 'X-Request-Id': requestId })
        .send(body)
        .expect(expected[caller]);
      const list = await api.call('get', '/audit?limit=100', world.admin.accessToken).expect(200);
      const entry = (list.body as { data: AuditEntryView[] }).data.find((one) => one.requestId === requestId);
      expect(entry).toMatchObject({
        actor: { type: caller === 'admin' ? 'user' : 'key' },
        address: expect.any(String) as string,
        changes: expect.arrayContaining([expect.anything()]) as unknown[],
      });
    }
  },
);

it('responds to the user, key and order of another user as to missing ones, byte for byte', async () => {
  const { alice, productId } = world;
  const order = await api.placed(alice.accessToken, [productId, 1]);
  const things = [
    { paths: [`/users/${alice.id}`, '/users/usr_01HZX0000000000000000N0N00'], status: 403 },
    {
      paths: ['/api-keys/key_01HZX0000000000000000N0N00', '/api-keys/key_01HZX0000000000000000N0N01'],
      status: 403,
    },
    { paths: [`/orders/${order.id}`, `/orders/ord_${'0'.repeat(32)}`], status: 404 },
  ];
  for (const { paths, status } of things) {
    const texts = [];
    for (const path of paths) {
      const method = path.startsWith('/api-keys') ? 'delete' : 'get';
      const { text } = await api
        .call(method, path, bob.accessToken)
        .set('X-Request-Id', 'same')
        .expect(status);
      texts.push(text);
    }
    expect(texts[0]).toBe(texts[1]);
  }
});

it('lists no orders of other users, whatever the filter', async () => {
  await api.placed(world.alice.accessToken, [world.productId, 1]);
  const { body } = await api.call('get', '/orders?limit=100', bob.accessToken).expect(200);
  const owners = (body as { data: { customerId: string }[] }).data.map(({ customerId }) => customerId);
  expect([...new Set(owners)].filter((id) => id !== bob.id)).toEqual([]);
  await api.call('get', `/orders?customerId=${world.alice.id}`, bob.accessToken).expect(400);
});

it('rejects an order of an API key that names no customer', async () => {
  const key = await keyWith(['orders:write']);
  const { body } = await api
    .call('post', '/orders', key)
    .set('Idempotency-Key', 'key-1')
    .send({ items: [{ productServiceId: world.productId, quantity: 1 }], paymentMethod: 'pm_card_visa' })
    .expect(400);
  expect(body).toMatchObject({ errors: [{ path: 'customerId' }] });
  await expect(createUserModel(api.db.connection).exists({ _id: /^key_/ })).resolves.toBeNull();
});
