import { gzipSync } from 'node:zlib';
import Joi from 'joi';
import request, { type Response } from 'supertest';
import { route } from '../../src/http/route';
import { sendData } from '../../src/http/respond';
import { AppError } from '../../src/errors/app-error';
import { Role } from '../../src/role/role';
import { openTestApi, type TestApi } from '../support/api';

const SHOP = 'https://shop.example';
const echo = route({
  method: 'post',
  path: '/echo',
  role: Role.PUBLIC,
  operationId: 'echo',
  summary: 'Says it again',
  tag: 'Test',
  headers: Joi.object({ 'x-size': Joi.number().integer() }),
  query: Joi.object({ email: Joi.string() }),
  body: Joi.object({ text: Joi.string(), nested: Joi.object({ n: Joi.number() }) }),
  responses: { 200: { description: 'The same', data: Joi.any().required() } },
  errors: [],
  handler(ctx, { body, headers }) {
    ctx.state.logFields = { orderId: 'ord_1' };
    sendData(ctx, 200, { body, headers, ip: ctx.ip });
  },
});
const large = (path: string, etag: boolean) =>
  route({
    method: 'get',
    path,
    role: Role.PUBLIC,
    operationId: path,
    summary: 'Much',
    tag: 'Test',
    responses: {
      200: { description: 'Much', data: Joi.string(), ...(etag && { headers: { ETag: 'The version' } }) },
    },
    errors: [],
    handler(ctx) {
      if (etag) ctx.set('ETag', '"1"');
      sendData(ctx, 200, 'x'.repeat(5_000));
    },
  });
const keyed = route({
  ...echo,
  path: '/keyed',
  operationId: 'keyed',
  idempotency: 'required',
  handler: (ctx, { idempotencyKey }) => sendData(ctx, 200, idempotencyKey),
});
const broken = route({
  ...echo,
  method: 'get',
  path: '/broken',
  operationId: 'broken',
  query: undefined,
  body: undefined,
  handler() {
    throw new Error('secret detail of alice@example.com');
  },
});
const away = route({
  ...broken,
  path: '/away',
  operationId: 'away',
  handler() {
    throw new AppError('service_unavailable', 'Come back later.');
  },
});

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi({
    env: { CORS_ORIGINS: SHOP, BODY_LIMIT: '1kb', TRUSTED_PROXIES: '1' },
    routes: [echo, keyed, broken, away, large('/large', false), large('/large-tagged', true)],
  });
});
afterAll(() => api.close());
beforeEach(() => void (api.logs.length = 0));

describe('every response', () => {
  it.each([
    ['200', () => api.call('get', '/health/live')],
    ['400', () => api.call('post', '/echo').type('json').send('{')],
    ['401', () => api.call('delete', '/product-services/x')],
    ['404', () => api.call('get', '/nothing')],
    ['405', () => api.call('put', '/echo')],
    ['413', () => api.call('post', '/echo').send({ text: 'x'.repeat(2_000) })],
    ['415', () => api.call('post', '/echo').type('xml').send('<a/>')],
    ['500', () => api.call('get', '/broken')],
    ['503', () => api.call('get', '/away')],
  ])('%s has a request id, the security and CORS headers, and one log line', async (status, call) => {
    const response = await call().set('Origin', SHOP).expect(Number(status));
    const id = response.headers['x-request-id'];
    expect(id).toMatch(/^[0-9A-Z]{26}$/);
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': SHOP,
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'self'") as string,
      vary: expect.stringContaining('Origin') as string,
    });
    const body = response.body as { requestId?: string; meta?: { requestId: string } };
    expect(body.requestId ?? body.meta?.requestId).toBe(id);
    expect(api.logs).toEqual([
      expect.objectContaining({
        requestId: id,
        status: Number(status),
        level: { '500': 'error', '503': 'warn' }[status] ?? 'info',
      }),
    ]);
  });
});

