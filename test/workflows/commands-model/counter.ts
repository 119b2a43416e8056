import { until } from '../../../tools/devstack/until';
import { AppError } from '../../../src/errors/app-error';
import type { Order, OrderLine, OrderRequest } from '../../../src/domain/order';
import { createOrderService, type OrderService } from '../../../src/orders/orders.service';
import type { Caller } from '../../../src/orders/order-request';
import { currentPayment } from '../../../src/domain/order-payment';
import { PaymentRefused } from '../../../src/domain/errors';
import { createSandboxActions } from '../../../src/payments/sandbox/actions';
import { createSandboxDashboard } from '../../../src/payments/sandbox/dashboard';
import { createSandboxRepository } from '../../../src/payments/sandbox/repository';
import type { Principal } from '../../../src/role/principal';
import { ledgerOf } from '../../support/consistency';
import { HANG_MS } from '../../support/eventually';
import { TEST_ORIGIN } from '../../support/origin';
import { orderRequest, type Shop } from '../../support/shop';
import { CATALOGUE, GOODS, type Result, type Good, type Line, type OrderModel } from './model';
import type { Happening } from './till';

export const CALLER = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;

/** How the order learns that something has happened to its payment. */
export type Telling = 'confirm' | 'event' | 'both at once';

export type Changes = 'something' | 'nothing';

/** The real order beside the model, for goods that no other order has. */
export class Counter {
  private readonly service: OrderService;
  private request!: OrderRequest;
  /** The order after the last command. */
  private stored?: Order;
  /** How many events the payment service has sent. */
  private events = 0;

  private constructor(
    private readonly shop: Shop,
    private readonly ids: ReadonlyMap<string, string>,
  ) {
    this.service = createOrderService(shop);
  }

  static async open(shop: Shop): Promise<Counter> {
    const goods = GOODS.map(async (good) => {
      const { price, tax, stock } = CATALOGUE[good];
      const kind = stock === null ? 'service' : 'product';
      const entry = { kind, unitPrice: price, taxRateBps: tax * 100 } as const;
      const { id } = await shop.sell({ ...entry, ...(stock === null ? { stock } : { available: stock }) });
      return [good, id] as const;
    });
    return new Counter(shop, new Map([...(await Promise.all(goods)), ['nothing', 'ps_nothing']]));
  }

  /** The last version that the client has seen. */
  get version(): number {
    return this.stored!.version;
  }

  get customer(): Principal {
    return { id: this.request.customerId, role: 'CUSTOMER' };
  }

  fulfillmentId(n: number): string {
    return this.stored!.fulfillments[n]?.id ?? 'ful_unknown';
  }

  async place(lines: readonly Line[], paymentMethod: string): Promise<Result> {
    this.request = orderRequest({ items: this.items(lines), paymentMethod });
    const { order } = await this.service.place(this.request);
    if (order.paymentStatus === 'declined') return 'payment_declined';
    return (order.rejection?.code ?? 'done') as Result;
  }

  /** Repeats the POST, which returns the order that the first one has placed. */
  async placeAgain(): Promise<Result> {
    const { order, isReplay } = await this.service.place({ ...this.request, attemptId: 'again' });
    expect({ order, isReplay }).toEqual({ order: this.stored, isReplay: true });
    return 'again';
  }

  placeOther(): Promise<Result> {
    return this.resultOf(async () => {
      await this.service.place({ ...this.request, attemptId: 'other', fingerprint: 'other' });
      return 'done';
    });
  }

  /** Sends a command to the service. */
  send(run: (service: OrderService, id: string, caller: Caller) => Promise<Order>): Promise<Result> {
    return this.resultOf(async () => {
      let isReplay = false;
      const caller = { ...CALLER, onRepeat: () => void (isReplay = true) };
      const order = await run(this.service, this.request.orderId, caller);
      // What is owed may be settled after the response.
      if (order.compensations.length === 0) expect(await this.find()).toEqual(order);
      return isReplay ? 'again' : 'done';
    });
  }

  /** Does what the customer answers on the page of the bank, if there is one. */
  async answer(how: 'authorise' | 'fail'): Promise<void> {
    const payments = createSandboxRepository(this.shop.db.connection);
    const ofOrder = await payments.ofOrder(this.request.orderId);
    const waiting = ofOrder.find(({ status }) => status === 'action_required');
    if (waiting) await createSandboxActions(payments).answer(waiting, how);
  }

  /** Has something happen to the payment of the order in the sandbox's dashboard. Returns whether it is possible. */
  async happen(what: Happening): Promise<boolean> {
    const dashboard = createSandboxDashboard(createSandboxRepository(this.shop.db.connection));
    try {
      return (await dashboard.operate(this.paymentKey, what)) !== null;
    } catch (error) {
      if (error instanceof PaymentRefused) return false;
      throw error;
    }
  }

  private get paymentKey(): string {
    return currentPayment(this.stored!).key;
  }

