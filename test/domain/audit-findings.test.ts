import {
  AUDIT_FINDING_KINDS,
  auditFindingId,
  auditRepairOf,
  isCertain,
  subjectOf,
  UNCOUNTABLE,
  type AuditFindingKind,
} from '../../src/domain/audit-findings';

const kindsWhere = (isWanted: (kind: AuditFindingKind) => boolean) => AUDIT_FINDING_KINDS.filter(isWanted);

it('a finding has the same name whenever it is found of the same subject', () => {
  expect(auditFindingId({ kind: 'order_stuck', subject: 'ord_1' })).toBe('order_stuck:ord_1');
});

it('what is found of stock is about a product, a failing task about a workflow, and what both of them have about the order', () => {
  const stock = kindsWhere((kind) => subjectOf(kind) === 'product');
  expect(stock).toEqual(kindsWhere((kind) => kind.split('_')[0] === 'stock'));
  expect(stock).toHaveLength(4);
  expect(kindsWhere((kind) => subjectOf(kind) === 'workflow')).toEqual(['workflow_task_failing']);
  expect(kindsWhere((kind) => subjectOf(kind) === 'cart')).toEqual([
    'cart_malformed',
    'cart_without_order',
    'cart_not_reopened',
    'cart_hold_differs',
    'cart_hold_overdue',
  ]);
  expect(subjectOf('cart_not_ordered')).toBe('order');
  expect(subjectOf('workflow_not_ended')).toBe('order');
});

it('only what is read at once is certain when it is found once', () => {
  const ofOneDocument = /^(stock_|cart_malformed|order_(malformed|amounts|units|reservation|history))/;
  expect(kindsWhere((kind) => isCertain({ kind }))).toEqual(kindsWhere((kind) => ofOneDocument.test(kind)));
});

it('units are not counted while it is not known which an order or a cart has', () => {
  expect([...UNCOUNTABLE].sort()).toEqual([
    'cart_without_order',
    'order_behind_events',
    'order_behind_workflow',
    'order_malformed',
    'order_missing',
    'order_reservation_differs',
    'order_units_differ',
  ]);
});

it('stock is counted anew, a workflow looks at its order, a cart is put right, and people set all others right', () => {
  const repaired = AUDIT_FINDING_KINDS.map((kind) => [kind, auditRepairOf({ kind })]);
  expect(Object.fromEntries(repaired.filter(([, repair]) => repair !== null))).toEqual({
    stock_reserved_differs: 'recount',
    stock_held_differs: 'recount',
    stock_available_differs: 'recount',
    order_without_workflow: 'look',
    workflow_not_ended: 'look',
    workflow_differs: 'look',
    cart_not_reopened: 'reopen',
    cart_hold_differs: 'release',
    cart_hold_overdue: 'release',
    unpaid_order_differs: 'account',
  });
});
