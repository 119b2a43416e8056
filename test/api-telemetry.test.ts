import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { startServer } from '../src/api-server';
import { startApiTelemetry } from '../src/api-telemetry';
import { newId } from '../src/common/ids';
import { isMessage, type Collected } from '../src/cluster/messages';
import { testConfig } from './support/config';
import { eventually, HANG_MS } from './support/eventually';
import { parseExposition } from './support/exposition';
import { untilReady } from './support/ready';
import { openShop, type Shop } from './support/shop';
import { taskQueueEnv } from './support/task-queues';
import { tokenFor } from './support/tokens';

let shop: Shop;
beforeAll(async () => void (shop = await openShop()));
afterAll(() => shop.close());

function recorder() {
  const lines: { msg: string; url?: string }[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as { msg: string });
  return { lines, logger: pino({}, { write }) };
}

const configOf = (env: NodeJS.ProcessEnv) =>
  testConfig({ ...taskQueueEnv(shop.taskQueue), MONGODB_URI: shop.db.uri, PORT: '0', ...env });

it('counts requests by their routes, orders, security events, and requests beyond the rate limit', async () => {
  const { lines, logger } = recorder();
  const config = configOf({
    METRICS_PORT: '0',
    RATE_LIMIT_MAX: '8',
    PLACE_ORDER_TIMEOUT_MS: String(HANG_MS),
  });
  const server = await startServer(config, logger);
  const { url } = lines.find(({ msg }) => msg === 'metrics served')!;
  const told = async () => parseExposition(await (await fetch(url!)).text());
  await untilReady(server.url); // probes are not limited
  const before = await told();
  for (const name of ['orders_accepted_total', 'rate_limited_requests_total', 'http_server_active_requests'])
    expect([name, before.value(name) ?? 0]).toEqual([name, 0]);
  expect(new Set(before.all('security_events_total').map(({ value }) => value))).toEqual(new Set([0]));
  expect(before.all('build_info')[0]!.labels).toEqual({ version: expect.any(String) as string });

  const { id: productServiceId } = await shop.sell();
  const customer = tokenFor(config, 'CUSTOMER', newId('usr'));
  const send = async (method: string, path: string, body?: object, key = randomUUID()) => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${customer}`,
        'Content-Type': 'application/json',
        'Idempotency-Key': key,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    await response.text();
    return response.status;
  };
  const order = { items: [{ productServiceId, quantity: 1 }], paymentMethod: 'pm_card_visa' };
  const key = randomUUID();
  const place = () => send('POST', '/orders', order, key);
  expect([await place(), await place()]).toEqual([201, 201]);
  const wrong = await fetch(`${server.url}/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'canary@shop.example', password: 'wrong horse battery' }),
  });
  expect([wrong.status, await wrong.text()]).toEqual([401, expect.any(String)]);
  expect(await send('PROPFIND', `/orders/ord_${randomUUID()}`)).toBeGreaterThanOrEqual(400);
  expect(await send('GET', `/${randomUUID()}`)).toBe(404);
  await eventually(async () => expect(await send('GET', '/orders')).toBe(429));

  await eventually(async () => {
    const { value, all, sum } = await told();
    const requests = (labels: Record<string, string>) =>
      sum('http_server_request_duration_seconds_count', labels);
    const orders = { http_request_method: 'POST', http_route: `${config.http.prefix}/orders` };
    expect(requests({ ...orders, http_response_status_code: '201' })).toBe(2);
    expect(requests({ http_request_method: '_OTHER' })).toBe(1);
    const unknown = all('http_server_request_duration_seconds_count', {
      http_request_method: 'GET',
      http_response_status_code: '404',
    });
    expect(unknown.map((one) => [one.labels.http_route, one.value])).toEqual([[undefined, 1]]);
    expect(value('orders_accepted_total')).toBe(1); // not the repeat
    expect(value('rate_limited_requests_total')).toBe(1);
    expect(value('security_events_total', { event: 'login_failed' })).toBe(1);
    expect(value('http_server_active_requests')).toBe(0);
    expect(value('password_hash_queue')).toBe(0);
    expect([value('mongodb_up'), value('temporal_up')]).toEqual([1, 1]);
  });
  await server.close();
  await expect(fetch(url!)).rejects.toThrow();
});

it('measures nothing without METRICS_PORT', async () => {
  const { lines, logger } = recorder();
  expect(await startApiTelemetry(configOf({}), logger)).toBeUndefined();
  expect(lines).toEqual([]);
});

it('leaves it to the primary of a cluster to serve the metrics, and tells it them', async () => {
  const { lines, logger } = recorder();
  const told: Collected[] = [];
  const send = (message: unknown) => {
    if (isMessage<Collected>(message, 'collected')) told.push(message);
    return true;
  };
  const [before, listeners] = [process.send, process.listeners('message')];
  jest.replaceProperty(cluster, 'isWorker', true);
  process.send = send;
  const telemetry = await startApiTelemetry(configOf({ METRICS_PORT: '1' }), logger);
  process.emit('message', { type: 'collect', id: 7 }, undefined);
  await eventually(async () => expect(told).toHaveLength(1));
  expect(told[0]!.id).toBe(7);
  expect(parseExposition(told[0]!.text).value('orders_accepted_total')).toBe(0);
  expect(lines).toEqual([]);
  await telemetry!.close();
  process.send = before;
  for (const added of process.listeners('message').filter((one) => !listeners.includes(one)))
    process.off('message', added);
  jest.restoreAllMocks();
});
