import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FINDING_KINDS } from '../src/domain/findings';
import { createFindingRepository } from '../src/payments/findings/findings.repository';
import { createSandboxProvider } from '../src/payments/sandbox/provider';
import { createSandboxRepository } from '../src/payments/sandbox/repository';
import { parseOptions } from '../src/reconcile/options';
import { lineOf } from '../src/reconcile/output';
import { RECONCILIATION_WORKFLOW } from '../workflows/contract';
import { newKey, newPayment, WHOLE } from './payments/fixtures';
import { runEntry } from './support/entries';
import { openShop, type Shop } from './support/shop';
import { taskQueueEnv } from './support/task-queues';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ own: true });
  await shop.startWorker();
});
afterAll(() => shop.close());

const AT = '2026-01-31T00:00:00.000Z';

function reconcile(...args: string[]) {
  const env = {
    NODE_ENV: 'test',
    MONGODB_URI: shop.db.uri,
    TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS,
    ...taskQueueEnv(shop.taskQueue),
  };
  return runEntry('reconcile', env, { args });
}

it('the command follows a run to its end, prints the findings and says by its exit code whether there are any', async () => {
  expect(await reconcile()).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('Findings: 0 open, 0 repaired, 0 gone.') as string,
  });

  const provider = createSandboxProvider({ repository: createSandboxRepository(shop.db.connection) });
  const payment = newPayment();
  await provider.authorize(payment);
  await provider.capture(newKey(), payment, WHOLE);
  const found = await reconcile();
  expect(found).toMatchObject({ code: 1, stderr: expect.stringContaining('Findings: 1 open') as string });
  expect(found.stdout).toMatch(
    `charge_unknown of order ${payment.orderId}, payment ${payment.key}. there: 100.00 EUR captured; here: nothing.`,
  );
  expect(found.stdout).toMatch(/See docs\/failure-modes\.md#charge_unknown\n$/);

  const json = await reconcile('--json', '--repair');
  expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
    1,
    { id: `charge_unknown:${payment.key}`, there: { amount: 10_000 }, here: null },
  ]);
});

it('the command says what is wrong, with an exit code of its own', async () => {
  expect(await reconcile('--from', '2026-02-30')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^from must be a valid date\. Usage: npm run reconcile/) as string,
  });
  // There is a run already, with which another one would be confused.
  const { client } = shop.temporal;
  const workflowId = `${shop.taskQueue}-reconcile`;
  const args = [{ from: AT, paymentsTaskQueue: 'nobody' }];
  const { taskQueue } = shop;
  const handle = await client.workflow.start(RECONCILIATION_WORKFLOW, { workflowId, taskQueue, args });
  expect(await reconcile('--repair')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`Another run is going on, from ${AT} to `) as string,
  });
  await handle.terminate();
});

it('the options are a period, whether to repair and how to print', () => {
  expect(parseOptions([])).toEqual({
    request: { from: undefined, to: undefined, repair: false },
    asJson: false,
  });
  expect(
    parseOptions(['--from', '2026-01-31', '--to', '2026-02-01T01:00:00+01:00', '--repair', '--json']),
  ).toEqual({
    request: { from: AT, to: '2026-02-01T00:00:00.000Z', repair: true },
    asJson: true,
  });
  expect(() => parseOptions(['--to', '2026-01-01', '--from', '2026-01-02'])).toThrow('to must be after from');
  expect(() => parseOptions(['--period'])).toThrow("Unknown option '--period'");
});

it('the runbook has a heading for each kind of finding', async () => {
  const runbook = await readFile(join(__dirname, '..', 'docs', 'failure-modes.md'), 'utf8');
  const [ofReconciliation] = runbook.split('### Findings of an audit');
  const headings = [...ofReconciliation!.matchAll(/^#### (\w+)$/gm)].map(([, kind]) => kind);
  expect(headings).toEqual([...FINDING_KINDS]);
});

it('says what a refund is of, and what each has', async () => {
  const findings = createFindingRepository(shop.db.connection);
  const there = { amount: 500, currency: 'EUR', status: 'failed' };
  const payment = newPayment();
  const found = {
    kind: 'refund_failed',
    subject: 'a_1',
    there,
    here: { ...there, status: 'succeeded' },
  } as const;
  await findings.record([found], payment, { at: AT, since: AT });
  const [stored] = await findings.open({ limit: 1, after: 'refund' });
  expect(lineOf(stored!)).toBe(
    `refund_failed of order ${payment.orderId}, payment ${payment.key}, a_1. there: 5.00 EUR failed; ` +
      `here: 5.00 EUR succeeded. Since ${AT}. See docs/failure-modes.md#refund_failed`,
  );
});
