import { heartbeat } from '@temporalio/activity';
import type { AuditFinding } from '../src/domain/audit-findings';
import { cartFindings } from '../src/domain/cart-findings';
import {
  missingOrderFindings,
  needsWorkflow,
  orderFindings,
  type OrderAuditContext,
  type OrderRecords,
} from '../src/domain/order-findings';
import type { Order } from '../src/domain/order';
import { stockFindings } from '../src/domain/stock-flaws';
import type { Found } from '../src/orders-audit/findings.repository';
import type { AuditRecords, SeenCart, StoredOrder } from '../src/orders-audit/records.repository';
import type { SeenWorkflows } from '../src/orders-audit/seen-workflows';
import type { StockUnits } from '../src/orders-audit/stock-units.repository';

export interface ExaminationDeps {
  records: AuditRecords;
  stock: StockUnits;
  workflows: SeenWorkflows;
  /** How long after a change of an order other records may differ from it, in milliseconds. */
  settlingMs: number;
  /** How long an order that has to be moved may be left as it is, in milliseconds. */
  stuckMs: number;
  /** How long an accepted order may wait to be stored, in milliseconds. */
  storedWithinMs: number;
}

/** What there is of an order in Temporal; undefined where it was not looked for. */
type InTemporal = Pick<OrderRecords, 'workflow' | 'afterwards' | 'remembered'>;

/** What was found of products. */
export interface SeenProducts {
  found: Found[];
  /** Those of which it cannot be told now, see `StocksInUse`. */
  moving: string[];
}

/** How often an order or a cart that changes while it is examined is examined again. */
const ATTEMPTS = 3;

/** Looks at products, carts, orders and workflows, each together with all that belongs to it. */
export function createExamination(deps: ExaminationDeps) {
  const { records, stock, workflows } = deps;

  const contextOf = (settlingMs: number): OrderAuditContext => ({
    at: new Date().toISOString(),
    settlingMs,
    stuckMs: deps.stuckMs,
    storedWithinMs: deps.storedWithinMs,
  });

  /** Examines orders with what there is of them elsewhere. What is found of those that change meanwhile is left out. */
  async function examine(
    stored: readonly StoredOrder[],
    workflowsOf: (order: Order) => InTemporal,
    context: OrderAuditContext,
  ): Promise<Found[]> {
    const orders = stored.flatMap(({ order }) => order ?? []);
    const ids = orders.map(({ id }) => id);
    const [events, feed, unpaid, carts] = await Promise.all([
      records.events(ids),
      records.feed(),
      records.unpaidOf([...new Set(orders.map(({ customerId }) => customerId))]),
      records.cartsById(orders.flatMap(({ cart }) => cart?.id ?? [])),
    ]);
    const found = orders.flatMap((order) => {
      const known = {
        ...workflowsOf(order),
        feed,
        events: events.get(order.id) ?? NO_EVENTS,
        isCountedUnpaid: unpaid.has(order.id),
        cart: (order.cart && carts.get(order.cart.id)) ?? null,
      };
      const { revision } = order;
      return orderFindings(order, known, context).map((finding) => ({ finding, revision }));
    });
    const revisions = await records.revisions([...new Set(found.map(({ finding }) => finding.subject))]);
    return [
      ...stored.flatMap(({ id, flaw }) => (flaw ? [foundIn({ ...flaw, subject: id })] : [])),
      ...found.filter(({ finding, revision }) => revisions.get(finding.subject) === revision),
    ];
  }

  /** Looks at carts with what there is of them elsewhere. What is found of those that change meanwhile is left out. */
  async function examineCarts(seen: readonly SeenCart[]): Promise<Found[]> {
    const carts = seen.flatMap(({ stored }) => stored?.cart ?? []);
    const held = carts.flatMap(({ hold }) => hold?.items.map(({ productServiceId: id }) => id) ?? []);
    const [orders, stocked] = await Promise.all([
      records.ordersOfCarts(carts.flatMap(({ orderId }) => orderId ?? [])),
      records.stocked([...new Set(held)]),
    ]);
    const at = new Date().toISOString();
    const found = seen.flatMap(({ id, version, stored, flaw }) => {
      const order = orders.get(stored?.cart.orderId ?? '') ?? null;
      const findings = stored ? cartFindings(stored, { order, stocked }, at) : [{ ...flaw, subject: id }];
      return findings.map((finding) => ({ finding, revision: version }));
    });
    const versions = await records.cartVersions(found.map(({ finding }) => finding.subject));
    return found.filter(({ finding, revision }) => versions.get(finding.subject) === revision);
  }

  return {
    carts: examineCarts,

    /** Looks at one cart. Returns null if it keeps changing. */
    async cart(id: string): Promise<Found[] | null> {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        heartbeat();
        const seen = await records.seenCarts([id]);
        const found = await examineCarts(seen);
        const versions = await records.cartVersions([id]);
        if (seen.length === 0 || versions.get(id) === seen[0]!.version) return found;
      }
      return null;
    },

    /** Looks at the stock of products. @param onProgress called while it lasts */
    async products(ids: readonly string[], onProgress?: () => void): Promise<SeenProducts> {
      const { all, moving } = await stock.inUse(ids, onProgress);
      const found = all.flatMap(({ stock: counted, units }) => stockFindings(counted, units));
      return { found: found.map(foundIn), moving };
    },

    /**
     * Looks at a page of orders. Their workflows are looked up in a list, which may be some seconds old.
     * @param settlingMs how long after a change of it other records may differ
     */
    async page(stored: readonly StoredOrder[], settlingMs = deps.settlingMs): Promise<Found[]> {
      const needing = stored.flatMap(({ order }) => (order && needsWorkflow(order) ? [order.id] : []));
      const running = await workflows.running(needing);
      const inTemporal = (order: Order): InTemporal => ({
        workflow: needsWorkflow(order) ? (running.get(order.id) ?? null) : undefined,
        afterwards: undefined,
        remembered: undefined,
      });
      return examine(stored, inTemporal, contextOf(settlingMs));
    },

    /**
     * Looks at one order, at its workflow as it is now, and at all that histories have of it. Returns null if the order
     * keeps changing.
     * @param settlingMs how long after a change of it other records may differ
     */
    async order(id: string, settlingMs = deps.settlingMs): Promise<Found[] | null> {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        heartbeat();
        const [stored] = await records.ordersById([id]);
        const workflow = await workflows.ofOrder(id);
        const remembered = await workflows.rememberedOf(id);
        const context = contextOf(settlingMs);
        if (!stored) {
          const versions = (await records.events([id])).get(id)?.versions ?? [];
          return missingOrderFindings(id, { workflow, remembered, versions }, context).map(foundIn);
        }
        const isElsewhere = stored.order && needsWorkflow(stored.order) && workflow?.status !== 'RUNNING';
        const afterwards = isElsewhere ? await workflows.afterOrder(id) : undefined;
        const found = await examine([stored], () => ({ workflow, afterwards, remembered }), context);
        const revisions = await records.revisions([id]);
        if (!stored.order || revisions.get(id) === stored.order.revision) return found;
      }
      return null;
    },

    /** Looks at the tasks of one workflow. */
    async workflow(id: string): Promise<Found[]> {
      const failure = await workflows.failureOf(id);
      if (failure === null) return [];
      const expected = 'tasks that do not fail';
      return [foundIn({ kind: 'workflow_task_failing', subject: id, expected, found: failure })];
    },
  };
}

const NO_EVENTS = { versions: [], follows: new Map<number, number | null>() };

function foundIn(finding: AuditFinding): Found {
  return { finding, revision: null };
}
