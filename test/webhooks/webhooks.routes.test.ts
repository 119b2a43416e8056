import type { EndpointDocument } from '../../src/webhooks/webhooks.model';
import { MAX_ENDPOINTS } from '../../src/domain/webhook';
import type { NewEndpointView } from '../../src/webhooks/webhooks.schema';
import { createAuditRepository } from '../../src/audit/audit.repository';
import { auditRoutes } from '../../src/audit/audit.routes';
import { createTransact } from '../../src/mongodb/transaction';
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
  const others = Array.from({ length: MAX_ENDPOINTS - 1 }, (_, n) => ({ ...one, _id: `${id}${n}` }));
  await endpoints().insertMany(others);
  expect((await create().expect(409)).body.code).toBe('invalid_transition');
});

it('refuses what it cannot do', async () => {
  const { id } = await created();
  const replay = (body: object) => api.call('post', `/webhook-endpoints/${id}/replay`, admin).send(body);
  await replay({ from: '2999-01-01T00:00:00Z' }).expect(400);
  await replay({ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }).expect(400);
  await api.call('post', '/webhook-deliveries/whd_01JD3Z7M4Q8XKQ0V5W2N9R6TBD/redeliver', admin).expect(404);
  await api.call('get', '/webhook-endpoints/whe_01JD3Z7M4Q8XKQ0V5W2N9R6TBD/deliveries', admin).expect(404);
});
