import { randomUUID } from 'node:crypto';
import { dueOf, type Order, type OrderLine } from '../../src/domain/order';
import { AppError } from '../../src/errors/app-error';
import { expectConsistency, ledgerOf } from '../support/consistency';
import { eventually } from '../support/eventually';
import { openOrderApi, type OrderApi } from '../support/order-api';
import { repetitions } from '../support/sample';
import { orderRequest } from '../support/shop';

const RACES = repetitions('workflows/races: orders that are cancelled and fulfilled at once');
const REFUNDS = repetitions('workflows/races: refunds at once');
const AMENDMENTS = repetitions('workflows/races: amendments at once');
/** How many orders race at the same time. */
const LANES = 25;
const STOCK = 1_000;

const caller = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;
const line = (productServiceId: string, quantity: number): OrderLine => ({ productServiceId, quantity });

let api: OrderApi;
beforeAll(async () => {
  api = await openOrderApi({ own: true });
  // Two workers do not share their queues per product, so only MongoDB keeps them apart.
  await api.shop.startWorker();
  await api.shop.startWorker();
});
afterAll(() => api?.close());

async function place(items: OrderLine[]): Promise<Order> {
  const { order } = await api.service.place(orderRequest({ items }));
  expect(order).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized' });
  return order;
}

/** Sells a product at 1.00 EUR for each unit. */
async function product(): Promise<string> {
  return (await api.shop.sell({ available: STOCK, unitPrice: 100, taxRateBps: 0 })).id;
}

const cancel = ({ id }: Order, items?: OrderLine[]) =>
  api.service.cancel(id, caller, { reason: null, ...(items && { items }) });
const amend = ({ id }: Order, items: OrderLine[], ifMatch: number[] | null) =>
  api.service.amend(id, { ...caller, ifMatch }, { items });
const fulfill = ({ id }: Order, items: OrderLine[], key: string = randomUUID()) =>
  api.service.fulfill(id, { ...caller, idempotencyKey: key }, { items, carrier: null, trackingNumber: null });
const refund = ({ id }: Order, amount: number) =>
  api.service.refund(id, { ...caller, idempotencyKey: randomUUID() }, { amount, reason: 'Broken' });

/** Returns `done` for each that succeeded, and the code of the problem for each that did not. */
async function outcomesOf(attempts: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(attempts);
  return settled.map((result) => {
    if (result.status === 'fulfilled') return 'done';
    if (result.reason instanceof AppError) return result.reason.code;
    throw result.reason;
  });
}

function countsOf(outcomes: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

const stored = async ({ id }: Order): Promise<Order> => (await api.shop.orders.findById(id))!;
/**
 * Returns the order once no compensation is outstanding: an amendment returns before the earlier payment is
 * voided.
 */
async function settled(order: Order): Promise<Order> {
  await eventually(async () => expect(await stored(order)).toMatchObject({ compensations: [] }));
  return stored(order);
}

it(`each of ${RACES} orders that are cancelled and fulfilled at once is exactly one of the two`, async () => {
  const products = await Promise.all(Array.from({ length: 4 }, product));
  const orders: Order[] = [];
  const winners: string[] = [];

  async function race(n: number): Promise<void> {
    const items = [line(products[n % 4]!, 1), line(products[(n + 1) % 4]!, 2)];
    const order = await place(items);
    const commands = { cancelled: () => cancel(order), fulfilled: () => fulfill(order, items) };
    const names = n % 2 ? (['cancelled', 'fulfilled'] as const) : (['fulfilled', 'cancelled'] as const);
    const outcomes = await outcomesOf(names.map((name) => commands[name]()));
    expect([...outcomes].sort()).toEqual(['done', 'invalid_transition']);
    const winner = names[outcomes.indexOf('done')]!;
    const now = await stored(order);
    expect(now).toMatchObject(
      winner === 'cancelled'
        ? { status: 'cancelled', paymentStatus: 'voided', reservation: 'released', fulfillments: [] }
        : { status: 'confirmed', paymentStatus: 'captured', reservation: 'committed', captured: 300 },
    );
    winners.push(winner);
    orders.push(now);
  }

  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    for (let n = lane; n < RACES; n += LANES) await race(n);
  });
  await Promise.all(lanes);
  expect(orders).toHaveLength(RACES);
  expect(Object.keys(countsOf(winners)).sort()).toEqual(['cancelled', 'fulfilled']);
  for (const productId of products) {
    const ofProduct = orders.filter(({ items }) => items.some((item) => item.productServiceId === productId));
    await expectConsistency(api.shop, { productId, initial: STOCK, orders: ofProduct });
  }
});

