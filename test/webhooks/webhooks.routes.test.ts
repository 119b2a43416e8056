import type { EndpointDocument } from '../../src/webhooks/webhooks.model';
import { MAX_ENDPOINTS } from '../../src/domain/webhook';
import { createJwt } from '../../src/jwt/jwt';
import { createUserModel } from '../../src/users/users.model';
import type { DeliveryView, NewEndpointView } from '../../src/webhooks/webhooks.schema';
import { createAuditRepository } from '../../src/audit/audit.repository';
import { auditRoutes } from '../../src/audit/audit.routes';
import { createTransact } from '../../src/mongodb/transaction';
import { PASSWORD, person } from '../support/signed-in-users';
import { SESSION_ID } from '../support/tokens';
import { openOrderApi, type OrderApi, type OrderApiOptions } from '../support/order-api';

let api: OrderApi;
let admin: string;
beforeAll(async () => {
  const PAYLOAD_KEYS = '2026-11:RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA=';
  const more: OrderApiOptions['more'] = ({ connection }) =>
    auditRoutes(createAuditRepository(connection, createTransact(connection)));
  api = await openOrderApi({ env: { PAYLOAD_KEYS }, more });
  admin = api.tokenOf('ADMIN');
});
afterEach(() => endpoints().deleteMany({}));
afterAll(() => api.close());

const endpoints = () => api.db.connection.collection<EndpointDocument>('webhook_endpoints');
const BODY = { url: 'https://erp.example.com/hooks?tenant=1', types: ['order.*', 'refund.failed'] };

const actionsOn = async (object: string): Promise<string[]> => {
  const { body } = await api.call('get', `/audit?object=${object}`, admin).expect(200);
  return (body.data as { action: string }[]).map(({ action }) => action);
};

const create = (body: object = BODY) => api.call('post', '/webhook-endpoints', admin).send(body);
const created = async (): Promise<NewEndpointView> => (await create().expect(201)).body.data;

it('makes, lists, changes and deletes endpoints', async () => {
  const { headers, body } = await create({ ...BODY, description: ' The warehouse ' }).expect(201);
  const { secret, ...made } = body.data as NewEndpointView;
  expect(made).toMatchObject({ ...BODY, description: 'The warehouse', status: 'enabled', version: 1 });
  expect(secret).toMatch(/^whsec_/);
  expect(headers).toMatchObject({ etag: '"1"', 'cache-control': 'no-store' });
  const path = `/webhook-endpoints/${made.id}`;
  expect(headers.location).toBe(`${api.config.http.prefix}${path}`);
  expect((await api.call('get', path, admin).expect(200)).body.data).toEqual(made);
  expect((await api.call('get', '/webhook-endpoints', admin).expect(200)).body.data).toEqual([made]);
  const patched = await api
    .call('patch', path, admin)
    .set('If-Match', '"1"')
    .send({ types: ['*'], description: null, status: 'disabled' })
    .expect(200);
  expect(patched.body.data).toMatchObject({
    types: ['*'],
    description: null,
    status: 'disabled',
    disabledReason: 'by_admin',
    version: 2,
  });
  await api
    .call('patch', path, admin)
    .set('If-Match', '"1"')
    .send({ types: ['*'] })
    .expect(412);
  await api.call('delete', path, admin).set('If-Match', '"1"').expect(412);
  await api.call('delete', path, admin).expect(204);
  for (const method of ['get', 'delete'] as const) await api.call(method, path, admin).expect(404);
});

it('records who changed what, and neither the secret nor what it is sealed with', async () => {
  const { id } = await created();
  await api.call('post', `/webhook-endpoints/${id}/rotate-secret`, admin).expect(200);
  await api.call('delete', `/webhook-endpoints/${id}`, admin).expect(204);
  const { body } = await api.call('get', `/audit?object=${id}`, admin).expect(200);
  const entries = body.data as { action: string; changes: { field: string }[] }[];
  expect(entries.map(({ action }) => action)).toEqual([
    'webhook_endpoint.delete',
    'webhook_endpoint.rotate_secret',
    'webhook_endpoint.create',
  ]);
  expect(entries[2]!.changes.map(({ field }) => field)).toEqual(['url', 'types', 'secretCreatedAt']);
  expect(JSON.stringify(body)).not.toMatch(/whsec_|sealed/);
});

