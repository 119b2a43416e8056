import { amend } from '../../../src/domain/amendment';
import { openUnits } from '../../../src/domain/allocation';
import { cancelledOrder, isCancellable, type CancelOrder } from '../../../src/domain/closing';
import { withAnswer } from '../../../src/domain/command';
import { unsettled, withDone } from '../../../src/domain/compensation';
import { BusinessError, OrderRejected, PaymentRefused, recordOf } from '../../../src/domain/errors';
import { correctedOrder, deliveredOrder, fulfill } from '../../../src/domain/fulfillment';
import {
  orderAfterPayment,
  paymentTaskOf,
  withoutIntention,
  type PaymentOutcome,
  type PaymentTask,
} from '../../../src/domain/intention';
import {
  dueOf,
  type Compensation,
  type Order,
  type OrderLine,
  type Pricing,
  type RefundedLine,
} from '../../../src/domain/order';
import { hasOpenUnits } from '../../../src/domain/order-progress';
import { isClosed } from '../../../src/domain/order-transitions';
import { overdueOrder, waitingSince } from '../../../src/domain/overdue';
import { capturedForGoods, currentPayment } from '../../../src/domain/order-payment';
import { customerWaitOf, givenUpOrder, pay, type PaymentPolicy } from '../../../src/domain/paying';
import { openedOrder } from '../../../src/domain/placing';
import { reconciledOrder } from '../../../src/domain/reconciling';
import { refund } from '../../../src/domain/refund';
import { stockMoves } from '../../../src/domain/stock';
import { undoneOrder } from '../../../src/domain/undoing';
import { requestFor } from '../fixtures';
import type { Card, Ledger } from './ledger';

/** The units of each product before the order. */
export const STOCK = 6;
export const PRODUCTS = ['ps_a', 'ps_b'] as const;

/** What an order may get. Numbers are taken modulo what there is, so that most commands are possible. */
export type Step =
  | { name: 'amend'; pricing: Pricing }
  | { name: 'fulfill'; line: number; units: number; isPaid: boolean }
  | { name: 'fulfill the rest' }
  | { name: 'undo'; fulfillment: number; restock: boolean }
  | { name: 'correct'; fulfillment: number }
  | { name: 'deliver'; fulfillment: number }
  | { name: 'cancel'; line: number; units: number }
  | { name: 'cancel the rest' }
  | { name: 'refund'; line: number; units: number; restock: boolean }
  | { name: 'refund an amount'; amount: number }
  | { name: 'expire' }
  | { name: 'settle' }
  | { name: 'sell elsewhere'; units: number }
  | { name: 'pay'; card: Card }
  | { name: 'look again' }
  | { name: 'be too late' }
  | Happening;

/** What happens at the payment service, of which the order learns when it looks again. */
type Happening =
  | { name: 'answer'; how: 'authorise' | 'fail' }
  | { name: 'capture elsewhere'; amount: number; isFinal: boolean }
  | { name: 'refund elsewhere'; amount: number }
  | { name: 'end a refund'; refund: number; status: 'succeeded' | 'failed' }
  | { name: 'lapse' }
  | { name: 'dispute'; amount: number }
  | { name: 'decide a dispute'; status: 'won' | 'lost' };

/** Fails unless it is so. The assertions of Jest would take most of the time of the many sequences. */
export function holds(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`It does not hold that ${what}.`);
}

/** What an order begins with. */
export interface Beginning {
  pricing: Pricing;
  card: Card;
  policy: PaymentPolicy;
  ledger: Ledger;
}

/** One order in the pure core, with the stock and the money that it moves, as activities would apply it. */
export class World {
  order: Order;
  readonly ledger: Ledger;
  readonly stock = new Map(
    PRODUCTS.map((id) => [id as string, { available: STOCK, reserved: 0, elsewhere: 0 }]),
  );
  /** How often a command did something. */
  readonly done: string[] = [];
  /** The order as each write has left it. */
  readonly written: Order[] = [];
  /** Whether a person has paid something back, or something has happened at the payment service or at banks. */
  isTouched = false;
  private readonly policy: PaymentPolicy;
  private time = Date.parse('2026-01-01T00:00:00.000Z');
  private commands = 0;

