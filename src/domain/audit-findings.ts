/**
 * What an audit of the orders finds, each with a heading in docs/failure-modes.md. What an order and the payment service
 * have of a payment is compared by a reconciliation, see `FINDING_KINDS`.
 */
export const AUDIT_FINDING_KINDS = [
  'stock_reserved_differs',
  'stock_held_differs',
  'stock_available_differs',
  'stock_oversold',
  'order_malformed',
  'order_amounts_differ',
  'order_units_differ',
  'order_reservation_differs',
  'order_history_broken',
  'order_missing',
  'order_not_stored',
  'order_without_workflow',
  'order_stuck',
  'order_behind_events',
  'order_behind_workflow',
  'events_missing',
  'cart_not_ordered',
  'cart_ordered_twice',
  'cart_malformed',
  'cart_without_order',
  'cart_not_reopened',
  'cart_hold_differs',
  'cart_hold_overdue',
  'unpaid_order_differs',
  'workflow_not_ended',
  'workflow_differs',
  'workflow_task_failing',
] as const;
export type AuditFindingKind = (typeof AUDIT_FINDING_KINDS)[number];

/** Damage: something that no write of this system leaves so. */
export interface AuditFinding {
  kind: AuditFindingKind;
  /** The id of the product, the cart, the order or the workflow that it is about. */
  subject: string;
  /** What would have to be there, for people. */
  expected: string;
  found: string;
}

/** The name of a finding, the same whenever it is found. */
export function auditFindingId({ kind, subject }: Pick<AuditFinding, 'kind' | 'subject'>): string {
  return `${kind}:${subject}`;
}

/** What a finding is about, and so what is looked at again. */
export type AuditSubject = 'product' | 'cart' | 'order' | 'workflow';

const OF_CARTS: ReadonlySet<AuditFindingKind> = new Set([
  'cart_malformed',
  'cart_without_order',
  'cart_not_reopened',
  'cart_hold_differs',
  'cart_hold_overdue',
]);

export function subjectOf(kind: AuditFindingKind): AuditSubject {
  if (kind.startsWith('stock_')) return 'product';
  if (OF_CARTS.has(kind)) return 'cart';
  return kind === 'workflow_task_failing' ? 'workflow' : 'order';
}

/**
 * Those of what is read at once, in one document or one snapshot. All others are told of several that are read one after
 * the other, so they are only suspected until they are found again while the order, or the cart, has not changed.
 */
const CERTAIN: ReadonlySet<AuditFindingKind> = new Set([
  'stock_reserved_differs',
  'stock_held_differs',
  'stock_available_differs',
  'stock_oversold',
  'order_malformed',
  'order_amounts_differ',
  'order_units_differ',
  'order_reservation_differs',
  'order_history_broken',
  'cart_malformed',
]);

export function isCertain({ kind }: Pick<AuditFinding, 'kind'>): boolean {
  return CERTAIN.has(kind);
}

/**
 * Those of orders, or carts, of which it is not known which units they have. While there is one, what the others have says
 * nothing of the counters of any product: units that were freed now would be sold, and lack when the order is set right.
 */
export const UNCOUNTABLE: readonly AuditFindingKind[] = [
  'cart_without_order',
  'order_behind_events',
  'order_behind_workflow',
  'order_malformed',
  'order_missing',
  'order_reservation_differs',
  'order_units_differ',
];

/**
 * What sets a finding right: the stock of a product is counted anew, an order looks at its payment again, which starts its
 * workflow, lets it end or has it learn of what it missed, an order is counted among those that wait to be paid as it does, a cart
 * is opened again, or what is held for it and must not be is released.
 */
export type AuditRepair = 'recount' | 'look' | 'account' | 'reopen' | 'release';

const REPAIRS: Partial<Record<AuditFindingKind, AuditRepair>> = {
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
};

/** Returns what sets the finding right, or null if only a person can say what is right. */
export function auditRepairOf({ kind }: Pick<AuditFinding, 'kind'>): AuditRepair | null {
  return REPAIRS[kind] ?? null;
}