describe('request id', () => {
  it.each(['abc', 'a.B-c_9', 'x'.repeat(128)])("is the caller's if it is well-formed: %s", async (id) => {
    const response = await api.call('get', '/health/live').set('X-Request-Id', id);
    expect(response.headers['x-request-id']).toBe(id);
  });

  it.each(['a b', 'x'.repeat(129), '"id"', 'ä'])('is a new one if it is not: %s', async (id) => {
    const response = await api
      .call('get', '/health/live')
      .set('X-Request-Id', encodeURI(id) === id ? id : 'a,b');
    expect(response.headers['x-request-id']).toMatch(/^[0-9A-Z]{26}$/);
  });
});

describe('the log line', () => {
  it.each([
    ['/users/canary@shop.example', '/users/…'],
    ['/users/Canary%20Alice', '/users/…'],
    ['/users/hauptstrasse', '/users/…'],
    ['/users/usr_canary-shop_example', '/users/…'],
    ['/canary.alice/users', '/…/users'],
    ['/product-services/4111111111111111/stock', '/product-services/…/stock'],
    ['/product-services/ps_4111111111111111', '/product-services/…'],
    ['/users/usr_01HZX000000000000000ADM1N0', '/users/usr_01HZX000000000000000ADM1N0'],
    [
      '/product-services/ord_00000000000000000000000000000000',
      '/product-services/ord_00000000000000000000000000000000',
    ],
    ['/api/assets/swagger-ui.css', '/api/assets/swagger-ui.css'],
  ])('has for the path %s only %s', async (path, logged) => {
    await api.call('get', path);
    expect(api.logs).toEqual([expect.objectContaining({ path: `/orders-management-system${logged}` })]);
  });

  it('has the fields that the handler adds, and neither query string nor body nor token', async () => {
    const token = api.tokenOf('CUSTOMER', 'usr_01HZX000000000000000A11CE0');
    await api.call('post', '/echo?email=alice@example.com', token).send({ text: 'hunter2' }).expect(200);
    expect(api.logs).toEqual([
      expect.objectContaining({
        level: 'info',
        method: 'POST',
        path: '/orders-management-system/echo',
        status: 200,
        durationMs: expect.any(Number) as number,
        userId: 'usr_01HZX000000000000000A11CE0',
        orderId: 'ord_1',
      }),
    ]);
    expect(JSON.stringify(api.logs)).not.toMatch(/hunter2|alice@|eyJ/);
  });

  it('of a refusal has the user', async () => {
    const userId = 'usr_01HZX000000000000000A11CE0';
    await api.call('get', '/users', api.tokenOf('CUSTOMER', userId)).expect(403);
    expect(api.logs).toEqual([expect.objectContaining({ status: 403, userId })]);
  });

  it('of an error has the error without e-mail addresses, of which the client learns nothing', async () => {
    const response = await api.call('get', '/broken').expect(500);
    expect(response.text).not.toContain('secret');
    expect(api.logs[0]).toMatchObject({ err: { type: 'Error', message: 'secret detail of [redacted]' } });
  });
});

