import { Context, log } from '@temporalio/activity';
import {
  auditFindingId,
  auditRepairOf,
  subjectOf,
  type AuditFindingKind,
} from '../src/domain/audit-findings';
import { needsWorkflow } from '../src/domain/order-findings';
import {
  auditRunName,
  type OpenFindings,
  type OrdersAudit,
  type OrdersAuditCounts,
  type OrdersAuditPart,
} from '../src/domain/orders-audit';
import type {
  AuditFindingRepository,
  Found,
  StoredAuditFinding,
} from '../src/orders-audit/findings.repository';
import type { StoredOrder } from '../src/orders-audit/records.repository';
import type { ListedWorkflow } from '../src/orders-audit/seen-workflows';
import type { FindingRepository } from '../src/payments/findings/findings.repository';
import { createExamination, type ExaminationDeps, type SeenProducts } from './orders-audit.examination';
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
/** How many orders, carts or workflows that are not read in pages are looked at at a time. */
const LOOKS = 4;
/** How many findings of a kind are told in the log by one run. */
const TOLD = 100;
/** How often a finding is settled anew that another run has settled meanwhile. */
const ATTEMPTS = 3;
/** How often a part is tried, over two minutes, before what fails of it is left out. */
const PATIENCE = 8;

export type OrdersAuditActivities = ReturnType<typeof createOrdersAuditActivities>;

type PartRequest = Pick<OrdersAudit, 'repair' | 'histories' | 'atRest' | 'cursor' | 'startedAt'>;
type Counts = Partial<OrdersAuditCounts>;

/** Kinds of which a list of workflows does not tell whether the order or the workflow is the one that is behind. */
const OF_WORKFLOWS: ReadonlySet<string> = new Set<AuditFindingKind>([
  'order_without_workflow',
  'workflow_differs',
]);

/** A finding as it is when it is looked at again, that it is not any more, or that its subject keeps changing. */
type Seen = Found | 'gone' | 'changing';

