import { amend } from '../../../src/domain/amendment';
import { openUnits } from '../../../src/domain/allocation';
import { cancelledOrder, isCancellable, type CancelOrder } from '../../../src/domain/closing';
import { withAnswer } from '../../../src/domain/command';
import { unsettled, withDone } from '../../../src/domain/compensation';
import { BusinessError, OrderRejected, recordOf } from '../../../src/domain/errors';
import { correctedOrder, deliveredOrder, fulfill } from '../../../src/domain/fulfillment';
import { orderAfterPayment, paymentTaskOf, withoutIntention } from '../../../src/domain/intention';
import {
  dueOf,
  type Order,
  type OrderLine,
  type Pricing,
  type RefundedLine,
} from '../../../src/domain/order';
import { hasOpenUnits } from '../../../src/domain/order-progress';
import { isClosed } from '../../../src/domain/order-transitions';
import { overdueOrder, waitingSince } from '../../../src/domain/overdue';
import { currentPayment } from '../../../src/domain/order-payment';
import type { Captures, ProviderPayment, ProviderRefund } from '../../../src/domain/payment';
import { openedOrder } from '../../../src/domain/placing';
import { refund } from '../../../src/domain/refund';
import { stockMoves } from '../../../src/domain/stock';
import { undoneOrder } from '../../../src/domain/undoing';
import { policy, requestFor } from '../fixtures';

/** The units of each product before the order. */
export const STOCK = 6;
export const PRODUCTS = ['ps_a', 'ps_b'] as const;

/** What an order may get. Numbers are taken modulo what there is, so that most commands are possible. */
export type Step =
  | { name: 'amend'; pricing: Pricing }
  | { name: 'fulfil'; line: number; units: number; isPaid: boolean }
  | { name: 'fulfil the rest' }
  | { name: 'undo'; fulfillment: number; restock: boolean }
  | { name: 'correct'; fulfillment: number }
  | { name: 'deliver'; fulfillment: number }
  | { name: 'cancel'; line: number; units: number }
  | { name: 'cancel the rest' }
  | { name: 'refund'; line: number; units: number; restock: boolean }
  | { name: 'refund an amount'; amount: number }
  | { name: 'expire' }
  | { name: 'settle' }
  | { name: 'sell elsewhere'; units: number };

/** The payments of the order as the payment service knows them. */
interface Ledger {
  /** What is reserved under the key of each payment. */
  open: Map<string, number>;
  /** What was reserved at first. */
  amounts: Map<string, number>;
  captured: number;
  refunded: number;
  refunds: ProviderRefund[];
}

/** Fails unless it is so. The assertions of Jest would take most of the time of the many sequences. */
export function holds(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`It does not hold that ${what}.`);
}

/** One order in the pure core, with the stock and the money that it moves, as activities would apply it. */
export class World {
  order: Order;
  readonly ledger: Ledger = { open: new Map(), amounts: new Map(), captured: 0, refunded: 0, refunds: [] };
  readonly stock = new Map(
    PRODUCTS.map((id) => [id as string, { available: STOCK, reserved: 0, elsewhere: 0 }]),
  );
  /** How often a command did something. */
  readonly done: string[] = [];
  /** Whether a person has paid something back. */
  isRefunded = false;
  private time = Date.parse('2026-01-01T00:00:00.000Z');
  private commands = 0;

  constructor(
    pricing: Pricing,
    private readonly captures: Captures,
  ) {
    this.order = openedOrder(requestFor(), pricing);
    this.moveStock(null, this.order);
    this.pay();
  }

  /** Returns another world in which the same has happened. Orders are never changed, so they are shared. */
  fork(): World {
    const { ledger, stock, ...shared } = this;
    const fork = Object.assign(Object.create(World.prototype) as World, shared);
    const copies = {
      ledger: {
        ...ledger,
        open: new Map(ledger.open),
        amounts: new Map(ledger.amounts),
        refunds: [...ledger.refunds],
      },
      stock: new Map([...stock].map(([id, one]) => [id, { ...one }])),
      done: [],
    };
    return Object.assign(fork, copies);
  }

  private now(): string {
    this.time += 1_000;
    return new Date(this.time).toISOString();
  }

