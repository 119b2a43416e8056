import pino from 'pino';
import { checksOf } from '../../src/health/checks';
import { createHealth } from '../../src/health/health';
import { openTestApi } from '../support/api';
import { openTestDatabase, type TestDatabase } from '../support/database';

const up = () => Promise.resolve();
const down = () => Promise.reject(new Error('mongodb://user:secret@host is gone'));

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterAll(() => db.drop());

describe('health', () => {
  it.each(['/health', '/health/ready'])('%s names each check with its latency', async (path) => {
    const api = await openTestApi({ db, checks: { mongodb: up, temporal: up } });
    const { body } = await api.call('get', path).expect(200);
    const check = { status: 'up', latencyMs: expect.any(Number) as number };
    expect(body).toMatchObject({ data: { status: 'ready', checks: { mongodb: check, temporal: check } } });
    await api.close();
  });

  it('responds with 503 and the same data if a check fails, without the reason', async () => {
    const api = await openTestApi({ db, checks: { mongodb: down, temporal: up } });
    const { body, text, headers } = await api.call('get', '/health/ready').expect(503);
    expect(body).toMatchObject({
      code: 'service_unavailable',
      detail: expect.stringContaining('mongodb') as string,
      data: { status: 'unavailable', checks: { mongodb: { status: 'down' }, temporal: { status: 'up' } } },
    });
    expect(text).not.toContain('secret');
    expect(JSON.stringify(api.logs)).not.toContain('secret');
    expect(headers['retry-after']).toBeDefined();
    await api.call('get', '/health/live').expect(200);
    await api.close();
  });

  it('logs an outage once, however many probes come', async () => {
    let check: () => Promise<void> = down;
    const api = await openTestApi({ db, checks: { mongodb: () => check() } });
    const failures = () => api.logs.filter(({ msg }) => msg === 'a health check failed');
    for (let probe = 0; probe < 3; probe++) await api.call('get', '/health/ready').expect(503);
    expect(failures()).toHaveLength(1);
    expect(new Set(api.logs.map(({ level }) => level))).toEqual(new Set(['warn']));
    check = up;
    await api.call('get', '/health/ready').expect(200);
    check = down;
    await api.call('get', '/health/ready').expect(503);
    expect(failures()).toHaveLength(2);
    await api.close();
  });

  it('reports a check that hangs as down', async () => {
    const health = createHealth(
      { mongodb: () => new Promise(() => undefined), temporal: up },
      pino({ level: 'silent' }),
    );
    jest.useFakeTimers();
    const readiness = health.readiness();
    await jest.advanceTimersByTimeAsync(2_000);
    jest.useRealTimers();
    await expect(readiness).resolves.toMatchObject({
      status: 'unavailable',
      checks: { mongodb: { status: 'down' }, temporal: { status: 'up' } },
    });
  });

  it('runs each check once at a time, however many probes come', async () => {
    let respond!: () => void;
    const check = jest.fn(() => new Promise<void>((resolve) => (respond = resolve)));
    const health = createHealth({ mongodb: check }, pino({ level: 'silent' }));
    const probes = Array.from({ length: 500 }, () => health.readiness());
    expect(check).toHaveBeenCalledTimes(1);
    respond();
    for (const { status } of await Promise.all(probes)) expect(status).toBe('ready');
    const again = health.readiness();
    expect(check).toHaveBeenCalledTimes(2);
    respond();
    await again;
  });

  it('reports MongoDB as down until it is set up and the revoked tokens have been loaded', async () => {
    let [isLoaded, isSetUp] = [false, false];
    const checks = checksOf({
      mongodb: { ping: up },
      temporal: { checkHealth: up },
      credentials: { isLoaded: () => isLoaded },
      users: { isSetUp: async () => isSetUp },
    });
    const health = createHealth(checks, pino({ level: 'silent' }));
    await expect(health.readiness()).resolves.toMatchObject({
      status: 'unavailable',
      checks: { mongodb: { status: 'down' }, temporal: { status: 'up' } },
    });
    isLoaded = true;
    await expect(health.readiness()).resolves.toMatchObject({ status: 'unavailable' });
    isSetUp = true;
    await expect(health.readiness()).resolves.toMatchObject({ status: 'ready' });
  });

  it('is not ready while it drains', async () => {
    const api = await openTestApi({ db, checks: { mongodb: up } });
    await api.call('get', '/health/ready').expect(200);
    api.health.drain();
    const { body } = await api.call('get', '/health/ready').expect(503);
    expect(body).toMatchObject({
      detail: expect.stringContaining('shutting down') as string,
      data: { status: 'draining', checks: {} },
    });
    await api.call('get', '/health/live').expect(200);
    await api.close();
  });
});
