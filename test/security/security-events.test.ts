import { randomBytes } from 'node:crypto';
import { codecRoutes } from '../../src/temporal/codec-server/codec.routes';
import { openTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { person, signIn, type Person } from '../support/signed-in-users';

let api: TestApi;
let admin: Person;
beforeAll(async () => {
  const PAYLOAD_KEYS = `key:${randomBytes(32).toString('base64')}`;
  api = await openTestApi({
    env: { PAYLOAD_KEYS },
    routes: (config, revokedTokens, report) => codecRoutes(config, revokedTokens, report),
  });
  admin = await person(api, 'ADMIN');
});
afterAll(() => api.close());
beforeEach(() => void (api.logs.length = 0));

const eventsOf = () => api.logs.filter(({ securityEvent }) => securityEvent !== undefined);
const HASH = expect.stringMatching(/^[\w-]{22}$/) as string;

async function keyOf(scopes: string[]): Promise<{ id: string; key: string }> {
  const { body } = await api
    .call('post', '/api-keys', admin.accessToken)
    .send({ name: 'X', scopes })
    .expect(201);
  return (body as { data: { id: string; key: string } }).data;
}

it('login_failed and login_locked name account and address by keyed hashes', async () => {
  const [known, unknown] = [admin.email, 'canary@shop.example'];
  for (const email of [known, unknown, known]) {
    await api.call('post', '/auth/login').send({ email, password: 'wrong horse battery' }).expect(401);
  }
  const [first, other, again] = eventsOf();
  const failed = { level: 'warn', securityEvent: 'login_failed', accountHash: HASH, addressHash: HASH };
  expect([first, other, again]).toEqual(
    [failed, failed, failed].map((line) => expect.objectContaining(line) as object),
  );
  expect(first!.accountHash).toBe(again!.accountHash);
  expect(first!.accountHash).not.toBe(other!.accountHash);
  let status = 401;
  for (let n = 0; n < 40 && status === 401; n++) {
    ({ status } = await api
      .call('post', '/auth/login')
      .send({ email: unknown, password: 'wrong horse battery' }));
  }
  expect(status).toBe(429);
  expect(eventsOf().at(-1)).toMatchObject({ securityEvent: 'login_locked', accountHash: other!.accountHash });
  expect(JSON.stringify(eventsOf())).not.toMatch(/canary|person-|127\.0\.0\.1/);
});

it('refresh_reused names the user whose token was copied', async () => {
  const victim = await person(api);
  const { body } = await api
    .call('post', '/auth/refresh')
    .send({ refreshToken: victim.refreshToken })
    .expect(200);
  expect(body).toHaveProperty('data');
  expect(eventsOf()).toEqual([]);
  await api.call('post', '/auth/refresh').send({ refreshToken: victim.refreshToken }).expect(401);
  expect(eventsOf()).toEqual([
    expect.objectContaining({ securityEvent: 'refresh_reused', userId: victim.id }),
  ]);
});

it('role_changed says who changed whose role, and nothing if it is the same', async () => {
  const user = await person(api);
  const change = (role: string) =>
    api.call('patch', `/users/${user.id}`, admin.accessToken).send({ role }).expect(200);
  await change('CUSTOMER');
  expect(eventsOf()).toEqual([]);
  await change('ADMIN');
  const roles = { userId: user.id, by: admin.id, from: 'CUSTOMER', to: 'ADMIN' };
  expect(eventsOf()).toEqual([
    expect.objectContaining({ securityEvent: 'role_changed', ...roles, addressHash: HASH }),
  ]);
});

it('key_created and key_used_after_end name the key', async () => {
  const { id, key } = await keyOf(['users:read']);
  const created = { securityEvent: 'key_created', apiKeyId: id, by: admin.id, scopes: ['users:read'] };
  expect(eventsOf()).toEqual([expect.objectContaining(created)]);
  await api.call('get', '/users', key).expect(200);
  await api.call('delete', `/api-keys/${id}`, admin.accessToken).expect(204);
  await eventually(async () => void (await api.call('get', '/users', key).expect(401)));
  const used = { securityEvent: 'key_used_after_end', apiKeyId: id, addressHash: HASH };
  expect(eventsOf().slice(1)).toEqual([expect.objectContaining(used)]);
  expect(JSON.stringify(api.logs)).not.toContain(key);
});

it('codec_used says who read how much of what is encrypted in Temporal', async () => {
  const { accessToken } = await signIn(api, admin.email);
  await api.call('post', '/codec/decode', accessToken).send({ payloads: [] }).expect(200);
  const used = { securityEvent: 'codec_used', userId: admin.id, operation: 'decode', payloads: 0 };
  expect(eventsOf()).toEqual([expect.objectContaining(used)]);
});
