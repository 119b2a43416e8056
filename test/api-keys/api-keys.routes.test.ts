import { createAuditModel } from '../../src/audit/audit.model';
import { createApiKeyModel } from '../../src/users/api-keys.model';
import { openTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import {
  mailedToken,
  PASSWORD,
  person,
  signedInLongAgo,
  signIn,
  type Person,
} from '../support/signed-in-users';

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

it('expires a key after 90 days, unless its maker says when or never', async () => {
  const expiryOf = async (more: object) => {
    const { id } = await newKey(['users:read'], more);
    const { createdAt, expiresAt } = (await keys().findById(id).lean())!;
    return expiresAt && expiresAt.getTime() - createdAt.getTime();
  };
  expect(await expiryOf({})).toBe(90 * 86_400_000);
  expect(await expiryOf({ expiresAt: null })).toBeNull();
});

it('asks for the password of an ADMIN who did not sign in just now', async () => {
  const make = (more: object) =>
    create({ name: 'X', scopes: ['users:read'], ...more }, signedInLongAgo(api, admin));
  const { headers } = await make({}).expect(401);
  expect(headers['www-authenticate']).toContain('insufficient_user_authentication');
  const { body } = await make({ currentPassword: 'guess' }).expect(400);
  expect(body).toMatchObject({ errors: [{ path: 'currentPassword' }] });
  expect(await keys().countDocuments()).toBe(0);
  await make({ currentPassword: PASSWORD }).expect(201);
});

describe('a key ends', () => {
  /** Expects it on every process, and who caused it in the audit log, with the request. */
  const expectRevoked = async ({ id, key }: NewKey, actor: string) => {
    for (const at of [api, other]) await eventually(async () => void (await listUsers(key, at).expect(401)));
    const { revokedAt } = (await keys().findById(id).lean())!;
    expect(revokedAt).toBeInstanceOf(Date);
    const entries = await createAuditModel(api.db.connection)
      .find({ object: id, action: 'api_key.revoke' })
      .lean();
    const changes = [{ field: 'revokedAt', before: null, after: revokedAt!.toISOString() }];
    const requestId = expect.any(String) as string;
    expect(entries).toMatchObject([
      { actor, subject: expect.stringMatching(/^usr_/) as string, requestId, changes },
    ]);
  };
  const keyOf = async ({ accessToken }: Person): Promise<NewKey> => {
    const { body } = await create({ name: 'X', scopes: ['users:read'] }, accessToken).expect(201);
    const made = (body as { data: NewKey }).data;
    for (const at of [api, other]) await listUsers(made.key, at).expect(200);
    return made;
  };

  it.each([{ status: 'disabled' }, { role: 'CUSTOMER' }])(
    'with a maker who is changed to %j',
    async (change) => {
      const maker = await person(api, 'ADMIN');
      const [ended, others] = [await keyOf(maker), await keyOf(admin)];
      await api.call('patch', `/users/${maker.id}`, admin.accessToken).send(change).expect(200);
      await expectRevoked(ended, admin.id);
      await listUsers(others.key).expect(200);
    },
  );

  it('with a maker who is disabled, however many keys the maker makes meanwhile', async () => {
    const maker = await person(api, 'ADMIN');
    let isDisabled = false;
    const statuses = new Set<number>();
    const making = [api, other, api, other].map(async (at) => {
      while (!isDisabled) {
        const body = { name: 'X', scopes: ['users:read'] };
        const { status } = await at.call('post', '/api-keys', maker.accessToken).send(body);
        statuses.add(status);
      }
    });
    await eventually(async () => expect(statuses).toContain(201));
    const disable = other.call('patch', `/users/${maker.id}`, admin.accessToken).send({ status: 'disabled' });
    const { status } = await disable.then((response) => response).finally(() => void (isDisabled = true));
    expect(status).toBe(200);
    await Promise.all(making);
    await expect(keys().countDocuments({ createdBy: maker.id, revokedAt: null })).resolves.toBe(0);
  });

  it('with the session in which it was made, if that was stolen', async () => {
    const elsewhere = await signIn(api, admin.email);
    const [ended, others] = [await keyOf(admin), await keyOf(elsewhere)];
    const refresh = () => api.call('post', '/auth/refresh').send({ refreshToken: admin.refreshToken });
    await refresh().expect(200);
    await refresh().expect(401);
    await expectRevoked(ended, 'system');
    await listUsers(others.key).expect(200);
  });

  it('with the session in which it was made, if that was stolen and the thief has signed out of it', async () => {
    const refresh = () => api.call('post', '/auth/refresh').send({ refreshToken: admin.refreshToken });
    const { refreshToken } = ((await refresh().expect(200)).body as { data: Person }).data;
    const made = await keyOf(admin);
    const logout = () => api.call('post', '/auth/logout').send({ refreshToken }).expect(204);
    await logout();
    await api.call('post', '/auth/refresh').send({ refreshToken }).expect(401); // the newest token is no sign of theft
    await listUsers(made.key).expect(200);
    await refresh().expect(401);
    await expectRevoked(made, 'system');
  });

  it('with the session in which it was made, if the password is reset', async () => {
    const made = await keyOf(admin);
    await api.call('post', '/auth/forgot').send({ email: admin.email }).expect(202);
    const token = await mailedToken(api, 'reset', admin.email);
    await api.call('post', '/auth/reset').send({ token, password: 'staple battery horse' }).expect(204);
    await expectRevoked(made, admin.id);
  });

  it('with the session in which it was made, if the password is changed in another one', async () => {
    const thief = await signIn(api, admin.email);
    const [ended, others] = [await keyOf(thief), await keyOf(admin)];
    await api.call('post', '/auth/logout').send({ refreshToken: thief.refreshToken }).expect(204);
    await listUsers(ended.key).expect(200); // programs do not stop when people sign out
    const change = { password: 'staple battery horse', currentPassword: PASSWORD };
    await api.call('patch', '/users/me', admin.accessToken).send(change).expect(200);
    await expectRevoked(ended, admin.id);
    await listUsers(others.key).expect(200);
  });
});

it('refuses a key to a maker who has a hundred valid ones', async () => {
  const { id } = await newKey();
  const { _id, keyHash, ...made } = (await keys().findById(id).lean())!;
  const more = Array.from({ length: 99 }, (_, n) => ({
    ...made,
    _id: `key_${n}`,
    keyHash: `${keyHash}-${n}`,
  }));
  await keys().insertMany(more);
  const another = () => create({ name: 'X', scopes: ['users:read'] });
  expect((await another().expect(409)).body).toMatchObject({
    code: 'invalid_transition',
    detail: expect.stringContaining('revoke those') as string,
  });
  await revoke(id).expect(204);
  await another().expect(201);
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

it('lists the keys of one maker', async () => {
  const second = await person(api, 'ADMIN');
  await newKey();
  const { body } = await create({ name: 'X', scopes: ['users:read'] }, second.accessToken).expect(201);
  const { id } = (body as { data: NewKey }).data;
  const list = await api.call('get', `/api-keys?createdBy=${second.id}`, admin.accessToken).expect(200);
  expect(list.body).toMatchObject({ data: [{ id, createdBy: second.id }] });
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
