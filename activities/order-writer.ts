import type { ClientSession } from 'mongoose';
import type { AuditedChange } from '../src/domain/audit';
import { displacedAnswers, isPerhapsDisplaced, withDisplaced, type Command } from '../src/domain/command';
import { DuplicateOrder, externalRefTaken, OrderRejected } from '../src/domain/errors';
import type { Order } from '../src/domain/order';
import { commandAudit } from '../src/domain/order-audit';
import { requireWellFormed } from '../src/domain/order-flaws';
import { orderNumberOf } from '../src/domain/order-number';
import { stockMoves, type StockMove } from '../src/domain/stock';
import { unpaidOf, type UnpaidLimits } from '../src/domain/unpaid';
import type { RecordAudit } from '../src/audit/recorder';
import type { CartRepository } from '../src/carts/carts.repository';
import type { Transact } from '../src/mongodb/transaction';
import type { OrderRepository } from '../src/orders/orders.repository';
import type { UnpaidOrdersRepository } from '../src/orders/unpaid-orders.repository';
import type { StockQueue } from '../src/product-service/stock-queue';
import type { StockRepository } from '../src/product-service/stock.repository';

export interface OrderWriterDeps {
  orders: OrderRepository;
  stock: StockRepository;
  stockQueue: StockQueue;
  transact: Transact;
  unpaid: UnpaidOrdersRepository;
  maxUnpaid: UnpaidLimits;
  carts: Pick<CartRepository, 'markOrdered' | 'reopen' | 'releaseExpired'>;
  recordAudit: RecordAudit;
}

/**
 * Why a change that was decided cannot be made: the stock lacks units, another order has the reference, or too many orders
 * of the customer wait to be paid.
 */
export interface Shortage {
  error: OrderRejected;
  /** The units that are left of each product that the change would take, if the stock lacks some. */
  available: ReadonlyMap<string, number>;
}

/**
 * Decides what becomes of an order at that time (ISO 8601). The same object means that nothing changes.
 * @param short why the change that was decided before cannot be made
 */
export type Judge = (order: Order, at: string, short?: Shortage) => Order;

export type OrderWriter = ReturnType<typeof createOrderWriter>;

/** How often a decision is taken again when another writer was faster, before Temporal tries again later. */
const DECISIONS = 5;

class OutOfStock extends Error {}
class WriteConflict extends Error {}

/** What keeps a new order from being inserted as it is. */
const OBSTACLES = [OutOfStock, DuplicateOrder, OrderRejected];

/**
 * Writes orders, each with the stock that it moves: both or neither. A decision is one write, on the condition that the
 * order is still as it was when it was read.
 */
