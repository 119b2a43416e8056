import {
  afterAuditPart,
  auditRunName,
  beginOrdersAudit,
  ORDERS_AUDIT_PHASES,
} from '../../src/domain/orders-audit';
import { CREATED } from './fixtures';

it('an audit begins with the first phase, and with nothing counted, repaired or open', () => {
  const nothing = { products: 0, carts: 0, orders: 0, unpaid: 0, workflows: 0, payments: 0, findings: 0 };
  expect(beginOrdersAudit({}, CREATED)).toEqual({
    repair: false,
    payments: false,
    histories: false,
    atRest: false,
    startedAt: CREATED,
    phase: 'products',
    cursor: null,
    counts: { ...nothing, dismissed: 0, unanswered: 0, repaired: 0, gone: 0 },
    open: {},
  });
  const all = { repair: true, payments: true, histories: true, atRest: true };
  expect(beginOrdersAudit(all, CREATED)).toMatchObject(all);
});

it('an audit is named by its workflow and its beginning, also when it continues as another run', () => {
  const run = beginOrdersAudit({}, CREATED);
  const later = afterAuditPart(run, { counts: {}, nextCursor: 'next' });
  expect([run, later].map((one) => auditRunName('audit', one))).toEqual(
    Array(2).fill('audit 2026-01-01T00:00:00.000Z'),
  );
});

it('an audit goes through all phases, one part after the other, and ends', () => {
  let run = beginOrdersAudit({}, CREATED);
  const phases: string[] = [];
  while (run.phase !== 'done') {
    phases.push(run.phase);
    run = afterAuditPart(run, { counts: { [run.phase]: 2 }, nextCursor: 'next' });
    expect(run).toMatchObject({ phase: phases.at(-1), cursor: 'next' });
    run = afterAuditPart(run, { counts: { [run.phase]: 3, dismissed: 1 }, nextCursor: null });
    expect(run.cursor).toBeNull();
  }
  expect(phases).toEqual([...ORDERS_AUDIT_PHASES]);
  expect(phases).toEqual(['products', 'carts', 'orders', 'unpaid', 'workflows', 'payments', 'findings']);
  expect(run.counts).toMatchObject({ products: 5, orders: 5, findings: 5, dismissed: 7, gone: 0 });
});