it('stores secrets encrypted, each for its endpoint', async () => {
  const { id, secret } = await created();
  const stored = await endpoints().findOne({ _id: id });
  expect(JSON.stringify(stored)).not.toContain(secret.slice('whsec_'.length));
  expect(stored!.secrets[0]!.sealed).toMatch(/^2026-11:/);
});

it.each([
  'http://127.0.0.1/',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://[::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://169.254.169.254/latest/meta-data/',
  'ftp://erp.example.com/',
  'https://user:password@erp.example.com/',
  'https://erp.example.com/#part',
  'https://erp.example.com:25/',
  'https://[fe80::1%25eth0]/',
  'https://[64:ff9b::a00:1]/',
  'https://[2002:a00:1::]/',
  'erp.example.com',
])('refuses %s', async (url) => {
  const { body } = await create({ ...BODY, url }).expect(400);
  expect(body.errors).toMatchObject([{ path: 'url' }]);
});

it.each([[[]], [['order.flown']], [['order']], [['order.*', 'order.*']]])(
  'refuses the types %j',
  async (types) => {
    await create({ ...BODY, types }).expect(400);
  },
);

it('refuses more endpoints than there can be', async () => {
  const { id } = await created();
  const one = (await endpoints().findOne({ _id: id }))!;
  const others = Array.from({ length: MAX_ENDPOINTS - 2 }, (_, n) => ({ ...one, _id: `${id}${n}` }));
  await endpoints().insertMany(others);
  const answers = await Promise.all(Array.from({ length: 4 }, () => create()));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  expect((await create().expect(409)).body.code).toBe('invalid_transition');
  expect(await endpoints().countDocuments()).toBe(MAX_ENDPOINTS);
});

it('asks users who signed in long ago for their password before events go elsewhere', async () => {
  const { id } = await created();
  const { email } = await person(api, 'ADMIN');
  const user = await createUserModel(api.db.connection).findOne({ email }).lean();
  const { accessToken: late } = createJwt(api.config.jwt).issue({
    id: user!._id,
    role: 'ADMIN',
    tokenVersion: user!.tokenVersion,
    sessionId: SESSION_ID,
    authenticatedAt: Math.floor(Date.now() / 1_000) - 301,
  });
  const path = `/webhook-endpoints/${id}`;
  const { url } = BODY;
  await api.call('post', '/webhook-endpoints', late).send(BODY).expect(401);
  await api.call('patch', path, late).send({ url }).expect(401);
  const wrong = { url, currentPassword: 'wrong horse battery' };
  expect((await api.call('patch', path, late).send(wrong).expect(400)).body.errors).toMatchObject([
    { path: 'currentPassword' },
  ]);
  await api.call('patch', path, late).send({ url, currentPassword: PASSWORD }).expect(200);
  await api
    .call('patch', path, late)
    .send({ types: ['*'] })
    .expect(200);
  await api.call('patch', path, late).send({ currentPassword: PASSWORD }).expect(400);
});

it('tells the security log of each URL that events go to from then on, without the URL', async () => {
  api.logs.length = 0;
  const { id, url } = await created();
  const change = (body: object) =>
    api.call('patch', `/webhook-endpoints/${id}`, admin).send(body).expect(200);
  await change({ types: ['*'] });
  await change({ url: `${url}&new=1` });
  const told = api.logs.filter(({ securityEvent }) => securityEvent !== undefined);
  const line = { level: 'warn', securityEvent: 'webhook_url_set', endpointId: id };
  expect(told).toEqual([line, line].map((one) => expect.objectContaining(one) as object));
  expect(JSON.stringify(api.logs)).not.toContain('erp.example.com');
});

