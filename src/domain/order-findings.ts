import type { AuditFinding, AuditFindingKind } from './audit-findings';
import type { Cart } from './cart';
import { unsettled } from './compensation';
import type { Axis, Order, OrderState } from './order';
import { flawsOf, malformed, type Flaw } from './order-flaws';
import { isClosed } from './order-transitions';
import { needOf } from './stuck';
import { unpaidOf } from './unpaid';

/** The workflow of an order, or the one of what happens after its end, as Temporal knows it. */
export interface SeenWorkflow {
  /** As Temporal names it, such as `RUNNING` or `COMPLETED`. */
  status: string;
  /** What it shows of the order. */
  states: Partial<OrderState>;
  /** ISO 8601. */
  startedAt: string;
}

/** An order at the latest version that a history in Temporal has of it. */
export interface RememberedOrder
  extends OrderState, Pick<Order, 'version' | 'total' | 'captured' | 'refunded'> {}

/** The events of an order that the feed has. */
export interface SeenEvents {
  /** The versions that they are of, ascending. */
  versions: readonly number[];
  /** Which version each of those follows that does not follow its predecessor in the list by one; null if none. */
  follows: ReadonlyMap<number, number | null>;
}

/** What of the past the feed has, ISO 8601. */
export interface FeedPeriod {
  /** All events since then are kept. */
  since: string;
  /** All writes until then have become events. */
  until: string;
}

/** What there is of an order beside its document. */
export interface OrderRecords {
  /** Null if there is none; undefined if it was not looked for, since none is needed. */
  workflow: SeenWorkflow | null | undefined;
  /** The workflow of what happens after the end of the order; the same. */
  afterwards: SeenWorkflow | null | undefined;
  /**
   * What the histories of its workflows have of it; null if nothing, undefined if they were not read. Unreadable is what
   * was encrypted with a key that is gone.
   */
  remembered: RememberedOrder | 'unreadable' | null | undefined;
  events: SeenEvents;
  /** Null if no event was ever written, or it is not known up to when they are complete. */
  feed: FeedPeriod | null;
  /** Whether the order is among those that wait for its customer to pay. */
  isCountedUnpaid: boolean;
  /** The cart that it was placed of; null if it has none, or that is gone. */
  cart: Pick<Cart, 'status' | 'orderId'> | null;
}

export interface OrderAuditContext {
  /** The time, ISO 8601. */
  at: string;
  /** How long after a change of an order other records may differ from it, in milliseconds. */
  settlingMs: number;
  /** How long an order that has to be moved may be left as it is, in milliseconds. */
  stuckMs: number;
  /** How long an accepted order may wait to be stored, in milliseconds. */
  storedWithinMs: number;
}

/**
 * Returns whether the workflow of an order has to run, since the order is open or owes something. One that is too damaged
 * to tell needs none: it is found as that.
 */
export function needsWorkflow(order: Pick<Order, 'status' | 'compensations'>): boolean {
  try {
    return !isClosed(order) || unsettled(order).length > 0;
  } catch {
    return false;
  }
}

/** Returns in what an order contradicts itself, or what there is of it elsewhere. */
export function orderFindings(
  order: Order,
  records: OrderRecords,
  context: OrderAuditContext,
): AuditFinding[] {
  try {
    const flaws = flawsOf(order);
    const isReadable = flaws.every(({ kind }) => kind !== 'order_malformed');
    const others = isReadable ? [...stuckFlaws(order, context), ...recordFlaws(order, records, context)] : [];
    return [...flaws, ...others].map((flaw) => ({ ...flaw, subject: order.id }));
  } catch (error) {
    return [{ ...malformed('a document that can be read', (error as Error).message), subject: order.id }];
  }
}

/** What there is of an order that has no document. */
export interface MissingOrderRecords extends Pick<OrderRecords, 'workflow' | 'remembered'> {
  /** Of its events. */
  versions: readonly number[];
}

/**
 * Returns what is found of an order that has no document. It is missing if it was stored: it has events, its workflow has come
 * to its end, or the history of that has a step that has ended. If not, it is still to be stored, and nothing is lost.
 */
export function missingOrderFindings(
  orderId: string,
  { workflow, remembered, versions }: MissingOrderRecords,
  { at, settlingMs, storedWithinMs }: OrderAuditContext,
): AuditFinding[] {
  const finding = (kind: AuditFindingKind, found: string) => [
    { kind, subject: orderId, expected: 'a document', found },
  ];
  const told = versions.length > 0 ? `, and events of versions ${versions.join(', ')}` : '';
  if (workflow?.status !== 'RUNNING' && workflow?.status !== 'COMPLETED')
    return told ? finding('order_missing', `none${told}`) : [];
  const isLost = Boolean(told) || Boolean(remembered) || workflow.status === 'COMPLETED';
  if (isRecent(workflow.startedAt, at, isLost ? settlingMs : storedWithinMs)) return [];
  const known = isKnown(remembered) ? `, and whose history has ${listOf(remembered, REMEMBERED)}` : '';
  return finding(
    isLost ? 'order_missing' : 'order_not_stored',
    `none, and a workflow that is ${workflow.status}, was started ${workflow.startedAt}${known}${told}`,
  );
}

type OtherFlaw = Omit<AuditFinding, 'subject' | 'kind'> & { kind: Exclude<AuditFindingKind, Flaw['kind']> };

function stuckFlaws(order: Order, { at, stuckMs }: OrderAuditContext): OtherFlaw[] {
  const before = new Date(Date.parse(at) - stuckMs).toISOString();
  const need = needOf(order, before);
  if (!need) return [];
  const { status, paymentStatus, updatedAt } = order;
  const found = `${status}, payment ${paymentStatus}, unchanged since ${updatedAt}`;
  return [{ kind: 'order_stuck', expected: `moved since ${before}`, found }];
}