describe('a body', () => {
  it.each([
    ['{"text":'],
    ['nonsense'],
    ['"text"'],
    ['1'],
    ['[{"text":"a"}]'],
    ['{"__proto__":{"admin":true}}'],
    ['{"nested":{"__proto__":{"n":1}}}'],
    ['{"nested":{"\\u005f_proto__":null}}'],
    ['{"constructor":{"prototype":{}}}'],
    ['{"nested":{"constructor":1}}'],
    ['{"prototype":1}'],
    ['{"unknown":1}'],
    ['{"nested":{"n":"1"}}'],
    ['{"text":1}'],
  ])('%s is rejected with 400', async (body) => {
    const response = await api.call('post', '/echo').type('json').send(body).expect(400);
    expect(response.body).toMatchObject({ code: 'validation_failed' });
  });

  it.each([
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/xml',
    'application/merge-patch+json',
  ])('of type %s is rejected with 415', async (type) => {
    await api.call('post', '/echo').set('Content-Type', type).send('{"text":"a"}').expect(415);
  });

  it('without a type or with an unknown compression is rejected with 415, which says what is supported', async () => {
    const untyped = api.call('post', '/echo').set('Content-Type', '').send('{"text":"a"}');
    await untyped.expect(415).expect('Accept', 'application/json');
    const unknown = api.call('post', '/echo').type('json').set('Content-Encoding', 'compress').send('{}');
    const { headers } = await unknown.expect(415).expect('Accept-Encoding', 'gzip, deflate, br, identity');
    expect(headers).not.toHaveProperty('accept');
  });

  it.each(['GZIP', 'x-gzip'])(
    'may be compressed with %s, as codings are case-insensitive',
    async (coding) => {
      const sent = api.call('post', '/echo').type('json').set('Content-Encoding', coding);
      sent.serialize((body) => body as string).send(gzipSync('{"text":"a"}') as never);
      expect((await sent.expect(200)).body.data.body).toEqual({ text: 'a' });
    },
  );

  it('has to be an object, even where it may be left out', async () => {
    const send = (text: string) => api.call('post', '/echo').type('json').send(text);
    for (const text of ['null', '5', '"text"', '[]', 'true']) {
      const { body } = await send(text).expect(400);
      expect(body.errors).toEqual([{ path: '', message: 'body must be of type object' }]);
    }
    expect((await send('').expect(200)).body.data.body).toEqual({});
  });

  it.each([
    ['text', '{"text":"a","text":"b"}'],
    ['text', '{"text":"\\\\","te\\u0078t":"b"}'],
    ['nested.n', '{"text":"\\"n\\":","nested":{"n":1,"n":2}}'],
    ['list.1.a', '{"list":[{"a":[{},","]},{"b":{},"a":1,"a":2}]}'],
    ['', '{"":1,"":2}'],
  ])('that names a key twice is rejected, with the path %p', async (path, text) => {
    const { body } = await api.call('post', '/echo').type('json').send(text).expect(400);
    expect(body.errors).toEqual([{ path, message: `${path} is named twice` }]);
  });

  it('may name a key in several objects, and in texts', async () => {
    const text = '{"text":"{\\"text\\":1,\\"text\\":2}","nested":{"n":1}}';
    await api.call('post', '/echo').type('json').send(text).expect(200);
  });

  it('that is empty counts as an empty object', async () => {
    const response = await api.call('post', '/echo').expect(200);
    expect(response.body).toMatchObject({ data: { body: {} } });
    await api.call('post', '/echo').set('Content-Type', 'text/plain').set('Content-Length', '0').expect(200);
  });

  it('may be compressed, and is limited by its decompressed size', async () => {
    const send = (body: Buffer) =>
      api
        .call('post', '/echo')
        .type('json')
        .set('Content-Encoding', 'gzip')
        .serialize((data: unknown) => data as string)
        .send(body as never);
    await send(gzipSync('{"text":"a"}')).expect(200);
    await send(gzipSync(JSON.stringify({ text: 'x'.repeat(100_000) }))).expect(413);
    await send(Buffer.from('not gzip')).expect(400);
  });

  it('over the limit is rejected if it is sent in chunks', async () => {
    const server = api.app.listen(0);
    try {
      const { port } = server.address() as { port: number };
      const chunks = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let i = 0; i < 4; i++)
            controller.enqueue(Buffer.from(i === 0 ? `{"text":"${'x'.repeat(600)}` : 'x'.repeat(600)));
          controller.close();
        },
      });
      const init = {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: chunks,
        duplex: 'half',
      };
      const response = await fetch(
        `http://127.0.0.1:${port}${api.config.http.prefix}/echo`,
        init as RequestInit,
      );
      // The rest of the body is not read, so no request may follow on this connection.
      expect([response.status, response.headers.get('connection'), await response.json()]).toEqual([
        413,
        'close',
        expect.objectContaining({ code: 'payload_too_large' }),
      ]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    ['latin-1', Buffer.from('{"text":"caf\xe9"}', 'latin1')],
    [
      'half a character',
      Buffer.concat([Buffer.from('{"text":"'), Buffer.from('é').subarray(0, 1), Buffer.from('"}')]),
    ],
  ])('that is not UTF-8 (%s) is rejected, and not silently altered', async (_what, bytes) => {
    const sent = await api
      .call('post', '/echo')
      .type('json')
      .serialize(() => bytes as never)
      .send({});
    expect([sent.status, sent.body]).toMatchObject([400, { code: 'validation_failed' }]);
  });

  it.each(['latin1', 'utf-16', 'iso-8859-1'])('with the charset %s is rejected', async (charset) => {
    await api
      .call('post', '/echo')
      .set('Content-Type', `application/json; charset=${charset}`)
      .send('{}')
      .expect(415);
  });

  it('may declare the charset UTF-8', async () => {
    const sent = api
      .call('post', '/echo')
      .set('Content-Type', 'application/json; charset=UTF-8')
      .send('{"text":"é"}');
    expect((await sent.expect(200)).body).toMatchObject({ data: { body: { text: 'é' } } });
  });

  it('is rejected on a route without a body schema, unless it is empty', async () => {
    const retire = (body?: object) =>
      api.call('delete', '/product-services/ps_01HZX0000000000000TSHRTM00', api.tokenOf('ADMIN')).send(body);
    const { body } = await retire({ reason: 'old' }).expect(400);
    expect(body).toMatchObject({ errors: [{ path: 'reason' }] });
    await retire({}).expect(404);
    await retire().expect(404);
  });

  it('gets a problem with all mistakes, including those of the headers', async () => {
    const response = await api
      .call('post', '/echo')
      .set('X-Size', 'big')
      .send({ text: 5, nested: { n: 'one' }, price: 1 })
      .expect(400);
    const { errors } = response.body as { errors: { path: string }[] };
    expect(errors.map(({ path }) => path).sort()).toEqual(['nested.n', 'price', 'text', 'x-size']);
  });
});