describe(`of ${REFUNDS} refunds of 10 at once, when 100 are captured`, () => {
  /** Returns a fulfilled order of one unit at 1.00 EUR. */
  async function captured(): Promise<{ productId: string; order: Order; fulfillmentId: string }> {
    const productId = await product();
    const order = await fulfill(await place([line(productId, 1)]), [line(productId, 1)]);
    expect(order).toMatchObject({ captured: 100, refunded: 0 });
    return { productId, order, fulfillmentId: order.fulfillments[0]!.id };
  }

  async function expectAllRefunded(productId: string, order: Order): Promise<void> {
    const now = await stored(order);
    expect(now).toMatchObject({ paymentStatus: 'refunded', captured: 100, refunded: 100 });
    expect(now.refunds.map(({ amount }) => amount)).toEqual(Array.from({ length: 10 }, () => 10));
    expect(await ledgerOf(api.shop, order.id)).toMatchObject({ captured: 100, refunded: 100, open: 0 });
    await expectConsistency(api.shop, { productId, initial: STOCK, orders: [now] });
  }

  const atOnce = <T>(attempt: () => T): T[] => Array.from({ length: REFUNDS }, attempt);
  const rejected = REFUNDS - 10;

  it('ten succeed while the order is open', async () => {
    const { productId, order } = await captured();
    const outcomes = await outcomesOf(atOnce(() => refund(order, 10)));
    expect(countsOf(outcomes)).toEqual({ done: 10, invalid_transition: rejected });
    await expectAllRefunded(productId, order);
  });

  it('ten succeed when the order is completed and its workflow has ended', async () => {
    const { productId, order, fulfillmentId } = await captured();
    const completed = await api.service.deliver(order.id, caller, { fulfillmentId });
    expect(completed.status).toBe('completed');
    await api.shop.temporal.client.workflow.getHandle(`order-${order.id}`).result();
    const outcomes = await outcomesOf(atOnce(() => refund(order, 10)));
    expect(countsOf(outcomes)).toEqual({ done: 10, invalid_transition: rejected });
    await expectAllRefunded(productId, order);
  });

  it('ten succeed over HTTP', async () => {
    const { productId, order } = await captured();
    const body = { amount: 10, reason: 'Broken' };
    const results = await Promise.all(atOnce(() => api.refund(order.id, body).then(({ status }) => status)));
    expect(countsOf(results)).toEqual({ 201: 10, 409: rejected });
    await expectAllRefunded(productId, order);
  });
});

it('the same fulfillment sent 20 times at once is made once, and each request returns it', async () => {
  const productId = await product();
  const order = await place([line(productId, 3)]);
  const onRepeat = jest.fn();
  const sent = { items: [line(productId, 2)], carrier: null, trackingNumber: null };
  const same = { ...caller, idempotencyKey: 'the same key', onRepeat };
  const results = await Promise.all(
    Array.from({ length: 20 }, () => api.service.fulfill(order.id, same, sent)),
  );
  expect(onRepeat).toHaveBeenCalledTimes(19);
  const now = await stored(order);
  expect(now.fulfillments).toHaveLength(1);
  expect(results).toEqual(results.map(() => now));
  expect(now.items[0]).toMatchObject({ quantity: 3, fulfilledQuantity: 2 });
  await expectConsistency(api.shop, { productId, initial: STOCK, orders: [now] });
});

