import { until } from '../../../tools/devstack/until';
import { AppError } from '../../../src/errors/app-error';
import type { Order, OrderLine, OrderRequest } from '../../../src/domain/order';
import { createOrderService, type OrderService } from '../../../src/orders/orders.service';
import type { Caller } from '../../../src/orders/order-request';
import { ledgerOf } from '../../support/consistency';
import { HANG_MS } from '../../support/eventually';
import { TEST_ORIGIN } from '../../support/origin';
import { orderRequest, type Shop } from '../../support/shop';
import { CATALOGUE, GOODS, type Result, type Good, type Line, type OrderModel } from './model';

export const CALLER = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;

export type Changes = 'something' | 'nothing';

/** The real order beside the model, for goods that no other order has. */
export class Counter {
  private readonly service: OrderService;
  private request!: OrderRequest;
  /** The order after the last command. */
  private stored?: Order;

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

  fulfillmentId(n: number): string {
    return this.stored!.fulfillments[n]?.id ?? 'ful_unknown';
  }

  async place(lines: readonly Line[], paymentMethod: string): Promise<Result> {
    this.request = orderRequest({ items: this.items(lines), paymentMethod });
    const { order } = await this.service.place(this.request);
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
    expect(stored.refunds.map(({ amount }) => amount)).toEqual(model.refunds.map(({ amount }) => amount));
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

  private async expectMoney({ open, captured, refunded }: OrderModel): Promise<void> {
    const ledger = await ledgerOf(this.shop, this.request.orderId);
    expect(ledger).toMatchObject({ open, captured, refunded });
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

/** Returns what an order remembers of commands that it turned down. */
function memoryOf({ revision, commands }: Order): Partial<Order> {
  return { revision, commands };
}