describe('methods', () => {
  it('returns 405 with the allowed ones for a wrong one', async () => {
    const response = await api.call('put', '/product-services').expect(405);
    expect(response.headers.allow).toBe('GET, HEAD, OPTIONS, POST');
  });

  it('returns 405 for an unknown one, and 404 at an unknown path', async () => {
    const server = request(api.app.callback());
    const prefix = api.config.http.prefix;
    await (server as unknown as Record<string, (path: string) => request.Test>)['propfind']!(
      `${prefix}/echo`,
    ).expect(405);
    await (server as unknown as Record<string, (path: string) => request.Test>)['propfind']!(
      `${prefix}/no`,
    ).expect(404);
  });

  it('lists the allowed ones for OPTIONS', async () => {
    const response = await api.call('options', '/echo').expect(204);
    expect(response.headers.allow).toBe('OPTIONS, POST');
    await api.call('options', '/nothing').expect(404);
  });

  it('responds to HEAD as to GET, without a body', async () => {
    const response = await api.call('head', '/product-services').expect(200);
    expect(response.text).toBeUndefined();
    expect(Number(response.headers['content-length'])).toBeGreaterThan(0);
  });
});

describe('a header that the route does not support', () => {
  it.each([
    ['Idempotency-Key', 'k', /is not supported here but only by .*POST \/keyed/],
    ['If-Match', '*', /leave it out/],
    ['If-None-Match', '*', /by GET and HEAD only/],
    ['Content-Range', 'bytes 0-1/2', /send all/],
  ])('is refused: %s', async (name, value, message) => {
    const { body } = await api.call('post', '/echo').set(name, value).send({}).expect(400);
    expect(body.errors).toEqual([
      { path: name.toLowerCase(), message: expect.stringMatching(message) as string },
    ]);
  });

  it('is refused by reading, too', async () => {
    await api.call('get', '/large').set('Idempotency-Key', 'k').expect(400);
    await api.call('get', '/large').set('If-Match', '"1"').expect(400);
  });
});

