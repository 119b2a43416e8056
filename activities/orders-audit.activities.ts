import { Context, log } from '@temporalio/activity';
import {
  auditFindingId,
  auditRepairOf,
  subjectOf,
  type AuditFindingKind,
} from '../src/domain/audit-findings';
import { needsWorkflow, type RememberedOrder } from '../src/domain/order-findings';
import type {
  OpenFindings,
  OrdersAudit,
  OrdersAuditCounts,
  OrdersAuditPart,
} from '../src/domain/orders-audit';
import type {
  AuditFindingRepository,
  Found,
  StoredAuditFinding,
} from '../src/orders-audit/findings.repository';
import type { StoredOrder } from '../src/orders-audit/records.repository';
import type { ListedWorkflow } from '../src/orders-audit/seen-workflows';
import type { FindingRepository } from '../src/payments/findings/findings.repository';
import { createExamination, type ExaminationDeps } from './orders-audit.examination';
import type { AuditRepairs } from './orders-audit.repairs';

export interface OrdersAuditActivityDeps extends ExaminationDeps {
  findings: AuditFindingRepository;
  /** Those of reconciliations. */
  paymentFindings: Pick<FindingRepository, 'countOpen'>;
  repairs: AuditRepairs;
  /** How long a part may take, in milliseconds: what is lost at most when a worker dies. */
  partMs?: number;
}

const PART_MS = 20_000;
const HEARTBEAT_MS = 5_000;
/** How many orders are in memory at a time. */
const ORDERS = 100;
/** The products of one snapshot, which MongoDB keeps for some minutes. */
const PRODUCTS = 20;
const CARTS = 200;
const OTHERS = 100;
/** How often a part is tried, over two minutes, before what fails of it is left out. */
const PATIENCE = 8;

export type OrdersAuditActivities = ReturnType<typeof createOrdersAuditActivities>;

type PartRequest = Pick<OrdersAudit, 'repair' | 'histories' | 'atRest' | 'cursor'>;
type Counts = Partial<OrdersAuditCounts>;

/** Kinds of which a list of workflows does not tell whether the order or the workflow is the one that is behind. */
const OF_WORKFLOWS: ReadonlySet<string> = new Set<AuditFindingKind>([
  'order_without_workflow',
  'workflow_differs',
]);

/** What was done in a step of a part, and where the next one begins; null at the end of the phase. */
interface Step {
  counts: Counts;
  next: string | null;
}

