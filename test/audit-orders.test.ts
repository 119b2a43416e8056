import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AUDIT_FINDING_KINDS } from '../src/domain/audit-findings';
import { createProductServiceModel } from '../src/product-service/product-service.model';
import { ORDERS_AUDIT_WORKFLOW } from '../workflows/contract';
import { runEntry } from './support/entries';
import { openShop, type Shop } from './support/shop';
import { taskQueueEnv } from './support/task-queues';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ own: true });
  await shop.startWorker();
});
afterAll(() => shop.close());

function auditOrders(...args: string[]) {
  const env = {
    NODE_ENV: 'test',
    MONGODB_URI: shop.db.uri,
    TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS,
    ...taskQueueEnv(shop.taskQueue),
  };
  return runEntry('audit-orders', env, { args });
}

it('the command follows a run to its end, prints the findings and says by its exit code whether there are any', async () => {
  const { id } = await shop.sell();
  expect(await auditOrders()).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('Findings: 0 open, 0 repaired, 0 gone.') as string,
  });

  await createProductServiceModel(shop.db.connection).updateOne({ _id: id }, { 'stock.reserved': 2 });
  const json = await auditOrders('--json');
  expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
    1,
    { id: `stock_reserved_differs:${id}`, state: 'open', expected: 'reserved 0', found: 'reserved 2' },
  ]);

  const repaired = await auditOrders('--repair');
  expect(repaired).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('Findings: 0 open, 1 repaired, 0 gone.') as string,
  });
  expect(repaired.stdout).toMatch(/found: reserved 2\. Since .*\. Repaired: reserved set from 2 to 0\n$/);
  expect(await shop.stockOf(id)).toMatchObject({ available: 100, reserved: 0 });
  const audited = await shop.db.connection.collection('audit').findOne({ action: 'stock.recount' });
  expect(audited).toMatchObject({
    actor: 'orders-audit',
    object: id,
    changes: [{ field: 'stock.reserved', before: 2, after: 0 }],
  });
});

it('the command says what is wrong, with an exit code of its own', async () => {
  expect(await auditOrders('--fast')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('Usage: npm run audit:orders') as string,
  });
  // There is a run already, with which another one would be confused.
  const workflowId = `${shop.taskQueue}-audit-orders`;
  const { taskQueue } = shop;
  const handle = await shop.temporal.client.workflow.start(ORDERS_AUDIT_WORKFLOW, {
    workflowId,
    taskQueue,
    args: [{ payments: true, paymentsTaskQueue: 'nobody' }],
  });
  expect(await auditOrders('--repair')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Another run is going on, without --repair: wait until') as string,
  });
  await handle.terminate();
});

it('the runbook has a heading for each kind of finding', async () => {
  const runbook = await readFile(join(__dirname, '..', 'docs', 'failure-modes.md'), 'utf8');
  const [, ofAudit] = runbook.split('### Findings of an audit');
  const headings = [...ofAudit!.matchAll(/^#### (\w+)$/gm)].map(([, kind]) => kind);
  expect(headings).toEqual([...AUDIT_FINDING_KINDS]);
});