  /** Has the order look at its payment. */
  async tell(telling: Telling): Promise<Result> {
    const { orderId } = this.request;
    const { version, paymentKey } = this;
    const event = { eventId: `evt_${orderId}_${this.events++}`, type: 'test', orderId, paymentKey };
    const confirm = () => this.service.confirmPayment(orderId, { ...CALLER, principal: this.customer });
    const send = async () => expect(await this.service.lookAgain(event)).toBe('done');
    const ways = { confirm: [confirm], event: [send], 'both at once': [confirm, send, send] };
    await Promise.all(ways[telling].map((tell) => tell()));
    return (await this.settled()).version > version ? 'done' : 'unchanged';
  }

  archive(): Promise<Result> {
    return this.resultOf(async () => {
      await this.service.archive(this.request.orderId, CALLER);
      return this.stored!.archivedAt ? 'again' : 'done';
    });
  }

  items(lines: readonly Line[]): OrderLine[] {
    return lines.map(([good, quantity]) => ({ productServiceId: this.ids.get(good)!, quantity }));
  }

  async reprice(good: Good, unitPrice: number): Promise<void> {
    const entry = (await this.shop.products.findActive(this.ids.get(good)!))!;
    await this.shop.products.update(entry, { unitPrice }, TEST_ORIGIN);
  }

  /** Fails unless states, money and stock match the model, and nothing else has changed. */
  async expectToBe(model: OrderModel, changes: Changes): Promise<void> {
    const before = this.stored;
    const stored = await this.settled();
    this.stored = stored;
    if (!before || changes === 'something') expect(stored.version).toBeGreaterThan(before?.version ?? 0);
    else expect(stored).toEqual({ ...before, ...memoryOf(stored) });
    this.expectState(stored, model);
    await this.expectMoney(model);
    for (const good of GOODS) {
      expect({ good, stock: await this.shop.stockOf(this.ids.get(good)!) }).toEqual({
        good,
        stock: model.stockOf(good),
      });
    }
  }

  private expectState(stored: Order, model: OrderModel): void {
    expect(stored).toMatchObject({
      status: model.status,
      paymentStatus: model.paymentStatus,
      fulfillmentStatus: model.fulfillmentStatus,
      note: model.note,
      captured: model.captured,
      refunded: model.refunded,
      compensations: [],
    });
    expect(stored.archivedAt !== null).toBe(model.isArchived);
    expect(stored.fulfillments.map(({ deliveredAt }) => deliveredAt !== null)).toEqual(
      model.fulfillments.map(({ isDelivered }) => isDelivered),
    );
    expect(stored.fulfillments.map(({ undone, trackingNumber }) => [!!undone, trackingNumber])).toEqual(
      model.fulfillments.map(({ isUndone, trackingNumber }) => [isUndone, trackingNumber]),
    );
    expect(stored.refunds.map(({ amount, status }) => [amount, status])).toEqual(
      model.refunds.map(({ amount, status }) => [amount, status]),
    );
    expect(stored.refunds.map(({ by }) => WHO[by] ?? 'staff')).toEqual(model.refunds.map(({ by }) => by));
    expect(stored.attempts.map(({ outcome }) => outcome)).toEqual(
      model.attempts.map(({ outcome }) => outcome),
    );
    expect(stored.disputes.map(({ amount, status }) => ({ amount, status }))).toEqual(model.disputes);
    expect(stored.payBy !== null).toBe(model.paymentStatus === 'action_required');
    if (model.lines.length === 0) return; // it was never priced
    expect(stored.total).toBe(model.total);
    expect(
      stored.items.map(({ productServiceId, quantity, total }) => [productServiceId, quantity, total]),
    ).toEqual(model.lines.map(({ good, quantity, total }) => [this.ids.get(good), quantity, total]));
    expect(
      stored.items.map((item) => [
        item.fulfilledQuantity,
        item.cancelledQuantity,
        item.cancelledAmount,
        item.refundedQuantity,
      ]),
    ).toEqual(model.lines.map((line) => [line.fulfilled, line.cancelled, line.saved, line.refunded]));
    expect(stored.total! - stored.cancelled).toBe(model.due);
  }

  private async expectMoney({ till }: OrderModel): Promise<void> {
    const ledger = await ledgerOf(this.shop, this.request.orderId);
    expect(ledger).toMatchObject(till.sums);
    expect(ledger.authorized).toBe(ledger.open + ledger.captured + ledger.voided);
  }

  /** Waits until what was reserved for nothing is voided, and returns the order. */
  private settled(): Promise<Order> {
    return until(
      HANG_MS,
      async () => {
        const order = await this.find();
        return order.compensations.length === 0 ? order : undefined;
      },
      () => new Error('A compensation of the order is still outstanding.'),
    );
  }

  private async find(): Promise<Order> {
    return (await this.shop.orders.findById(this.request.orderId))!;
  }

  private async resultOf(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return error.code as Result;
    }
  }
}

const WHO: Readonly<Record<string, string>> = { system: 'system', provider: 'provider' };

/** Returns what an order remembers of commands that it turned down. */
function memoryOf({ revision, commands }: Order): Partial<Order> {
  return { revision, commands };
}