/** Each does one part of a run. It may run twice: what it writes depends only on what there is. */
export function createOrdersAuditActivities(deps: OrdersAuditActivityDeps) {
  const { records, workflows, findings, paymentFindings, repairs, partMs = PART_MS } = deps;
  const examination = createExamination(deps);

  /** Takes steps until the time of a part is over, or the phase. */
  async function part(
    { cursor }: PartRequest,
    step: (cursor: string | null) => Promise<Step>,
  ): Promise<OrdersAuditPart> {
    const until = Date.now() + partMs;
    const beats = setInterval(() => Context.current().heartbeat(), HEARTBEAT_MS);
    const counts: Counts = {};
    try {
      for (let next = cursor; ;) {
        Context.current().cancellationSignal.throwIfAborted();
        Context.current().heartbeat();
        const done = await step(next);
        for (const [name, count] of Object.entries(done.counts) as [keyof Counts, number][])
          counts[name] = (counts[name] ?? 0) + count;
        next = done.next;
        if (next === null || Date.now() >= until) return { counts, nextCursor: next };
      }
    } finally {
      clearInterval(beats);
    }
  }

  const record = (found: readonly Found[]) => findings.record(found, now());

  /** Returns how long after a change of an order other records may differ from it; undefined for as long as ever. */
  const settlingIn = ({ atRest }: PartRequest): number | undefined => (atRest ? 0 : undefined);

  /** Examines orders one by one, each with its workflow as it is now, for all that lists have told of them. */
  async function recordOrders(ids: Iterable<string>, request: PartRequest): Promise<void> {
    for (const id of ids) {
      Context.current().heartbeat();
      await record((await examination.order(id, settlingIn(request))) ?? []);
    }
  }

  /** Examines a page of orders, and those again of which only the history tells what a list means. */
  async function recordPage(stored: readonly StoredOrder[], request: PartRequest): Promise<void> {
    const found = await examination.page(stored, settlingIn(request));
    const isUnsure = ({ finding }: Found) => OF_WORKFLOWS.has(finding.kind);
    await record(found.filter((one) => !isUnsure(one)));
    await recordOrders(new Set(found.filter(isUnsure).map(({ finding }) => finding.subject)), request);
  }

  /** Returns of which orders a list of workflows tells something else than MongoDB, among them those that only seem so. */
  async function strangeAmong(
    listed: readonly ListedWorkflow[],
    { histories }: PartRequest,
  ): Promise<Set<string>> {
    const known = await records.briefOrders([...new Set(listed.map(({ orderId }) => orderId))]);
    const stored = listed.filter(({ orderId }) => known.has(orderId));
    const remembered = histories ? await workflows.remembered(stored) : new Map<string, RememberedOrder>();
    const strange = listed.filter(({ orderId, isNeeded, isRunning }) => {
      const order = known.get(orderId);
      if (!order) return isNeeded;
      const isUnneeded = isRunning && !needsWorkflow(order);
      return isUnneeded || (remembered.get(orderId)?.version ?? order.version) !== order.version;
    });
    return new Set(strange.map(({ orderId }) => orderId));
  }

  /** Examines the workflows whose tasks fail. */
  async function recordFailing(): Promise<void> {
    for (const id of await workflows.failing()) {
      Context.current().heartbeat();
      await record(await examination.workflow(id));
    }
  }

  /** Looks again at a finding: a suspicion is true or not, and what is open is gone, set right or as it was. */
  async function settle(finding: StoredAuditFinding, request: PartRequest): Promise<Counts> {
    const { id, state, kind } = finding;
    const again = await lookAgain(finding, settlingIn(request));
    if (again === 'changing') return {};
    if (!again) {
      if (state === 'suspected') await findings.dismiss(id);
      else await findings.close(id, { state: 'gone', at: now() });
      return state === 'suspected' ? { dismissed: 1 } : { gone: 1 };
    }
    if (state === 'suspected' && again.revision !== finding.revision) {
      await findings.dismiss(id); // if it is damage, it is still there when the next run comes by
      return { dismissed: 1 };
    }
    await findings.confirm(id);
    await record([again]);
    const { subject, expected, found } = again.finding;
    log.error('damage found', { kind, subject, expected, found, runbook: finding.runbook });
    const how = auditRepairOf(finding);
    return request.repair && how ? setRight(finding, () => repairs[how](subject)) : {};
  }

  async function setRight(finding: StoredAuditFinding, work: () => Promise<string | null>): Promise<Counts> {
    const { id, kind, subject } = finding;
    const done = await work();
    if (done === null || (await lookAgain({ ...finding, state: 'open' }))) {
      log.warn('damage not repaired', { kind, subject });
      return {};
    }
    await findings.close(id, { state: 'repaired', at: now(), repair: done });
    log.warn('damage repaired', { kind, subject, repair: done });
    return { repaired: 1 };
  }

  /** Returns the finding as it is now, if it still is, or that the order keeps changing. */
  async function lookAgain(
    { id, state, kind, subject }: StoredAuditFinding,
    settlingMs?: number,
  ): Promise<Found | 'changing' | undefined> {
    const look = {
      product: () => examination.products([subject]),
      cart: () => examination.cart(subject),
      // One that is open is not gone because the order has just changed.
      order: () => examination.order(subject, state === 'open' ? 0 : settlingMs),
      workflow: () => examination.workflow(subject),
    }[subjectOf(kind)];
    const all = await look();
    return all ? all.find(({ finding }) => auditFindingId(finding) === id) : 'changing';
  }

  return {
    /** Compares the stock of products with orders and carts. */
    auditProducts: (request: PartRequest): Promise<OrdersAuditPart> =>
      part(request, async (after) => {
        const { ids, last } = await records.products({ after, limit: PRODUCTS });
        const counts = await counted('products', ids, async (some) =>
          record(await examination.products(some, () => Context.current().heartbeat())),
        );
        return { counts, next: last };
      }),

    /** Looks at carts, their orders, and what is held for them. */
    auditCarts: (request: PartRequest): Promise<OrdersAuditPart> =>
      part(request, async (after) => {
        const page = await records.carts({ after, limit: CARTS });
        const counts = await counted('carts', page, async (some) => record(await examination.carts(some)));
        return { counts, next: page.length < CARTS ? null : page.at(-1)!.id };
      }),

    /** Looks at orders, and at what there is of each elsewhere. */
    auditOrders: (request: PartRequest): Promise<OrdersAuditPart> =>
      part(request, async (after) => {
        const page = await records.orders({ after, limit: ORDERS });
        const counts = await counted('orders', page, (some) => recordPage(some, request));
        return { counts, next: page.length < ORDERS ? null : page.at(-1)!.id };
      }),

    /** Looks at the orders that are counted as unpaid. */
    auditUnpaid: (request: PartRequest): Promise<OrdersAuditPart> =>
      part(request, async (after) => {
        const { orderIds, last } = await records.unpaid({ after, limit: OTHERS });
        const counts = await counted('unpaid', orderIds, async (ids) => {
          const stored = await records.ordersById(ids);
          await recordPage(stored, request);
          const there = new Set(stored.map(({ id }) => id));
          await recordOrders(
            ids.filter((id) => !there.has(id)),
            request,
          );
        });
        return { counts, next: last };
      }),

    /** Looks for workflows whose orders are missing or have ended, and for those whose tasks fail. */
    auditWorkflows: (request: PartRequest): Promise<OrdersAuditPart> =>
      part(request, async (cursor) => {
        if (cursor === null) await recordFailing();
        const list = await workflows.list(cursor, { isWhole: request.histories });
        const counts = await counted('workflows', list.workflows, async (some) =>
          recordOrders(await strangeAmong(some, request), request),
        );
        return { counts, next: list.nextCursor };
      }),

    /** Looks again at what was found, now or by earlier runs. */
    settleAuditFindings: (request: PartRequest): Promise<OrdersAuditPart> =>
      part(request, async (after) => {
        const page = await findings.unsettled({ after, limit: OTHERS });
        const counts: Counts = {};
        for (const one of page) {
          Context.current().heartbeat();
          const done = await counted('findings', [one], () => settle(one, request));
          for (const [name, count] of Object.entries(done) as [keyof Counts, number][])
            counts[name] = (counts[name] ?? 0) + count;
        }
        return { counts, next: page.length < OTHERS ? null : page.at(-1)!.id };
      }),

    /** Returns how many findings are open, by their kinds, those of reconciliations as well. */
    countAuditFindings: async (): Promise<OpenFindings> => ({
      ...(await findings.countOpen()),
      ...(await paymentFindings.countOpen()),
    }),
  };
}

/** Counts what was looked at, and what has come of it. What fails is left out once it has failed often. */
async function counted<T>(
  phase: keyof OrdersAuditCounts,
  all: readonly T[],
  work: (all: readonly T[]) => Promise<Counts | void>,
): Promise<Counts> {
  try {
    return { [phase]: all.length, ...(await work(all)) };
  } catch (error) {
    const { info, cancellationSignal } = Context.current();
    if (info.attempt < PATIENCE || cancellationSignal.aborted) throw error;
    log.warn('not audited', { phase, error });
    return { [phase]: all.length, unanswered: all.length };
  }
}

function now(): string {
  return new Date().toISOString();
}