it('forgets with the URL how long the one before it has failed', async () => {
  const { id, url } = await created();
  const failingSince = new Date('2026-01-15T09:00:00Z');
  await endpoints().updateOne({ _id: id }, { $set: { failingSince } });
  const change = async (to: string) =>
    (await api.call('patch', `/webhook-endpoints/${id}`, admin).send({ url: to }).expect(200)).body.data;
  expect(await change(url)).toMatchObject({ failingSince: failingSince.toISOString() });
  expect(await change(`${url}&new=1`)).toMatchObject({ failingSince: null });
});

it('begins one replay at a time, and the same once however often it is asked for', async () => {
  const { id } = await created();
  const path = `/webhook-endpoints/${id}`;
  const period = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' };
  const replay = (body: object, key?: string) =>
    api
      .call('post', `${path}/replay`, admin)
      .set(key === undefined ? {} : { 'Idempotency-Key': key })
      .send(body);
  const first = await replay(period, 'one').expect(202);
  expect(first.body.data).toMatchObject({ ...period, completedAt: null });
  expect((await replay(period, 'one').expect(202)).body.data).toEqual(first.body.data);
  expect((await replay({ from: period.from }, 'one').expect(202)).body.data).toEqual(first.body.data);
  const other = { from: '2026-01-01T12:00:00Z' };
  expect((await replay(other, 'one').expect(422)).body.code).toBe('idempotency_key_reused');
  expect((await replay(other).expect(409)).body.code).toBe('invalid_transition');
  expect((await api.call('get', path, admin).expect(200)).body.data.replay).toEqual(first.body.data);
  const completed = { $set: { 'replay.completedAt': new Date() } };
  await endpoints().updateOne({ _id: id }, completed);
  expect((await replay(period, 'one').expect(202)).body.data.completedAt).not.toBeNull();
  await replay(other).expect(202);
  expect(await actionsOn(id)).toEqual([
    'webhook_endpoint.replay',
    'webhook_endpoint.replay',
    'webhook_endpoint.create',
  ]);
});

it('begins to deliver again once for each Idempotency-Key, and records who has asked for it', async () => {
  const { id } = await created();
  const { body: pinged } = await api.call('post', `/webhook-endpoints/${id}/ping`, admin).expect(202);
  const { id: deliveryId, createdAt } = pinged.data as DeliveryView;
  const redeliver = async (key: string) => {
    const path = `/webhook-deliveries/${deliveryId}/redeliver`;
    const { body } = await api.call('post', path, admin).set('Idempotency-Key', key).expect(202);
    return body.data as DeliveryView;
  };
  const first = await redeliver('one');
  expect(Date.parse(first.createdAt)).toBeGreaterThanOrEqual(Date.parse(createdAt));
  expect(await redeliver('one')).toEqual(first);
  await redeliver('two');
  expect(await actionsOn(deliveryId)).toEqual(['webhook_delivery.redeliver', 'webhook_delivery.redeliver']);
});

it('refuses what it cannot do', async () => {
  const { id } = await created();
  const replay = (body: object) => api.call('post', `/webhook-endpoints/${id}/replay`, admin).send(body);
  await replay({ from: '2999-01-01T00:00:00Z' }).expect(400);
  await replay({ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }).expect(400);
  await api.call('post', '/webhook-deliveries/whd_01JD3Z7M4Q8XKQ0V5W2N9R6TBD/redeliver', admin).expect(404);
  const missing = '/webhook-endpoints/whe_01JD3Z7M4Q8XKQ0V5W2N9R6TBD';
  await api.call('get', `${missing}/deliveries`, admin).expect(404);
  await api.call('post', `${missing}/replay`, admin).send({ from: '2026-01-01T00:00:00Z' }).expect(404);
  await api.call('post', `${missing}/rotate-secret`, admin).expect(404);
});