it('an order that is amended, fulfilled and cancelled at once matches the commands that succeeded', async () => {
  const productId = await product();
  const races = Array.from({ length: AMENDMENTS }, async (_, n) => {
    const order = await place([line(productId, 2)]);
    const commands = [
      { name: 'amend', send: () => amend(order, [line(productId, 3)], null) },
      { name: 'fulfill', send: () => fulfill(order, [line(productId, 1)]) },
      { name: 'cancel', send: () => cancel(order) },
    ];
    const inTurn = [...commands.slice(n % 3), ...commands.slice(0, n % 3)];
    const outcomes = await outcomesOf(inTurn.map(({ send }) => send()));
    const outcomeOf = (name: string) => outcomes[inTurn.findIndex((one) => one.name === name)];
    const did = (name: string) => outcomeOf(name) === 'done';
    // A cancellation does not wait for the payment of an amendment.
    const isInterrupted = did('cancel') && outcomeOf('amend') === 'service_unavailable';
    const rejections = outcomes.filter((outcome) => outcome !== 'done');
    const possible = isInterrupted ? ['invalid_transition', 'service_unavailable'] : ['invalid_transition'];
    expect(possible).toEqual(expect.arrayContaining(rejections));
    expect(did('cancel')).toBe(true); // all that is not fulfilled by then

    const now = await settled(order);
    const sent = did('fulfill') ? 1 : 0;
    expect(now).toMatchObject({ total: did('amend') ? 300 : 200, captured: sent * 100, compensations: [] });
    expect(dueOf(now)).toBe(sent * 100);
    expect(now.status).toBe(did('fulfill') ? 'confirmed' : 'cancelled');
    expect(now.fulfillments).toHaveLength(sent);
    return now;
  });
  await expectConsistency(api.shop, { productId, initial: STOCK, orders: await Promise.all(races) });
});

it('of units that are cancelled and fulfilled at once each is exactly one of the two', async () => {
  const productId = await product();
  const races = Array.from({ length: AMENDMENTS }, async (_, n) => {
    const order = await place([line(productId, 3)]);
    const units = [line(productId, 2)];
    const commands = [() => cancel(order, units), () => fulfill(order, units)];
    const outcomes = await outcomesOf((n % 2 ? commands : commands.reverse()).map((send) => send()));
    expect([...outcomes].sort()).toEqual(['done', 'invalid_transition']);
    return settled(order);
  });
  await expectConsistency(api.shop, { productId, initial: STOCK, orders: await Promise.all(races) });
});

it('a fulfillment that is undone three times and delivered at once is exactly one of the two, once', async () => {
  const productId = await product();
  const races = Array.from({ length: AMENDMENTS }, async (_, n) => {
    const order = await fulfill(await place([line(productId, 2)]), [line(productId, 2)]);
    const fulfillmentId = order.fulfillments[0]!.id;
    const undo = { fulfillmentId, reason: 'Lost', restock: n % 2 === 0 };
    const commands = [
      ...[1, 2, 3].map(() => () => api.service.undoFulfillment(order.id, caller, undo)),
      () => api.service.deliver(order.id, caller, { fulfillmentId }),
    ];
    const inTurn = [...commands.slice(n % 4), ...commands.slice(0, n % 4)];
    const outcomes = await outcomesOf(inTurn.map((send) => send()));
    expect([...outcomes].sort()).toEqual(['done', ...Array<string>(3).fill('invalid_transition')]);
    return settled(order);
  });
  await expectConsistency(api.shop, { productId, initial: STOCK, orders: await Promise.all(races) });
});

it('of two amendments of the same version exactly one wins', async () => {
  const productId = await product();
  const races = Array.from({ length: AMENDMENTS }, async () => {
    const order = await place([line(productId, 2)]);
    const quantities = [1, 4];
    const outcomes = await outcomesOf(
      quantities.map((quantity) => amend(order, [line(productId, quantity)], [order.version])),
    );
    expect([...outcomes].sort()).toEqual(['done', 'precondition_failed']);
    const now = await settled(order);
    const [item] = now.items;
    expect(now.items).toHaveLength(1);
    expect(item!.quantity).toBe(quantities[outcomes.indexOf('done')]);
    return now;
  });
  await expectConsistency(api.shop, { productId, initial: STOCK, orders: await Promise.all(races) });
});
