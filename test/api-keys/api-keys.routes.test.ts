import { createApiKeyModel } from '../../src/api-keys/api-keys.model';
import { openTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { person, type Person } from '../support/signed-in-users';

let api: TestApi;
/** Another process on the same database. */
let other: TestApi;
let admin: Person;
beforeAll(async () => {
  api = await openTestApi();
  other = await openTestApi({ db: api.db });
});
beforeEach(async () => {
  await api.clear();
  admin = await person(api, 'ADMIN');
});
afterAll(async () => {
  await other.close();
  await api.close();
});

const keys = () => createApiKeyModel(api.db.connection);
const create = (body: object, token = admin.accessToken) => api.call('post', '/api-keys', token).send(body);
const revoke = (id: string, at = api) => at.call('delete', `/api-keys/${id}`, admin.accessToken);
const listUsers = (key: string, at = api) => at.call('get', '/users', key);

interface NewKey {
  id: string;
  key: string;
}

async function newKey(scopes = ['users:read'], more: object = {}): Promise<NewKey> {
  const { body } = await create({ name: 'Warehouse', scopes, ...more }).expect(201);
  return (body as { data: NewKey }).data;
}

it('shows a key once and stores its hash', async () => {
  const { body, headers } = await create({ name: 'Warehouse', scopes: ['orders:read'] }).expect(201);
  const { key, ...view } = (body as { data: NewKey & Record<string, unknown> }).data;
  expect(key).toMatch(/^oms_[\w-]{43}$/);
  expect(headers['cache-control']).toBe('no-store');
  expect(view).toMatchObject({
    name: 'Warehouse',
    scopes: ['orders:read'],
    createdBy: admin.id,
    start: key.slice(0, 8),
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
  });
  expect(JSON.stringify(await keys().find().lean())).not.toContain(key.slice(8));
  const { body: list, text } = await api.call('get', '/api-keys', admin.accessToken).expect(200);
  expect(list).toMatchObject({ data: [view] });
  expect(text).not.toContain(key.slice(8));
  expect(JSON.stringify(api.logs)).not.toContain(key.slice(8));
});

it('allows a key what its scopes say, and no more', async () => {
  const { key } = await newKey(['users:read']);
  await listUsers(key).expect(200);
  const { body } = await api.call('post', '/product-services', key).send({}).expect(403);
  expect(body).toMatchObject({ detail: expect.stringContaining('catalogue:write') as string });
});

it.each([
  ['get', '/api-keys'],
  ['post', '/api-keys'],
  ['get', '/users/me'],
  ['patch', '/users/usr_01HZX000000000000000A11CE0'],
] as const)('rejects every key for %s %s', async (method, path) => {
  const { key } = await newKey([
    'orders:read',
    'orders:write',
    'refunds:write',
    'catalogue:write',
    'users:read',
  ]);
  const { body } = await api.call(method, path, key).expect(403);
  expect(body).toMatchObject({ detail: expect.stringContaining('sign in as a user') as string });
});

it('rejects a revoked key on every process', async () => {
  const { id, key } = await newKey();
  for (const at of [api, other]) await listUsers(key, at).expect(200);
  await revoke(id, other).expect(204);
  for (const at of [api, other]) await eventually(async () => void (await listUsers(key, at).expect(401)));
  await revoke(id).expect(204);
  const { body } = await api.call('get', '/api-keys', admin.accessToken).expect(200);
  expect(body).toMatchObject({ data: [{ id, revokedAt: expect.any(String) as string }] });
});

it('rejects an expired key', async () => {
  const { id, key } = await newKey(['users:read'], {
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  await listUsers(key).expect(200);
  await keys().updateOne({ _id: id }, { expiresAt: new Date(Date.now() - 1) });
  await listUsers(key, other).expect(401);
});

it('records the last use of a key, but not with every request', async () => {
  const { id, key } = await newKey();
  await listUsers(key).expect(200);
  const lastUse = async () => (await keys().findById(id).lean())!.lastUsedAt;
  await eventually(async () => expect(await lastUse()).toBeInstanceOf(Date));
  const first = await lastUse();
  await listUsers(key).expect(200);
  await listUsers(key).expect(200);
  expect(await lastUse()).toEqual(first);
});

it.each(['oms_', `oms_${'x'.repeat(43)}`, 'oms_nonsense'])(
  'returns the same 401 for the unknown key %s as without a key',
  async (key) => {
    const texts = [];
    for (const token of [key, undefined])
      texts.push((await api.call('get', '/users', token).set('X-Request-Id', 'same').expect(401)).text);
    expect(texts[0]).toBe(texts[1]);
  },
);

it('lists keys page by page, newest first', async () => {
  const made = [await newKey(), await newKey(), await newKey()].map(({ id }) => id).reverse();
  const page = async (query: string) =>
    (await api.call('get', `/api-keys${query}`, admin.accessToken).expect(200)).body as {
      data: { id: string }[];
      meta: { page: { nextCursor: string | null } };
    };
  const first = await page('?limit=2');
  const second = await page(`?limit=2&cursor=${first.meta.page.nextCursor}`);
  expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(made);
  expect(second.meta.page.nextCursor).toBeNull();
});

it.each([
  [{}, ['name', 'scopes']],
  [{ name: 'X', scopes: [] }, ['scopes']],
  [{ name: 'X', scopes: ['everything'] }, ['scopes.0']],
  [{ name: 'X', scopes: ['orders:read', 'orders:read'] }, ['scopes.1']],
  [{ name: 'X', scopes: ['orders:read'], expiresAt: 'soon' }, ['expiresAt']],
  [{ name: 'X', scopes: ['orders:read'], expiresAt: '2100-01-01T10:00+01' }, ['expiresAt']],
  [{ name: 'X', scopes: ['orders:read'], expiresAt: '2100-02-30T00:00:00Z' }, ['expiresAt']],
  [{ name: 'X', scopes: ['orders:read'], expiresAt: '2020-01-01T00:00:00Z' }, ['expiresAt']],
  [{ name: 'X', scopes: ['orders:read'], role: 'ADMIN' }, ['role']],
])('rejects the body %j', async (body, paths) => {
  const { body: problem } = await create(body).expect(400);
  expect((problem as { errors: { path: string }[] }).errors.map(({ path }) => path)).toEqual(paths);
  expect(await keys().countDocuments()).toBe(0);
});

it('returns 404 for a key that does not exist', async () => {
  await revoke('key_01HZX0000000000000000N0N00').expect(404);
  await revoke('nonsense').expect(400);
});

it('returns 403 for a CUSTOMER', async () => {
  const { accessToken } = await person(api);
  await create({ name: 'X', scopes: ['orders:read'] }, accessToken).expect(403);
  await api.call('get', '/api-keys', accessToken).expect(403);
});