describe('an Idempotency-Key', () => {
  it.each([
    ['k', 'k'],
    ['"k"', 'k'],
    ['"a \\"b\\" \\\\, c"', 'a "b" \\, c'],
    ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
  ])('is read as a structured field: %s', async (header, key) => {
    const { body } = await api.call('post', '/keyed').set('Idempotency-Key', header).expect(200);
    expect(body.data).toBe(key);
  });

  it.each(['"', '""', '"k', 'k"', '"\\k"', 'a b', 'a,b', '"a", "b"', '"k";a=1', 'x'.repeat(256), 'ä'])(
    'is rejected if it is malformed: %s',
    async (header) => {
      const { body } = await api.call('post', '/keyed').set('Idempotency-Key', header).expect(400);
      expect(body.errors).toHaveLength(1);
      expect(body.errors[0]).toMatchObject({ path: 'idempotency-key' });
    },
  );

  it('is required where a repeat would cost something', async () => {
    const { body } = await api.call('post', '/keyed').expect(400);
    expect(body.code).toBe('idempotency_key_required');
  });
});

describe('reading with If-Match', () => {
  it.each(['*', '"1"', '"2", "1",', ', "1"'])('gets the representation for %s', async (header) => {
    await api.call('get', '/large-tagged').set('If-Match', header).expect(200);
  });

  it.each(['"2"', 'W/"1"'])('gets 412 for %s, by HEAD too', async (header) => {
    const { headers } = await api.call('get', '/large-tagged').set('If-Match', header).expect(412);
    expect(headers.etag).toBe('"1"');
    await api.call('head', '/large-tagged').set('If-Match', header).expect(412);
  });
});