  constructor({ pricing, card, policy, ledger }: Beginning) {
    this.policy = policy;
    this.ledger = ledger;
    this.order = { ...openedOrder(requestFor(), pricing), revision: 1 };
    this.written.push(this.order);
    this.moveStock(null, this.order);
    this.pay(card);
  }

  /** Returns another world in which the same has happened. Orders are never changed, so they are shared. */
  fork(): World {
    const { ledger, stock, ...shared } = this;
    const fork = Object.assign(Object.create(World.prototype) as World, shared);
    const copies = {
      ledger: ledger.fork(),
      stock: new Map([...stock].map(([id, one]) => [id, { ...one }])),
      done: [],
      written: [],
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
    if (this.order !== before || this.isTouched) this.done.push(step.name);
  }

  private decide(step: Step): void {
    const command = this.command();
    const at = this.now();
    const { order } = this;
    switch (step.name) {
      case 'amend':
        return this.write(amend(order, { ...command, ifMatch: null, items: [] }, step.pricing, at));
      case 'fulfill':
        return this.fulfill([this.lineOf(step.line, step.units)], step.isPaid);
      case 'fulfill the rest':
        return this.fulfill(this.rest(), true);
      case 'undo': {
        const undo = { ...command, fulfillmentId: this.fulfillmentId(step.fulfillment), reason: 'Lost' };
        const orElse = () => {
          const available = new Map([...this.stock].map(([id, one]) => [id, one.available]));
          return undoneOrder(order, { ...undo, restock: step.restock }, at, available);
        };
        return this.write(undoneOrder(order, { ...undo, restock: step.restock }, at), { orElse });
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
        this.isTouched = true;
        return;
      }
      case 'refund an amount':
        this.write(refund(order, { ...command, amount: step.amount, reason: 'Sorry' }, at));
        this.isTouched = true;
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
        return;
      case 'pay':
        return this.write(pay(order, { ...command, paymentMethod: 'pm_2' }, at), { card: step.card });
      case 'look again':
        this.lookAgain();
        return;
      case 'be too late': {
        const wait = customerWaitOf(order);
        if (wait?.what === 'action') this.lookAgain(wait.until);
        if (wait?.what === 'card') this.save(givenUpOrder(order, wait.until, at));
        return;
      }
      default:
        this.happen(step);
        this.isTouched = true;
    }
  }

  private happen(step: Happening): void {
    const { key } = currentPayment(this.order);
    const { ledger } = this;
    switch (step.name) {
      case 'answer':
        return ledger.answer(key, step.how);
      case 'capture elsewhere':
        return ledger.capture(key, step.amount, step.isFinal);
      case 'refund elsewhere':
        return ledger.refundElsewhere(key, step.amount);
      case 'end a refund':
        return ledger.endRefund(key, step.refund, step.status);
      case 'lapse':
        return ledger.lapse(key);
      case 'dispute':
        return ledger.dispute(key, step.amount);
      case 'decide a dispute':
        return ledger.decideDispute(key, step.status);
    }
  }

  /** Brings the order in line with the record of its payment. Returns whether anything was new. */
  lookAgain(passed?: string): boolean {
    const { order, policy } = this;
    const found = this.ledger.record(currentPayment(order).key);
    const next = reconciledOrder(order, found, { at: this.now(), policy, passed });
    if (next === order) return false;
    const again = reconciledOrder(next, found, { at: this.now(), policy });
    holds(again === next, 'looking twice changes nothing more');
    this.save(next);
    return true;
  }

  private fulfill(items: OrderLine[], isPaid: boolean): void {
    const command = { ...this.command(), items, carrier: null, trackingNumber: null };
    const before = this.order;
    const next = fulfill(before, command, this.now());
    if (next.intention?.kind === 'fulfillment' && isPaid) {
      // Nothing is captured beyond what the order costs then.
      holds(capturedForGoods(before) + next.intention.capture.amount <= dueOf(before)!, 'captured <= due');
    }
    this.write(next, { isPaid });
  }

  private cancel(command: CancelOrder): void {
    this.write(cancelledOrder(this.order, command, this.now()));
  }

  /** Saves the order with its stock, and has its payment service do what it waits for. */
  private write(next: Order, { orElse, isPaid = true, card = 'accepted' }: Writing = {}): void {
    if (next === this.order) return;
    const before = this.order;
    const isShort = this.isShort(next);
    if (isShort && !orElse) throw new OrderRejected('OutOfStock', 'Not enough.');
    const saved = isShort ? orElse!() : next;
    this.moveStock(before, saved);
    this.order = { ...saved, revision: before.revision + 1 };
    this.written.push(this.order);
    if (this.order.intention) this.pay(card, isPaid);
  }

  private isShort(next: Order): boolean {
    return stockMoves(this.order, next).some(
      ({ productServiceId: id, available }) => this.stock.get(id)!.available + available < 0,
    );
  }

  private moveStock(before: Order | null, after: Order): void {
    for (const { productServiceId, available, reserved } of stockMoves(before, after)) {
      const one = this.stock.get(productServiceId)!;
      one.available += available;
      one.reserved += reserved;
    }
  }

  private pay(card: Card, isPaid = true): void {
    const outcome = this.outcomeOf(paymentTaskOf(this.order)!, card, isPaid);
    const at = this.now();
    const next = orderAfterPayment(this.order, outcome, at, this.policy);
    if (!this.isShort(next)) return this.save(next);
    const error = recordOf(new OrderRejected('OutOfStock', 'Not enough.'));
    this.save(withoutIntention(this.order, { state: 'rejected', error }, at));
  }

  /** Has the payment service carry out the task, as the activities do. */
  private outcomeOf(task: PaymentTask, card: Card, isPaid: boolean): PaymentOutcome {
    const { operation, amount, isFinal = true, payment, key } = task;
    const done = { state: 'done', reference: 'pi' } as const;
    const no = (type: string) => ({ type, message: 'No.' });
    try {
      if (!isPaid) throw new PaymentRefused('No.');
      if (amount === 0) return done;
      if (operation === 'authorize') {
        const status = this.ledger.authorize(payment.key, amount, card);
        if (status === 'declined') return { state: 'declined', error: no('PaymentDeclined') };
        if (card === 'silent') return { state: 'unanswered', error: no('PaymentUnanswered') };
        const { captures } = this.ledger;
        return { ...done, state: card === 'asking' ? 'action_required' : 'done', captures };
      }
      if (operation === 'refund') this.ledger.refund(payment.key, key, amount);
      else this.ledger.capture(payment.key, amount, isFinal);
      return done;
    } catch (error) {
      if (!(error instanceof PaymentRefused)) throw error;
      return { state: 'rejected', error: no('PaymentRefused') };
    }
  }

  private save(next: Order): void {
    this.moveStock(this.order, next);
    this.order = { ...withAnswer(next, { id: 'k' }, null, this.now()), revision: this.order.revision + 1 };
    this.written.push(this.order);
  }

  /** Has the payment service do all that is owed and that it does not refuse. */
  settle(): void {
    for (const owed of unsettled(this.order)) {
      try {
        const wasAuthorized = this.makeUpFor(owed);
        this.save(withDone(this.order, owed.step, wasAuthorized, this.now()));
      } catch (error) {
        if (!(error instanceof PaymentRefused)) throw error;
      }
    }
  }

  private makeUpFor({ kind, payment: { key }, amount, refundId }: Compensation): boolean {
    if (kind === 'refund') this.ledger.refund(key, refundId!, amount);
    else if (kind === 'release') this.ledger.release(key);
    else return this.ledger.voidOrRefund(key);
    return true;
  }

  /** Lets the payment service do what is owed and the order learn of all that has happened there. */
  comeToRest(): void {
    do this.settle();
    while (this.lookAgain());
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
    return commands;
  }
}

interface Writing {
  /** Returns what is written instead if the stock lacks units. */
  orElse?: () => Order;
  /** Whether the payment service does not refuse. */
  isPaid?: boolean;
  card?: Card;
}
