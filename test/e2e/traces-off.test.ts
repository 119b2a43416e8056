import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { freePorts } from '../../tools/devstack/ports';
import { run } from '../../tools/run';
import { testConfig, JWT_SECRET } from '../support/config';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { openOrderApi, type OrderApi } from '../support/order-api';
import { spawnNode, type NodeProcess } from '../support/process';
import { tokenFor } from '../support/tokens';

const DIST = join(__dirname, '..', '..', 'dist', 'src');
const PRELOADED = join(__dirname, '..', 'support', 'loaded-packages.cjs');
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Loads an entry, which ends at once because it lacks its configuration. Returns the packages of OpenTelemetry that it loads. */
async function packagesOf(entry: string, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const args = ['--require', PRELOADED, join(DIST, `${entry}.js`)];
  const { stdout } = await run(process.execPath, args, { env });
  const [, loaded] = /^\{"loaded":(.*)\}$/m.exec(stdout)!;
  return JSON.parse(loaded!) as string[];
}

describe('without a collector', () => {
  it.each(['server', 'worker'])('%s loads nothing of the SDK', async (entry) => {
    expect(await packagesOf(entry)).toEqual(['@opentelemetry/api']);
  });

  it.each(['server', 'worker'])(
    '%s loads it with one, so that the test above tells something',
    async (entry) => {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', WEB_CONCURRENCY: '1' };
      expect(await packagesOf(entry, env)).toContain('@opentelemetry/sdk-trace');
    },
  );

  it('a process that only supervises others does without it as well', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', WEB_CONCURRENCY: '2' };
    expect(await packagesOf('server', env)).toEqual(['@opentelemetry/api']);
  });

  describe('an order', () => {
    let api: OrderApi;
    beforeAll(async () => void (api = await openOrderApi()));
    afterAll(() => api.close());

    it('leaves no header in the response or in Temporal, even if its client sends one', async () => {
      const { id } = await api.shop.sell();
      const token = api.tokenOf('CUSTOMER');
      const body = { items: [{ productServiceId: id, quantity: 1 }], paymentMethod: 'pm_card_visa' };
      const response = await api.place(token, body, { traceparent: TRACEPARENT }).expect(201);
      expect(response.headers).not.toHaveProperty('traceresponse');
      const { workflowId } = response.body.data as { workflowId: string };
      const history = await api.shop.temporal.client.workflow.getHandle(workflowId).fetchHistory();
      expect(JSON.stringify(history)).not.toContain('_tracer-data');
      const problem = await api.place(token, {}, { traceparent: TRACEPARENT }).expect(400);
      expect(problem.body).not.toHaveProperty('traceId');
    });
  });
});

describe('with a collector that does not answer', () => {
  let db: TestDatabase;
  let silent: Server;
  let api: NodeProcess;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    db = await openTestDatabase();
    silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    api.kill('SIGKILL');
    await api.ended;
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await db.drop();
  });

  async function startApi(env: NodeJS.ProcessEnv): Promise<string> {
    const [port] = (await freePorts(1)) as [number];
    api = spawnNode([join(DIST, 'server.js')], {
      NODE_ENV: 'test',
      JWT_SECRET,
      MONGODB_URI: db.uri,
      TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS,
      PORT: String(port),
      WEB_CONCURRENCY: '1',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      ...env,
    });
    await api.line(/API listening/);
    return `http://127.0.0.1:${port}/orders-management-system`;
  }

  async function serves(url: string): Promise<void> {
    const headers = { Authorization: `Bearer ${tokenFor(testConfig(), 'ADMIN')}` };
    for (let n = 0; n < 50; n++) {
      const response = await fetch(`${url}/orders?externalRef=${randomUUID()}`, { headers });
      expect(response.status).toBe(200);
      expect(response.headers.get('traceresponse')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      await response.text();
    }
  }

  it('the API serves, and stops without waiting for it', async () => {
    const url = await startApi({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '3600000', // the test would end as late if the process waited
      OTEL_BSP_EXPORT_TIMEOUT: '3600000',
      SHUTDOWN_TIMEOUT_MS: '1000',
    });
    await serves(url);
    api.kill('SIGTERM');
    expect(await api.ended).toBeNull();
    expect(api.lines.join()).toContain('API stopped');
  });

  it('the API says so, and serves', async () => {
    const [closed] = (await freePorts(1)) as [number];
    const url = await startApi({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${closed}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '200',
    });
    const told = api.line(/traces cannot be exported; nothing else is affected/);
    await serves(url);
    await told;
  });
});
