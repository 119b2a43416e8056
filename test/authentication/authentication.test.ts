import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from '../../src/http/context';
import { createAuthentication, type AuthenticationDeps } from '../../src/authentication/authentication';
import type { Principal } from '../../src/role/principal';
import { createApiKeyModel } from '../../src/users/api-keys.model';
import { createProductServiceModel } from '../../src/product-service/product-service.model';
import { createUserModel } from '../../src/users/users.model';
import { openTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { person, type Person } from '../support/signed-in-users';

const ENTRY = { name: 'A thing', description: '', kind: 'service', unitPrice: 100, currency: 'EUR' };

describe('a caller who sends a body slowly', () => {
  let api: TestApi;
  let server: Server;
  let admin: Person;
  beforeAll(async () => {
    api = await openTestApi();
    const handle = api.app.callback();
    server = createServer((req, res) => void handle(req, res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    admin = await person(api, 'ADMIN');
  });
  afterAll(async () => {
    server.close();
    await api.close();
  });

  /** Returns the status of a request that passes the guards and whose body arrives only after `happens`. */
  async function sendSlowly(
    [method, path, body]: [string, string, object],
    token: string,
    happens: () => Promise<unknown>,
  ): Promise<number | undefined> {
    const { port } = server.address() as AddressInfo;
    const text = JSON.stringify(body);
    const req = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path: `${api.config.http.prefix}${path}`,
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
        Authorization: `Bearer ${token}`,
      },
    });
    req.write(text.slice(0, 1));
    await once(server, 'request');
    await happens();
    req.end(text.slice(1));
    const [response] = (await once(req, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  const disable = async ({ id, accessToken }: Person) => {
    await api.call('patch', `/users/${id}`, admin.accessToken).send({ status: 'disabled' }).expect(200);
    await eventually(async () => void (await api.call('get', '/users/me', accessToken).expect(401)));
  };

  it('is served if nothing has happened', async () => {
    const alice = await person(api);
    const rename: [string, string, object] = ['PATCH', '/users/me', { name: 'Alice' }];
    expect(await sendSlowly(rename, alice.accessToken, async () => undefined)).toBe(200);
  });

  it('is rejected if disabled meanwhile', async () => {
    const second = await person(api, 'ADMIN');
    const entry = { ...ENTRY, sku: 'SLOW-1' };
    expect(
      await sendSlowly(['POST', '/product-services', entry], second.accessToken, () => disable(second)),
    ).toBe(401);
    expect(await createProductServiceModel(api.db.connection).countDocuments({ sku: entry.sku })).toBe(0);
    const promotion: [string, string, object] = ['PATCH', `/users/${second.id}`, { status: 'active' }];
    expect(await sendSlowly(promotion, second.accessToken, async () => undefined)).toBe(401);
    expect(await createUserModel(api.db.connection).findById(second.id).lean()).toMatchObject({
      status: 'disabled',
    });
  });

  it('is rejected if signed out meanwhile', async () => {
    const second = await person(api, 'ADMIN');
    const signOut = async ({ accessToken, refreshToken }: Person) => {
      await api.call('post', '/auth/logout').send({ refreshToken }).expect(204);
      await eventually(async () => void (await api.call('get', '/users/me', accessToken).expect(401)));
    };
    const key: [string, string, object] = ['POST', '/api-keys', { name: 'X', scopes: ['orders:read'] }];
    expect(await sendSlowly(key, second.accessToken, () => signOut(second))).toBe(401);
    expect(await createApiKeyModel(api.db.connection).countDocuments({ createdBy: second.id })).toBe(0);
  });

  it('is rejected if the API key is revoked meanwhile', async () => {
    const { body } = await api
      .call('post', '/api-keys', admin.accessToken)
      .send({ name: 'Catalogue', scopes: ['catalogue:write'] })
      .expect(201);
    const { id, key } = (body as { data: { id: string; key: string } }).data;
    const post = (sku: string, happens: () => Promise<unknown>) =>
      sendSlowly(['POST', '/product-services', { ...ENTRY, sku }], key, happens);
    expect(await post('SLOW-2', async () => undefined)).toBe(201);
    const revoke = async () => {
      await api.call('delete', `/api-keys/${id}`, admin.accessToken).expect(204);
      await eventually(async () => void (await api.call('post', '/product-services', key).expect(401)));
    };
    expect(await post('SLOW-3', revoke)).toBe(401);
    expect(await createProductServiceModel(api.db.connection).countDocuments({ sku: 'SLOW-3' })).toBe(0);
  });
});

describe('API keys that do not exist', () => {
  const invented = () => `oms_${randomBytes(32).toString('base64url')}`;

  it('count for the address before they are looked up', async () => {
    const api = await openTestApi({ env: { RATE_LIMIT_MAX: '3' } });
    const lookUp = jest.spyOn(createApiKeyModel(api.db.connection).collection, 'findOne');
    const statuses = [];
    for (let call = 0; call < 6; call++)
      statuses.push((await api.call('get', '/users', call === 0 ? 'oms_x' : invented())).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429, 429]);
    expect(lookUp).toHaveBeenCalledTimes(2);
    await api.close();
  });
});

it('rejects ADMINs, but neither customers nor API keys, until the revoked tokens are loaded', async () => {
  const deps = {
    jwt: { authenticate: () => undefined },
    revokedTokens: {},
    apiKeys: {},
    isLoaded: () => false,
  } as unknown as AuthenticationDeps;
  const guards = createAuthentication(deps).guardsOf({ role: 'CUSTOMER', scope: 'orders:read' });
  const isServed = async (principal: Principal) => {
    const ctx = { state: { principal }, get: () => '', set: () => undefined } as unknown as Context;
    let served = false;
    const pass = async (at: number): Promise<void> => {
      if (at === guards.length) served = true;
      else await guards[at]!(ctx, () => pass(at + 1));
    };
    await pass(0);
    return served;
  };
  expect(await isServed({ id: 'usr_1', role: 'CUSTOMER' })).toBe(true);
  expect(await isServed({ id: 'key_1', role: 'ADMIN', scopes: ['orders:read'] })).toBe(true);
  await expect(isServed({ id: 'usr_1', role: 'ADMIN' })).rejects.toThrow('try again shortly');
});
