import { heartbeat, log } from '@temporalio/activity';
import { UNCOUNTABLE, type AuditRepair } from '../src/domain/audit-findings';
import { rightHold } from '../src/domain/cart-findings';
import { currentPayment } from '../src/domain/order-payment';
import { paymentCheck } from '../src/domain/reconciling';
import { recounted } from '../src/domain/stock-flaws';
import { unpaidOf } from '../src/domain/unpaid';
import type { CartRepository } from '../src/carts/carts.repository';
import type { AuditFindingRepository } from '../src/orders-audit/findings.repository';
import type { AuditRecords } from '../src/orders-audit/records.repository';
import type { RepairRepository } from '../src/orders-audit/repairs.repository';
import type { StockUnits } from '../src/orders-audit/stock-units.repository';
import type { OrderRepository } from '../src/orders/orders.repository';
import type { OrderWorkflows } from '../src/orders/temporal/order-workflows';
import { COMMANDS } from '../workflows/contract';

export interface AuditRepairDeps {
  stock: StockUnits;
  orders: Pick<OrderRepository, 'findById'>;
  workflows: Pick<OrderWorkflows, 'executeAlways'>;
  carts: Pick<CartRepository, 'find' | 'write'>;
  records: Pick<AuditRecords, 'stocked' | 'ordersOfCarts'>;
  findings: Pick<AuditFindingRepository, 'oneOf'>;
  repairs: RepairRepository;
}

/** Each sets right what it can of a product, a cart or an order, and returns what it did; null if it could do nothing. */
export type AuditRepairs = Record<AuditRepair, (subject: string) => Promise<string | null>>;

/** How often a repair is begun again when what it has counted was moved meanwhile. */
const ATTEMPTS = 5;

export function createAuditRepairs(deps: AuditRepairDeps): AuditRepairs {
  const { stock, orders, workflows, carts, records, findings, repairs } = deps;

  /** Whether what orders and carts say of their units can be believed. */
  async function isCountable(subject: string): Promise<boolean> {
    const damaged = await findings.oneOf(UNCOUNTABLE);
    if (damaged) log.warn('stock not counted anew', { subject, damaged });
    return damaged === undefined;
  }

  const recount = (id: string) =>
    untilDone(async () => {
      if (!(await isCountable(id))) return null;
      const { all, moving } = await stock.inUse([id], heartbeat);
      const [counted] = all;
      if (!counted || moving.length > 0) return null;
      const right = recounted(counted.stock, counted.units);
      if (right.available < 0) return null;
      const counters = (['available', 'reserved', 'held'] as const)
        .map((name) => ({ name, before: counted.stock[name], after: right[name] }))
        .filter(({ before, after }) => before !== after);
      const { stockRevision } = counted;
      const isSet = counters.length === 0 || (await repairs.setStock({ id, stockRevision }, counters));
      if (!isSet) return undefined;
      return counters.map(({ name, before, after }) => `${name} set from ${before} to ${after}`).join(', ');
    });

  /** Has what is held for a cart be what may be; what may not goes back into stock. */
  async function release(id: string): Promise<string | null | undefined> {
    const before = await carts.find(id);
    if (!before) return null;
    const held = before.hold?.items.map(({ productServiceId }) => productServiceId) ?? [];
    const stocked = await records.stocked(held);
    const hold = rightHold(before, stocked, new Date().toISOString());
    const change = { before, after: { ...before, version: before.version + 1, hold } };
    const outcome = await carts.write(change);
    if (outcome === 'outdated') return undefined;
    if (outcome === 'done') return hold ? 'what may not be held was released' : 'nothing is held any more';
    // The counters lack what is held, so they are counted anew afterwards.
    if (!(await isCountable(id))) return null;
    if (!(await repairs.setCart(change))) return undefined;
    for (const one of stocked) {
      heartbeat();
      await recount(one);
    }
    return 'nothing but what may be is held any more, and the stock was counted anew';
  }

  return {
    /** Sets the counters of a product to what orders and carts have of it. */
    recount,

    /** Opens a cart again whose order was rejected, as that would have. */
    async reopen(id) {
      const cart = await carts.find(id);
      if (!cart?.orderId) return null;
      const order = (await records.ordersOfCarts([cart.orderId])).get(cart.orderId);
      if (order?.status !== 'rejected') return null;
      await repairs.reopenCart(cart);
      return `open again for attempt ${cart.attempt + 1}`;
    },

    /** Releases what must not be held for a cart. */
    release: (id) => untilDone(() => release(id)),

    /** Has an order look at its payment, which starts its workflow if that does not run, or lets it end. */
    async look(id) {
      const order = await orders.findById(id);
      if (!order) return null;
      const named = { id: `audit-${order.revision}`, by: 'system', paymentKey: currentPayment(order).key };
      const command = paymentCheck(order, named);
      const answer = await workflows.executeAlways(order, COMMANDS.checkPayment, command, command.id);
      return typeof answer === 'object' ? 'its workflow has looked at the order again' : null;
    },

    /** Counts an order among those that wait to be paid, or not, as it does. */
    account: (id) =>
      untilDone(async () => {
        const order = await orders.findById(id);
        if (!order) return null;
        if (!(await repairs.account(order))) return undefined;
        return unpaidOf(order) ? 'counted as unpaid' : 'not counted as unpaid any more';
      }),
  };
}

async function untilDone(attempt: () => Promise<string | null | undefined>): Promise<string | null> {
  for (let n = 0; n < ATTEMPTS; n++) {
    heartbeat();
    const done = await attempt();
    if (done !== undefined) return done;
  }
  return null;
}