/** A run that settles what was found. */
interface SettlingRun {
  request: PartRequest;
  name: string;
  /** Says that there is damage. */
  tell(finding: StoredAuditFinding): void;
}

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
        addTo(counts, done.counts);
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
    await each(ids, async (id) => record((await examination.order(id, settlingIn(request))) ?? []));
  }

  /** Examines a page of orders, and those again of which only the history tells what a list means. */
  async function recordPage(stored: readonly StoredOrder[], request: PartRequest): Promise<void> {
    const found = await examination.page(stored, settlingIn(request));
    const isUnsure = ({ finding }: Found) => OF_WORKFLOWS.has(finding.kind);
    await record(found.filter((one) => !isUnsure(one)));
    await recordOrders(new Set(found.filter(isUnsure).map(({ finding }) => finding.subject)), request);
  }

  /** Examines the orders of a page that have events, and are not there. */
  async function recordLost(
    stored: readonly StoredOrder[],
    range: { after: string | null; last: string | null },
    request: PartRequest,
  ): Promise<void> {
    const there = new Set(stored.map(({ id }) => id));
    let lost: string[] = [];
    for await (const id of records.ordersWithEvents(range)) {
      Context.current().heartbeat();
      if (!there.has(id)) lost.push(id);
      if (lost.length === ORDERS) {
        await recordOrders(lost, request);
        lost = [];
      }
    }
    await recordOrders(lost, request);
  }

  /** Returns of which orders a list of workflows tells something else than MongoDB, among them those that only seem so. */
  async function strangeAmong(
    listed: readonly ListedWorkflow[],
    { histories }: PartRequest,
  ): Promise<Set<string>> {
    const known = await records.briefOrders([...new Set(listed.map(({ orderId }) => orderId))]);
    const stored = listed.filter(({ orderId }) => known.has(orderId));
    const remembered = histories ? await workflows.remembered(stored) : new Map<string, never>();
    const strange = listed.filter(({ orderId, isNeeded, isRunning }) => {
      const order = known.get(orderId);
      if (!order) return isNeeded;
      const isUnneeded = isRunning && !needsWorkflow(order);
      const last = remembered.get(orderId);
      return isUnneeded || (typeof last === 'object' && last.version !== order.version);
    });
    return new Set(strange.map(({ orderId }) => orderId));
  }

  /** Examines the workflows whose tasks fail. */
  async function recordFailing(): Promise<void> {
    await each(await workflows.failing(), async (id) => record(await examination.workflow(id)));
  }

  /**
   * Looks again at findings of one kind: a suspicion is true or not, and what is open is gone, set right or as it was. The
   * products of all of them are looked at together.
   */
  async function settleAlike(alike: readonly StoredAuditFinding[], run: SettlingRun): Promise<Counts> {
    if (subjectOf(alike[0]!.kind) !== 'product') {
      const done = await each(alike, (one) => counted('findings', [one], () => settle(one, run)));
      return sumOf(done);
    }
    return counted('findings', alike, async () => {
      const seen = await examination.products(
        alike.map(({ subject }) => subject),
        () => Context.current().heartbeat(),
      );
      const done: Counts[] = [];
      for (const one of alike) {
        Context.current().heartbeat();
        done.push(await settle(one, run, among(seen, one)));
      }
      return sumOf(done);
    });
  }

  /** Settles a finding, and does so anew if another run settles it at the same time. @param seen it, if it was looked at */
  async function settle(finding: StoredAuditFinding, run: SettlingRun, seen?: Seen): Promise<Counts> {
    let current: StoredAuditFinding | null = finding;
    for (let attempt = 0; current && attempt < ATTEMPTS; attempt++) {
      Context.current().heartbeat();
      const again = (attempt === 0 && seen) || (await lookAgain(current, settlingIn(run.request)));
      const done = await settleAs(current, again, run);
      if (done) return done;
      current = await findings.findUnsettled(finding.id);
    }
    return {};
  }

  /** Returns undefined if another run has settled it since it was read. */
  async function settleAs(
    finding: StoredAuditFinding,
    again: Seen,
    { request, name, tell }: SettlingRun,
  ): Promise<Counts | undefined> {
    if (again === 'changing') return {};
    if (finding.state === 'suspected' && (again === 'gone' || again.revision !== finding.revision)) {
      // If it is damage, it is still there when the next run comes by.
      return (await findings.dismiss(finding)) ? { dismissed: 1 } : undefined;
    }
    if (again === 'gone')
      return (await findings.close(finding, { state: 'gone', at: now(), by: name }))
        ? { gone: 1 }
        : undefined;
    const confirmed = await findings.confirm(finding, again, now());
    if (!confirmed) return undefined;
    tell(confirmed);
    const how = request.repair ? auditRepairOf(finding) : null;
    return how ? setRight(confirmed, name, () => repairs[how](finding.subject)) : {};
  }

  async function setRight(
    finding: StoredAuditFinding,
    by: string,
    work: () => Promise<string | null>,
  ): Promise<Counts> {
    const { kind, subject } = finding;
    const done = await work();
    const again = done === null ? null : await lookAgain({ ...finding, state: 'open' });
    if (done === null || typeof again === 'object') {
      log.warn('damage not repaired', { kind, subject });
      return {};
    }
    // One that keeps changing is right by what was done: if not, the next run finds it anew.
    log.warn('damage repaired', { kind, subject, repair: done });
    const isOurs = await findings.close(finding, { state: 'repaired', at: now(), by, repair: done });
    return isOurs ? { repaired: 1 } : {};
  }

  /** Returns the finding as it is now, if it still is. */
  async function lookAgain(finding: StoredAuditFinding, settlingMs?: number): Promise<Seen> {
    const { id, state, kind, subject } = finding;
    const of = subjectOf(kind);
    if (of === 'product') return among(await examination.products([subject]), finding);
    const look = {
      cart: () => examination.cart(subject),
      // One that is open is not gone because the order has just changed.
      order: () => examination.order(subject, state === 'open' ? 0 : settlingMs),
      workflow: () => examination.workflow(subject),
    }[of];
    const all = await look();
    if (!all) return 'changing';
    return all.find((one) => auditFindingId(one.finding) === id) ?? 'gone';
  }

  /** Returns how a run says what it finds: the first ones of each kind one by one, and then that there are more. */
  async function createTell(run: string, { cursor }: PartRequest): Promise<SettlingRun['tell']> {
    const told = new Map<string, number>();
    if (cursor !== null) {
      const [kind] = cursor.split(':') as [string];
      told.set(kind, await findings.countUpTo(cursor, { kind, run, limit: TOLD + 1 }));
    }
    return ({ kind, subject, expected, found, runbook }) => {
      const count = (told.get(kind) ?? 0) + 1;
      told.set(kind, count);
      if (count <= TOLD) log.error('damage found', { kind, subject, expected, found, runbook });
      else if (count === TOLD + 1) log.error('more damage found', { kind, told: TOLD, runbook });
    };
  }

  return {
    /** Compares the stock of products with orders and carts. */
    auditProducts: (request: PartRequest): Promise<OrdersAuditPart> =>
      part(request, async (after) => {
        const { ids, last } = await records.products({ after, limit: PRODUCTS });
        const counts = await counted('products', ids, async (some) => {
          const { found, moving } = await examination.products(some, () => Context.current().heartbeat());
          await record(found);
          if (moving.length > 0) log.warn('not audited', { phase: 'products', moving });
          return { unanswered: moving.length };
        });
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
        const next = page.length < ORDERS ? null : page.at(-1)!.id;
        const counts = await counted('orders', page, async (some) => {
          await recordPage(some, request);
          await recordLost(some, { after, last: next }, request);
        });
        return { counts, next };
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
    async settleAuditFindings(request: PartRequest): Promise<OrdersAuditPart> {
      const name = auditRunName(Context.current().info.workflowExecution!.workflowId, request);
      const run: SettlingRun = { request, name, tell: await createTell(name, request) };
      // What it has closed already, if a worker died before it could say so.
      const { repaired, gone } = await findings.countClosedBy(name, request.cursor);
      const { counts, nextCursor } = await part(request, async (after) => {
        const page = await findings.unsettled({ after, limit: OTHERS });
        const done: Counts[] = [];
        for (const alike of byKind(page)) {
          Context.current().heartbeat();
          done.push(await settleAlike(alike, run));
        }
        return { counts: sumOf(done), next: page.length < OTHERS ? null : page.at(-1)!.id };
      });
      return { counts: sumOf([{ findings: repaired + gone, repaired, gone }, counts]), nextCursor };
    },

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

function addTo(counts: Counts, more: Counts): void {
  for (const [name, count] of Object.entries(more) as [keyof Counts, number][])
    if (count > 0) counts[name] = (counts[name] ?? 0) + count;
}

function sumOf(all: readonly Counts[]): Counts {
  const sum: Counts = {};
  for (const one of all) addTo(sum, one);
  return sum;
}

/** Does some at a time, and fails once nothing is under way any more. */
async function each<T, R>(all: Iterable<T>, work: (one: T) => Promise<R>): Promise<R[]> {
  const waiting = [...all];
  const results: R[] = [];
  while (waiting.length > 0) {
    Context.current().cancellationSignal.throwIfAborted();
    Context.current().heartbeat();
    for (const done of await Promise.allSettled(waiting.splice(0, LOOKS).map(work))) {
      if (done.status === 'rejected') throw done.reason;
      results.push(done.value);
    }
  }
  return results;
}

/** Returns findings, which are sorted by their kinds, by these. */
function byKind(page: readonly StoredAuditFinding[]): StoredAuditFinding[][] {
  const kinds = [...new Set(page.map(({ kind }) => kind))];
  return kinds.map((kind) => page.filter((one) => one.kind === kind));
}

/** Returns what was seen of a finding when its product was looked at. */
function among({ found, moving }: SeenProducts, { id, subject }: StoredAuditFinding): Seen {
  if (moving.includes(subject)) return 'changing';
  return found.find(({ finding }) => auditFindingId(finding) === id) ?? 'gone';
}

function now(): string {
  return new Date().toISOString();
}
