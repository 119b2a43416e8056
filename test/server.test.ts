import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import pino from 'pino';
import { main, startServer } from '../src/server';
import { JWT_SECRET, testConfig } from './support/config';
import { openTestDatabase, type TestDatabase } from './support/database';
import { tokenFor } from './support/tokens';

const logger = pino({ level: 'silent' });
const DEAD = { MONGODB_URI: 'mongodb://127.0.0.1:1/?directConnection=true', TEMPORAL_ADDRESS: '127.0.0.1:1' };

async function ready(url: string): Promise<void> {
  let status;
  do status = (await fetch(`${url}/health/ready`)).status;
  while (status === 503);
  expect(status).toBe(200);
}

describe('startServer', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await openTestDatabase()));
  afterAll(() => db.drop());

  it('is ready with the real servers', async () => {
    const server = await startServer(testConfig({ PORT: '0', MONGODB_URI: db.uri }), logger);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200); // as soon as it listens
    expect((await fetch(`${server.url}/orders`)).status).toBe(401);
    await server.close();
  });

  it('listens while MongoDB, Temporal and Redis are down: alive, not ready, reads 503', async () => {
    const server = await startServer(
      testConfig({ ...DEAD, PORT: '0', REDIS_URL: 'redis://127.0.0.1:1' }),
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

  it('without MongoDB, no credentials keep the public routes from answering, and no ADMIN is believed', async () => {
    const config = testConfig({ ...DEAD, PORT: '0' });
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

  it('answers the request in flight while it drains, and then takes no more', async () => {
    const server = await startServer(testConfig({ PORT: '0', MONGODB_URI: db.uri }), logger);
    await ready(server.url);
    const agent = new Agent({ keepAlive: true });
    const send = (path: string, method = 'GET') =>
      httpRequest(`${server.url}${path}`, {
        agent,
        method,
        headers: { 'Content-Type': 'application/json', Expect: '100-continue' },
      });

    const login = send('/auth/login', 'POST');
    login.flushHeaders();
    await once(login, 'continue'); // the server has it and waits for its body
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

it('the command runs until SIGTERM and then ends', async () => {
  const port = await freePort();
  const env = {
    ...DEAD,
    NODE_ENV: 'test',
    WEB_CONCURRENCY: '1',
    LOG_LEVEL: 'silent',
    PORT: String(port),
    JWT_SECRET,
  };
  const done = main(env);
  const live = `http://127.0.0.1:${port}/orders-management-system/health/live`;
  while (!(await fetch(live).catch(() => undefined))?.ok);
  process.emit('SIGTERM');
  await done;
  await expect(fetch(live)).rejects.toThrow('fetch failed');
  await expect(main({ ...env, JWT_SECRET: 'short' })).rejects.toThrow('JWT_SECRET');
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