  private command() {
    const id = `k${++this.commands}`;
    return { id, by: 'usr_9', requestId: 'r', seenRevision: 1e9, fingerprint: id, attemptId: 'a' };
  }

  /** @throws any error that is not a refusal of the business */
  take(step: Step): void {
    const before = this.order;
    try {
      this.decide(step);
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error;
      return;
    }
    if (this.order !== before) this.done.push(step.name);
  }

  private decide(step: Step): void {
    const command = this.command();
    const at = this.now();
    const { order } = this;
    switch (step.name) {
      case 'amend':
        return this.write(amend(order, { ...command, ifMatch: null, items: [] }, step.pricing, at));
      case 'fulfil':
        return this.fulfil([this.lineOf(step.line, step.units)], step.isPaid);
      case 'fulfil the rest':
        return this.fulfil(this.rest(), true);
      case 'undo': {
        const undo = { ...command, fulfillmentId: this.fulfillmentId(step.fulfillment), reason: 'Lost' };
        return this.write(undoneOrder(order, { ...undo, restock: step.restock }, at), () => {
          const available = new Map([...this.stock].map(([id, one]) => [id, one.available]));
          return undoneOrder(order, { ...undo, restock: step.restock }, at, available);
        });
      }
      case 'correct':
        return this.write(
          correctedOrder(
            order,
            { ...command, fulfillmentId: this.fulfillmentId(step.fulfillment), carrier: 'DHL' },
            at,
          ),
        );
      case 'deliver':
        return this.write(
          deliveredOrder(order, { ...command, fulfillmentId: this.fulfillmentId(step.fulfillment) }, at),
        );
      case 'cancel':
        return this.cancel({ ...command, reason: 'Broken', items: [this.lineOf(step.line, step.units)] });
      case 'cancel the rest':
        return this.cancel({ ...command, reason: null });
      case 'refund': {
        const items: RefundedLine[] = [{ ...this.lineOf(step.line, step.units), restock: step.restock }];
        this.write(refund(order, { ...command, amount: null, items, reason: 'Returned' }, at));
        this.isRefunded = true;
        return;
      }
      case 'refund an amount':
        this.write(refund(order, { ...command, amount: step.amount, reason: 'Sorry' }, at));
        this.isRefunded = true;
        return;
      case 'expire':
        if (isCancellable(order))
          this.cancel({ ...command, by: 'system', reason: 'expired', unlessBegun: true });
        else this.write(overdueOrder(order, waitingSince(order) ?? at, at));
        return;
      case 'settle':
        return this.settle();
      case 'sell elsewhere':
        for (const one of this.stock.values()) {
          const sold = Math.min(step.units, one.available);
          one.available -= sold;
          one.elsewhere += sold;
        }
    }
  }

  private fulfil(items: OrderLine[], isPaid: boolean): void {
    const command = { ...this.command(), items, carrier: null, trackingNumber: null };
    const before = this.order;
    const next = fulfill(before, command, this.now());
    if (next.intention?.kind === 'fulfillment' && isPaid) {
      // Nothing is captured beyond what the order costs then.
      holds(this.netOf(before) + next.intention.capture.amount <= dueOf(before)!, 'captured <= due');
    }
    this.write(next, undefined, isPaid);
  }

  private cancel(command: CancelOrder): void {
    this.write(cancelledOrder(this.order, command, this.now()));
  }

  /** Saves the order with its stock, and has its payment service do what it waits for. */
  private write(next: Order, orElse?: () => Order, isPaid = true): void {
    if (next === this.order) return;
    const before = this.order;
    const isShort = stockMoves(before, next).some(
      ({ productServiceId: id, available }) => this.stock.get(id)!.available + available < 0,
    );
    if (isShort && !orElse) throw new OrderRejected('OutOfStock', 'Not enough.');
    const saved = isShort ? orElse!() : next;
    this.moveStock(before, saved);
    this.order = { ...saved, revision: before.revision + 1 };
    if (this.order.intention) this.pay(isPaid);
  }

  private moveStock(before: Order | null, after: Order): void {
    for (const { productServiceId, available, reserved } of stockMoves(before, after)) {
      const one = this.stock.get(productServiceId)!;
      one.available += available;
      one.reserved += reserved;
    }
  }

