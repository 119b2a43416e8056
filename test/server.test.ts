import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import pino from 'pino';
import { freePorts } from '../tools/devstack/ports';
import { startServer } from '../src/api-server';
import { JWT_SECRET, testConfig } from './support/config';
import { openTestDatabase, type TestDatabase } from './support/database';
import { entryArgs, runEntry } from './support/entries';
import { spawnNode } from './support/process';
import { untilReady } from './support/ready';
import { tokenFor } from './support/tokens';

const logger = pino({ level: 'silent' });
const DOWN = { MONGODB_URI: 'mongodb://127.0.0.1:1/?directConnection=true', TEMPORAL_ADDRESS: '127.0.0.1:1' };

describe('startServer', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await openTestDatabase()));
  afterAll(() => db.drop());

  it('listens and is ready, with the real servers', async () => {
    const server = await startServer(testConfig({ PORT: '0', MONGODB_URI: db.uri }), logger);
    await untilReady(server.url);
    expect((await fetch(`${server.url}/orders`)).status).toBe(401);
    await server.close();
  });

  it('listens while MongoDB, Temporal and Redis are down: live, not ready, 503 for reads', async () => {
    const server = await startServer(
      testConfig({ ...DOWN, PORT: '0', REDIS_URL: 'redis://127.0.0.1:1' }),
      logger,
    );
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    const readiness = await fetch(`${server.url}/health/ready`);
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toMatchObject({
      data: { checks: { mongodb: { status: 'down' }, temporal: { status: 'down' } } },
    });
    const read = await fetch(`${server.url}/product-services`);
    expect([read.status, read.headers.get('retry-after')]).toEqual([503, '5']);
    await server.close();
  });

  it('without MongoDB serves public routes to every token, and trusts no ADMIN', async () => {
    const config = testConfig({ ...DOWN, PORT: '0' });
    const server = await startServer(config, logger);
    const as = (token: string, path: string, method = 'GET') =>
      fetch(`${server.url}${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
    const key = `oms_${'x'.repeat(43)}`;
    for (const token of [key, tokenFor(config, 'ADMIN'), 'nonsense'])
      expect((await as(token, '/health/live')).status).toBe(200);
    expect((await as(key, '/users')).status).toBe(503);
    expect((await as('oms_nonsense', '/users')).status).toBe(401);
    const decoding = await as(tokenFor(config, 'ADMIN'), '/codec/decode', 'POST');
    expect(decoding.status).toBe(503);
    expect(await decoding.json()).toMatchObject({
      detail: expect.stringContaining('revoked tokens') as string,
    });
    expect((await as(tokenFor(config, 'CUSTOMER'), '/codec/decode', 'POST')).status).toBe(403);
    await server.close();
  });

  it('finishes the request in flight while it drains, then accepts no more', async () => {
    const server = await startServer(testConfig({ PORT: '0', MONGODB_URI: db.uri }), logger);
    await untilReady(server.url);
    const agent = new Agent({ keepAlive: true });
    const send = (path: string, method = 'GET') =>
      httpRequest(`${server.url}${path}`, {
        agent,
        method,
        headers: { 'Content-Type': 'application/json', Expect: '100-continue' },
      });

    const login = send('/auth/login', 'POST');
    login.flushHeaders();
    await once(login, 'continue'); // the server has the headers and waits for the body
    const closed = server.close();
    login.end('{"email":"nobody@example.com","password":"whatever it is"}');
    const [response] = (await once(login, 'response')) as [IncomingMessage];
    expect([response.statusCode, response.headers.connection]).toEqual([401, 'close']);
    response.resume();
    await closed;
    agent.destroy();
    await expect(fetch(`${server.url}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('closes what it opened when the port is taken', async () => {
    const first = await startServer(testConfig({ PORT: '0', MONGODB_URI: db.uri }), logger);
    const { port } = new URL(first.url);
    await expect(startServer(testConfig({ PORT: port, MONGODB_URI: db.uri }), logger)).rejects.toThrow(
      'in use',
    );
    await first.close();
  });
});

it('the command runs until SIGTERM, and does not start with an invalid configuration', async () => {
  const [port] = (await freePorts(1)) as [number];
  const env = { ...DOWN, NODE_ENV: 'test', WEB_CONCURRENCY: '1', PORT: String(port), JWT_SECRET };
  const api = spawnNode(entryArgs('server'), env);
  await api.line(/API listening/);
  const live = `http://127.0.0.1:${port}/orders-management-system/health/live`;
  expect((await fetch(live)).status).toBe(200);
  const [raised, lowered] = ['debug', 'info'].map((level) =>
    api.line(RegExp(`"to":"${level}".*log level changed`)),
  );
  api.kill('SIGUSR2');
  await raised;
  api.kill('SIGUSR2');
  await lowered;
  api.kill('SIGTERM');
  await expect(api.ended).resolves.toBeNull();
  expect(api.lines.at(-1)).toContain('API stopped');
  const { code, stderr } = await runEntry('server', { ...env, JWT_SECRET: 'short' });
  expect(JSON.parse(stderr)).toMatchObject({
    level: 'fatal',
    msg: 'the process failed',
    err: { message: expect.stringContaining('JWT_SECRET') as string },
  });
  expect(code).toBe(1);
});