function recordFlaws(order: Order, records: OrderRecords, context: OrderAuditContext): OtherFlaw[] {
  if (isRecent(order.updatedAt, context.at, context.settlingMs)) return [];
  return [
    ...workflowFlaws(order, records),
    ...eventFlaws(order, records, context),
    ...unpaidFlaws(order, records),
    ...cartFlaws(order, records),
  ];
}

function isRecent(time: string, at: string, settlingMs: number): boolean {
  return Date.parse(at) - Date.parse(time) < settlingMs;
}

const AXES: readonly Axis[] = ['status', 'paymentStatus', 'fulfillmentStatus'];
const REMEMBERED = ['version', ...AXES, 'total', 'captured', 'refunded'] as const;

function isKnown(remembered: OrderRecords['remembered']): remembered is RememberedOrder {
  return typeof remembered === 'object' && remembered !== null;
}

function workflowFlaws(order: Order, { workflow, afterwards, ...records }: OrderRecords): OtherFlaw[] {
  const remembered = isKnown(records.remembered) ? records.remembered : null;
  // What its workflow has to be is told of what the order was last, and not of what it was put back to.
  const behind = behindWorkflow(order, remembered);
  if (behind) return [behind];
  if (workflow === undefined) return [];
  const isRunning = workflow?.status === 'RUNNING';
  if (!needsWorkflow(order)) {
    if (!isRunning) return [];
    const found = `a workflow that runs since ${workflow.startedAt}`;
    return [{ kind: 'workflow_not_ended', expected: `none, since the order is ${order.status}`, found }];
  }
  if (!isRunning) {
    // What a closed order owes, the other workflow may do.
    if (isClosed(order) && afterwards?.status === 'RUNNING') return [];
    const found = workflow ? `one that is ${workflow.status}` : 'none';
    return [{ kind: 'order_without_workflow', expected: 'a workflow that runs', found }];
  }
  // It is about to show what it was resumed with.
  if (order.intention !== null) return [];
  const shown = { ...workflow.states, version: remembered?.version ?? order.version };
  const differing = (['version', ...AXES] as const).filter((field) => shown[field] !== order[field]);
  if (differing.length === 0) return [];
  const [expected, found] = [order, shown].map((one) => listOf(one, differing));
  return [{ kind: 'workflow_differs', expected: expected!, found: `in Temporal: ${found}` }];
}

/** Returns that a workflow knows more of the order than MongoDB does, or other states of the same version. */
function behindWorkflow(order: Order, remembered: RememberedOrder | null): OtherFlaw | null {
  if (!remembered || remembered.version < order.version) return null;
  const isLater = remembered.version > order.version;
  if (!isLater && AXES.every((axis) => remembered[axis] === order[axis])) return null;
  const differing = REMEMBERED.filter((field) => remembered[field] !== order[field]);
  const [expected, found] = [remembered, order].map((one) => listOf(one, differing));
  return { kind: 'order_behind_workflow', expected: expected!, found: found! };
}

function listOf<Field extends string>(values: { [F in Field]?: unknown }, fields: readonly Field[]): string {
  return fields.map((field) => `${field} ${String(values[field])}`).join(', ');
}

function eventFlaws(
  order: Order,
  { events: { versions, follows }, feed }: OrderRecords,
  { settlingMs }: OrderAuditContext,
): OtherFlaw[] {
  const { version, createdAt, updatedAt } = order;
  const last = versions.at(-1) ?? 0;
  if (last > version)
    return [{ kind: 'order_behind_events', expected: `version ${last}`, found: `version ${version}` }];
  const missing = versions.find((one, n) => isGap(one, versions[n - 1]));
  if (missing !== undefined) return [eventsMissing(`the event of version ${follows.get(missing)}`, versions)];
  if (!feed) return [];
  const isKept = (time: string) => Date.parse(time) - Date.parse(feed.since) > settlingMs;
  const isFollowed = Date.parse(feed.until) - Date.parse(updatedAt) > settlingMs;
  if (last < version && isKept(updatedAt) && isFollowed)
    return [eventsMissing(`the event of version ${version}`, versions)];
  const [earliest = 0] = versions;
  const first = follows.get(earliest);
  if (typeof first === 'number' && isKept(createdAt))
    return [eventsMissing(`the event of version ${first}`, versions)];
  return [];

  /** Whether the event before it is not the one that it follows. The first one may follow one that has expired. */
  function isGap(one: number, before: number | undefined): boolean {
    return before !== undefined && follows.has(one) && follows.get(one) !== before;
  }
}

function eventsMissing(expected: string, versions: readonly number[]): OtherFlaw {
  const found = versions.length > 0 ? `those of versions ${versions.join(', ')}` : 'none';
  return { kind: 'events_missing', expected, found };
}

function unpaidFlaws(order: Order, { isCountedUnpaid }: OrderRecords): OtherFlaw[] {
  const isWaiting = unpaidOf(order) !== null;
  if (isWaiting === isCountedUnpaid) return [];
  const said = (isCounted: boolean) => (isCounted ? 'counted as unpaid' : 'not counted as unpaid');
  return [{ kind: 'unpaid_order_differs', expected: said(isWaiting), found: said(isCountedUnpaid) }];
}

function cartFlaws(order: Order, { cart }: OrderRecords): OtherFlaw[] {
  if (!cart || order.status === 'rejected') return [];
  if (cart.status === 'ordered' && cart.orderId === order.id) return [];
  const found = `${cart.status}, as ${cart.orderId ?? 'no order'}`;
  const kind = cart.status === 'ordered' ? 'cart_ordered_twice' : 'cart_not_ordered';
  return [{ kind, expected: 'its cart ordered as this order', found }];
}