  private pay(isPaid = true): void {
    const { operation, key, amount, isFinal, payment } = paymentTaskOf(this.order)!;
    const at = this.now();
    if (!isPaid) {
      const error = { type: 'PaymentRefused', message: 'No.' };
      return this.save(orderAfterPayment(this.order, { state: 'rejected', error }, at, policy));
    }
    const done = { state: 'done', reference: 'pi', captures: this.captures } as const;
    const next = orderAfterPayment(this.order, done, at, policy);
    const isShort = stockMoves(this.order, next).some(
      ({ productServiceId: id, available }) => this.stock.get(id)!.available + available < 0,
    );
    const { open } = this.ledger;
    if (operation === 'authorize') {
      open.set(payment.key, amount);
      this.ledger.amounts.set(payment.key, amount);
    }
    if (operation === 'refund') this.repay(key, amount);
    if (operation === 'capture') {
      this.ledger.captured += amount;
      open.set(payment.key, isFinal ? 0 : open.get(payment.key)! - amount);
    }
    if (!isShort) return this.save(next);
    const error = recordOf(new OrderRejected('OutOfStock', 'Not enough.'));
    this.save(withoutIntention(this.order, { state: 'rejected', error }, at));
  }

  private save(next: Order): void {
    this.moveStock(this.order, next);
    this.order = { ...withAnswer(next, { id: 'k' }, null, this.now()), revision: this.order.revision + 1 };
  }

  /** Has the payment service do all that is owed. */
  settle(): void {
    for (const { step, kind, amount, payment, refundId } of unsettled(this.order)) {
      if (kind === 'refund') this.repay(refundId!, amount);
      else this.ledger.open.set(payment.key, 0);
      this.save(withDone(this.order, step, true, this.now()));
    }
  }

  private repay(key: string, amount: number): void {
    this.ledger.refunded += amount;
    if (amount > 0) this.ledger.refunds.push({ key, amount, status: 'succeeded' });
  }

  /** Returns the payments of the order as the payment service knows them, which is not asked for nothing. */
  payments(): ProviderPayment[] {
    const { open, amounts, captured: all, refunds } = this.ledger;
    const { key: current, currency } = currentPayment(this.order);
    return [...amounts].flatMap(([key, amount]) => {
      const captured = key === current ? all : 0;
      const closed = captured > 0 ? 'captured' : 'voided';
      const payment: ProviderPayment = {
        key,
        reference: 'pi',
        status: open.get(key)! > 0 ? 'authorized' : closed,
        amount,
        currency,
        authorized: amount,
        captured,
        captures: this.captures,
        refunds: key === current ? refunds : [],
        disputes: [],
      };
      return amount > 0 ? [payment] : [];
    });
  }

  /** What was captured, without what is paid back for cancelled units. */
  private netOf({ captured, refunds }: Order): number {
    const repaid = refunds.filter(({ by }) => by === 'system');
    return captured - repaid.reduce((sum, { amount }) => sum + amount, 0);
  }

  private lineOf(n: number, units: number): OrderLine {
    const { items } = this.order;
    return { productServiceId: items[n % items.length]!.productServiceId, quantity: units };
  }

  rest(): OrderLine[] {
    return this.order.items.flatMap((item) =>
      openUnits(item) > 0 ? [{ productServiceId: item.productServiceId, quantity: openUnits(item) }] : [],
    );
  }

  /** Returns the fulfillments that are under way. */
  underWay(): string[] {
    return this.order.fulfillments
      .filter(({ undone, deliveredAt }) => !undone && !deliveredAt)
      .map(({ id }) => id);
  }

  private fulfillmentId(n: number): string {
    const under = this.underWay();
    const all = this.order.fulfillments.map(({ id }) => id);
    return under[n % Math.max(1, under.length)] ?? all[n % Math.max(1, all.length)] ?? 'ful_none';
  }

  /** Ends the order as fast as it can be, and returns with how many commands. */
  end(): number {
    let commands = 0;
    const take = (step: Step) => {
      const { version } = this.order;
      this.take(step);
      holds(this.order.version > version, `${step.name} is possible`);
      commands++;
    };
    if (!isClosed(this.order) && hasOpenUnits(this.order)) take({ name: 'cancel the rest' });
    while (!isClosed(this.order)) take({ name: 'deliver', fulfillment: 0 });
    this.settle();
    return commands;
  }
}