export function createOrderWriter({
  orders,
  stock,
  stockQueue,
  transact,
  unpaid,
  maxUnpaid,
  carts,
  recordAudit,
}: OrderWriterDeps) {
  /**
   * Has the stored order judged and saves what becomes of it. Returns null if there is no such order.
   * @param known the order as it was just written, which saves reading it
   * @param command the one that is carried out, for the audit log
   */
  function change(orderId: string, judge: Judge, known?: Order, command?: Command): Promise<Order | null> {
    return decide(orderId, judge, { known, command, decisions: DECISIONS });
  }

  /** Decides again, on what is stored then, if another writer was faster or the stock lacks units. */
  async function decide(
    orderId: string,
    judge: Judge,
    {
      known,
      command,
      short,
      decisions,
    }: { known?: Order; command?: Command; short?: Shortage; decisions: number },
  ): Promise<Order | null> {
    if (decisions === 0) throw new Error(`Other writers keep changing order ${orderId}.`);
    const stored = known ?? (await orders.findById(orderId));
    if (!stored) return null;
    requireWellFormed(stored);
    const order = command ? await remembering(stored, command) : stored;
    const judged = judge(order, new Date().toISOString(), short);
    if (judged === order) return order;
    const next = { ...judged, revision: order.revision + 1 };
    const again = { command, decisions: decisions - 1 };
    try {
      return (await save(order, next, command)) ? next : await decide(orderId, judge, again);
    } catch (error) {
      if (await freesStock(error, next)) return decide(orderId, judge, again);
      const short = await shortBecause(error, order, next);
      if (!short) throw error;
      return decide(orderId, judge, { ...again, short });
    }
  }

  /**
   * Returns the order with its answer to the command, however long ago that was. An answer is kept before the order is
   * stored without it, so one that is in neither was never given.
   */
  async function remembering(order: Order, command: Command): Promise<Order> {
    if (!isPerhapsDisplaced(order, command)) return order;
    return withDisplaced(order, await orders.findAnswer(order.id, command.id));
  }

  /** Whether there is more in stock since what carts have held for long enough was released. */
  async function freesStock(error: unknown, next: Order): Promise<boolean> {
    return error instanceof OutOfStock && (await carts.releaseExpired(productsOf(next))) > 0;
  }

  /** @param order null for a new order */
  async function shortBecause(error: unknown, order: Order | null, next: Order): Promise<Shortage | null> {
    if (error instanceof OutOfStock) return shortage(order, next);
    if (isReferenceTaken(error)) return referenceTaken(next);
    return error instanceof OrderRejected ? { error, available: new Map() } : null;
  }

  /**
   * Keeps account of the orders that wait for their customer.
   * @throws {OrderRejected} the customer has too many of them
   */
  async function accountUnpaid(order: Order, next: Order, session: ClientSession): Promise<void> {
    const waiting = unpaidOf(next);
    if (waiting) await unpaid.add(next.customerId, waiting, maxUnpaid, session);
    else await unpaid.remove(order.customerId, order.id, session);
  }

  /** Returns false if another writer was faster. @throws {OutOfStock} @throws {OrderRejected} */
  async function save(order: Order, next: Order, command?: Command): Promise<boolean> {
    await Promise.all(displacedAnswers(order, next).map((answer) => orders.keepAnswer(order.id, answer)));
    const audited = commandAudit(order, next, command);
    const moves = stockMoves(order, next);
    const beginsOrEndsWait = (unpaidOf(order) === null) !== (unpaidOf(next) === null);
    const reopened = next.status === 'rejected' && order.status !== 'rejected' ? next.cart : undefined;
    if (moves.length === 0 && !beginsOrEndsWait && !audited && !reopened) return orders.save(next);
    const products = moves.length > 0 ? productsOf(next) : [];
    const turns = [...products, ...(beginsOrEndsWait ? [next.customerId] : [])];
    return inTransaction(turns, async (session) => {
      // Saved first: another run of the same step may have moved the stock, which is then no shortage.
      if (!(await orders.save(next, session))) throw new WriteConflict();
      if (!(await stock.move(moves, session))) throw shortOf(next, moves);
      if (beginsOrEndsWait) await accountUnpaid(order, next, session);
      if (reopened) await carts.reopen(reopened, next.id, session);
      if (audited) await recordAudit(audited, session);
      return true;
    }).catch((error: unknown) => {
      if (error instanceof WriteConflict) return false;
      throw error;
    });
  }

  /**
   * Inserts a new order. Returns the stored one instead if there is one, which is then not new.
   * @param orIfShort makes the order that is inserted if the stock lacks units, or another order has its reference
   * @param auditOf returns what the audit log has to tell of the order that is inserted, if anything
   * @param taken how many numbers of this order turned out to belong to other orders
   */
  async function insert(
    draft: Order,
    orIfShort: (short: OrderRejected) => Order,
    auditOf: (order: Order) => AuditedChange | null = () => null,
    taken = 0,
  ): Promise<{ order: Order; isNew: boolean }> {
    const order = { ...draft, revision: 1 };
    const moves = stockMoves(null, order);
    const audited = auditOf(order);
    try {
      await inTransaction(productsOf(order), async (session) => {
        await takeCart(order, session);
        if (!(await stock.move(moves, session))) throw shortOf(order, moves);
        await orders.insert(order, session);
        if (audited) await recordAudit(audited, session);
      });
      return { order, isNew: true };
    } catch (error) {
      if (!OBSTACLES.some((type) => error instanceof type)) throw error;
      // An earlier run of this step may have inserted the order, and taken the stock.
      const stored = await orders.findById(order.id);
      if (stored) return { order: stored, isNew: false };
      if (error instanceof DuplicateOrder && error.field === 'number') {
        const number = orderNumberOf(order.id, taken + 1);
        return insert({ ...draft, number }, orIfShort, auditOf, taken + 1);
      }
      if (await freesStock(error, order)) return insert(draft, orIfShort, auditOf, taken);
      const short = await shortBecause(error, null, order);
      if (!short) throw error;
      const instead = { ...orIfShort(short.error), number: draft.number };
      return insert(instead, () => instead, auditOf, taken);
    }
  }

  /** Marks the cart of a new order as ordered. @throws {OrderRejected} it is not what was to be ordered any more */
  async function takeCart({ id, cart, status }: Order, session: ClientSession): Promise<void> {
    if (!cart || status === 'rejected') return;
    if (!(await carts.markOrdered(cart, id, session))) throw cartChanged();
  }

  /** Returns why the order cannot have its reference. */
  async function referenceTaken({ id, customerId, externalRef }: Order): Promise<Shortage> {
    const existing = await orders.findByExternalRef(customerId, externalRef!);
    if (existing === null) throw new Error(`The order that had the reference of order ${id} is gone: again.`);
    return { error: externalRefTaken(externalRef!, existing), available: new Map() };
  }

  /** @param turns the products and customers whose documents collide if two transactions write them at once */
  function inTransaction<T>(
    turns: readonly string[],
    work: (session: ClientSession) => Promise<T>,
  ): Promise<T> {
    return stockQueue(turns, () => transact(work));
  }

  /** @param before null for a new order */
  async function shortage(before: Order | null, next: Order): Promise<Shortage> {
    const taken = stockMoves(before, next).filter((move) => move.available < 0);
    const available = await stock.available(taken.map((move) => move.productServiceId));
    const short = taken.flatMap(({ productServiceId, available: moved }) => {
      const left = available.get(productServiceId) ?? 0;
      if (left >= -moved) return [];
      const items = next.items.filter((item) => item.productServiceId === productServiceId);
      const ordered = items.reduce((sum, { quantity }) => sum + quantity, 0);
      const held = ordered + moved; // by this order, before the amendment
      return [`${items[0]?.sku} (${ordered} ordered, ${left + held} available)`];
    });
    const list = short.length > 0 ? `: ${short.join(', ')}` : '';
    const detail = `Not enough in stock${list}. Nothing was changed; order fewer.`;
    return { error: new OrderRejected('OutOfStock', detail), available };
  }

  return { change, insert };
}

function productsOf({ items }: Order): string[] {
  return items.map(({ productServiceId }) => productServiceId);
}

function cartChanged(): OrderRejected {
  return new OrderRejected(
    'CartChanged',
    'The cart was changed while it was being ordered, so nothing was ordered: look at it, and order it again.',
  );
}

function isReferenceTaken(error: unknown): boolean {
  return error instanceof DuplicateOrder && error.field === 'externalRef';
}

/** Returns the error for stock that cannot be moved: what is available may run out, what is reserved may not. */
function shortOf({ id }: Order, moves: StockMove[]): Error {
  if (moves.some(({ available }) => available < 0)) return new OutOfStock(id);
  return new Error(`The stock lacks what order ${id} has reserved: it was changed by hand.`);
}
