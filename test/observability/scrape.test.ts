import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_CATALOGUE } from '../../src/seed/catalogue';
import { startObservedStack, type ObservedStack } from '../../tools/alerts/observed-stack';
import { metricsOf, readQueries } from '../../tools/deploy/queries';
import { createOutput } from '../../tools/output';
import { PROJECT_ROOT } from '../../tools/project';
import { HANG_MS, repeat } from '../support/eventually';
import { openReceiver, type Receiver } from '../support/receiver';

/** What the SDK tells only once something has failed, or has lasted; its sources say that it would. */
const RARE = [
  'temporal_activity_execution_failed',
  'temporal_local_activity_execution_cancelled',
  'temporal_local_activity_execution_failed',
  'temporal_request_failure',
  'temporal_sticky_cache_miss',
  'temporal_sticky_cache_total_forced_eviction',
  'temporal_workflow_continue_as_new',
  'temporal_workflow_failed',
  'temporal_workflow_task_execution_failed',
];
const SDK = join(PROJECT_ROOT, 'node_modules', '@temporalio', 'core-bridge', 'sdk-core', 'crates');

let folder: string;
let stack: ObservedStack | undefined;
let receiver: Receiver | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orders-scrape-'));
  stack = await startObservedStack(folder, createOutput(), { PLACE_ORDER_TIMEOUT_MS: String(HANG_MS) });
  receiver = await openReceiver();
});
afterAll(async () => {
  receiver?.close();
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Returns the names of all that a process tells, with the suffixes that histograms have. */
async function scrape(port: number): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const lines = (await response.text()).split('\n').filter((line) => /^[a-zA-Z_]/.test(line));
  return lines.map((line) => /^\w+/.exec(line)![0]);
}

/** Has something of everything happen that is measured: an order, its payment, its webhook. */
async function trade({ signIn }: ObservedStack): Promise<void> {
  const { admin, customer } = await signIn();
  await admin.createWebhookEndpoint({ body: { url: receiver!.url, types: ['*'] } });
  const productServiceId = DEMO_CATALOGUE[0]!._id;
  const body = { items: [{ productServiceId, quantity: 1 }], paymentMethod: 'pm_card_visa' };
  const { data } = await customer.placeOrder({ body });
  await customer.cancelOrder({ path: { id: data.id }, body: {} });
  await repeat(
    async () => receiver!.received.length > 0 || undefined,
    () => 'No webhook arrives.',
  );
}

it('every metric of the rules and dashboards is told by a process', async () => {
  await trade(stack!);
  const wanted = [...new Set(readQueries().flatMap(({ expr }) => metricsOf(expr)))].filter(
    (name) => !RARE.includes(name),
  );
  let missing: string[] = [];
  await repeat(
    async () => {
      const told = await Promise.all(Object.values(stack!.metricsPorts).map(scrape));
      missing = wanted.filter((name) => !told.flat().includes(name));
      return missing.length === 0 || undefined;
    },
    () => `Nobody tells ${missing.join(', ')}.`,
  );
});

it('what the SDK tells rarely has the names that its sources have', async () => {
  const sources = await Promise.all(
    ['sdk-core/src/telemetry/metrics.rs', 'client/src/metrics.rs'].map((path) =>
      readFile(join(SDK, path), 'utf8'),
    ),
  );
  const unknown = RARE.filter((name) => !sources.join().includes(`"${name.replace(/^temporal_/, '')}"`));
  expect(unknown).toEqual([]);
});