describe('CORS', () => {
  it('allows the preflight of a whitelisted origin', async () => {
    const response = await api
      .call('options', '/echo')
      .set({ Origin: SHOP, 'Access-Control-Request-Method': 'POST' })
      .expect(204);
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': SHOP,
      'access-control-allow-headers': expect.stringContaining('Idempotency-Key') as string,
    });
  });

  it('allows no other origin, and no credentials', async () => {
    const response = await api.call('get', '/health/live').set('Origin', 'https://evil.example');
    expect(response.headers).not.toHaveProperty('access-control-allow-origin');
    expect(response.headers.vary).toContain('Origin');
    const allowed = await api.call('get', '/health/live').set('Origin', SHOP);
    expect(allowed.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('can allow every origin in development', async () => {
    const open = await openTestApi({ env: { CORS_ORIGINS: '*' } });
    const response = await open.call('get', '/health/live').set('Origin', 'https://any.example');
    expect(response.headers['access-control-allow-origin']).toBe('*');
    await open.close();
  });
});

describe('compression', () => {
  it.each(['gzip', 'br'])('shortens large responses with %s', async (encoding) => {
    const response = await api.call('get', '/large').set('Accept-Encoding', encoding).expect(200);
    expect(response.headers['content-encoding']).toBe(encoding);
  });

  it('does not apply to a response with a strong ETag', async () => {
    const response = await api.call('get', '/large-tagged').set('Accept-Encoding', 'gzip').expect(200);
    expect(response.headers).not.toHaveProperty('content-encoding');
    expect(response.headers.etag).toBe('"1"');
  });

  it.each(['identity;q=0', '*;q=0', 'compress, identity;q=0'])(
    'is not applied for %s, which we cannot meet',
    async (accepted) => {
      for (const path of ['/health/live', '/large', '/large-tagged', '/nothing']) {
        const response = await api.call('get', path).set('Accept-Encoding', accepted);
        expect(response.status).toBe(path === '/nothing' ? 404 : 200);
        expect(response.headers).not.toHaveProperty('content-encoding');
      }
    },
  );

  it('is applied to small responses, too, if the client refuses uncompressed ones', async () => {
    const small = api.call('get', '/health/live').set('Accept-Encoding', 'gzip, identity;q=0');
    await small.expect(200).expect('Content-Encoding', 'gzip');
  });

  it.each(['/large', '/large-tagged', '/health/live', '/nothing'])(
    'has the same headers for HEAD as for GET: %s',
    async (path) => {
      for (const accepted of ['gzip', 'identity']) {
        const [head, get] = await Promise.all(
          (['head', 'get'] as const).map((method) => api.call(method, path).set('Accept-Encoding', accepted)),
        );
        const framing = ({ headers }: Response) => [headers['content-length'], headers['content-encoding']];
        expect(framing(head!)).toEqual(framing(get!));
      }
    },
  );
});

it('logs a warning if the client aborts a response', () => {
  api.app.emit('error', new Error('write EPIPE'));
  expect(api.logs).toEqual([
    expect.objectContaining({ level: 'warn', msg: 'response aborted by the client' }),
  ]);
});

it('takes the address that the one trusted proxy saw, whatever the client claims', async () => {
  const response = await api.call('post', '/echo').set('X-Forwarded-For', '1.1.1.1, 2.2.2.2');
  expect(response.body).toMatchObject({ data: { ip: '2.2.2.2' } });
});

it('lets browsers load nothing from elsewhere, run nothing inline, and be framed by nobody', async () => {
  const { headers } = await api.call('get', '/health/live').expect(200);
  const policy = headers['content-security-policy']!.split(';');
  const directives = ["default-src 'self'", "base-uri 'none'", "object-src 'none'", "script-src 'self'"];
  expect(policy).toEqual(expect.arrayContaining([...directives, "frame-ancestors 'none'"]));
  expect(headers).toMatchObject({
    'strict-transport-security': expect.stringMatching(/^max-age=31536000; includeSubDomains$/) as string,
    'referrer-policy': 'no-referrer',
    'content-type': 'application/json; charset=utf-8',
  });
});

it('does not answer TRACE with what was sent', async () => {
  const path = `${api.config.http.prefix}/product-services`;
  const { text } = await request(api.app.callback()).trace(path).set('X-Canary', 'canary').expect(405);
  expect(text).not.toContain('canary');
});

describe('what may be kept', () => {
  it('of the catalogue is kept, and asked for each time', async () => {
    const { headers } = await api.call('get', '/product-services').expect(200);
    expect(headers['cache-control']).toBe('no-cache');
  });

  it.each(['/users/me', '/users', '/api-keys'])('of %s is nothing, not even of a refusal', async (path) => {
    const admin = api.tokenOf('ADMIN');
    for (const token of [admin, api.tokenOf('CUSTOMER'), undefined]) {
      const { headers } = await api.call('get', path, token);
      expect(headers['cache-control']).toBe('no-store');
    }
  });
});

describe('X-Forwarded-For', () => {
  const warnings = ({ logs }: TestApi) =>
    logs.filter(({ level, msg }) => level === 'warn' && String(msg).startsWith('X-Forwarded-For'));

  it('is warned of once if no proxy is trusted', async () => {
    const direct = await openTestApi({ db: api.db });
    await direct.call('get', '/health/live').expect(200);
    expect(warnings(direct)).toEqual([]);
    for (const address of ['192.0.2.1', '192.0.2.2'])
      await direct.call('get', '/health/live').set('X-Forwarded-For', address).expect(200);
    expect(warnings(direct)).toEqual([
      expect.objectContaining({ msg: expect.stringContaining('TRUSTED_PROXIES is 0') as string }),
    ]);
    expect(JSON.stringify(warnings(direct))).not.toContain('192.0.2');
    await direct.close();
  });

  it('is nothing to warn of behind a proxy', async () => {
    await api.call('get', '/health/live').set('X-Forwarded-For', '192.0.2.1').expect(200);
    expect(warnings(api)).toEqual([]);
  });
});

it('serves neither the document nor the Swagger page if they are switched off', async () => {
  const closed = await openTestApi({ db: api.db, env: { API_DOCS: 'false' } });
  for (const path of ['/api', '/api/openapi.json', '/api/assets/swagger-ui.css', '/nothing']) {
    const { body } = await closed.call('get', path).expect(404);
    expect(body).toMatchObject({
      detail: 'There is nothing at this path: see the documentation for all paths.',
    });
  }
  await closed.close();
});
