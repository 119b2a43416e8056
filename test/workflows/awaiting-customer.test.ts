import { createSandboxDashboard } from '../../src/payments/sandbox/dashboard';
import { createSandboxActions } from '../../src/payments/sandbox/actions';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import type { Order } from '../../src/domain/order';
import { createOrderService, type OrderService } from '../../src/orders/orders.service';
import type { AppError } from '../../src/errors/app-error';
import { expectConsistency } from '../support/consistency';
import { eventually } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { openShop, orderRequest, type Shop } from '../support/shop';
import type { Sabotage, TestWorker } from '../support/worker';
import { deferred } from './saga/deferred';

/** Orders that wait for their customer: to confirm the payment at the bank, or to try another card. */
const CHALLENGED = 'pm_card_threeDSecure2Required';
const DECLINED = 'pm_card_chargeDeclined';
const STOCK = 10;
const caller = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;

interface Waiting {
  order: Order;
  productId: string;
}

const handleOf = ({ temporal }: Shop, { id }: Order) => temporal.client.workflow.getHandle(`order-${id}`);
const stored = async (shop: Shop, { id }: Order) => (await shop.orders.findById(id))!;

async function place(shop: Shop, paymentMethod: string, inlinePayments = true): Promise<Waiting> {
  const { id: productId } = await shop.sell({ available: STOCK });
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: 2 }], paymentMethod });
  const order = await shop.withPolicy({ inlinePayments }).place(request);
  return { order: order!, productId };
}

/** Does what the customer does on the page of the bank. */
async function answer(shop: Shop, { id }: Order, what: 'authorise' | 'fail'): Promise<void> {
  const actions = createSandboxActions(createSandboxRepository(shop.db.connection));
  const payments = await createSandboxRepository(shop.db.connection).ofOrder(id);
  await actions.answer(payments.at(-1)!, what);
}

async function expectEnd(shop: Shop, { order, productId }: Waiting, end: object): Promise<void> {
  await eventually(async () =>
    expect(await stored(shop, order)).toMatchObject({ ...end, compensations: [], intention: null }),
  );
  await expectConsistency(shop, { productId, initial: STOCK, orders: [await stored(shop, order)] });
}

describe.each([
  ['asked for within the step', true],
  ['asked for on the queue of payments', false],
])('a customer who has a second, %s', (_, isInline) => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop({ own: true });
    await shop.startWorker({}, undefined, { PAYMENT_ACTION_DEADLINE: '1s' });
  });
  afterAll(() => shop?.close());

  it('and does not confirm the payment leaves nothing behind: it is voided, the stock released', async () => {
    const waiting = await place(shop, CHALLENGED, isInline);
    await expectEnd(shop, waiting, {
      status: 'rejected',
      paymentStatus: 'voided',
      rejection: { code: 'payment_action_expired' },
      reservation: 'released',
    });
    await answer(shop, waiting.order, 'authorise'); // too late
    await handleOf(shop, waiting.order).result();
    await recordHistory(
      isInline ? 'payment-action-expired' : 'payment-action-expired-on-queue',
      handleOf(shop, waiting.order),
    );
    await expectEnd(shop, waiting, { status: 'rejected' });
  });
});

describe('a customer who has time', () => {
  let shop: Shop;
  let service: OrderService;
  let worker: TestWorker;
  /** The payment service authorises nothing before this. */
  let mayAuthorize = Promise.resolve();
  const sabotage: Sabotage = {
    provider: (provider) => ({
      ...provider,
      async authorize(authorization) {
        await mayAuthorize;
        return provider.authorize(authorization);
      },
    }),
  };
  const start = () => shop.startWorker(sabotage, undefined, { PAYMENT_RETRY_WINDOW: '15m' });
  beforeAll(async () => {
    shop = await openShop({ own: true });
    worker = await start();
    service = createOrderService(shop);
  });
  afterAll(() => shop?.close());

  it('confirms the payment once, however the order learns of it first', async () => {
    const waiting = await place(shop, CHALLENGED);
    const { order } = waiting;
    await answer(shop, order, 'authorise');
    const event = { eventId: 'evt_1', type: 'x', orderId: order.id, paymentKey: order.payment!.key };
    const told = await Promise.all([
      service.confirmPayment(order.id, caller),
      service.lookAgain(event),
      service.lookAgain(event),
      service.confirmPayment(order.id, caller),
    ]);
    expect(told[1]).toBe('done');
    await expectEnd(shop, waiting, { status: 'confirmed', version: order.version + 1 });
    await recordHistory('payment-action-done', handleOf(shop, order));
  });

  it('cancels the order while the payment is confirmed: one of the two is what happens', async () => {
    const waiting = await place(shop, CHALLENGED);
    const { order } = waiting;
    const cancelling = service.cancel(order.id, caller, { reason: null });
    await Promise.all([
      answer(shop, order, 'authorise'),
      service.confirmPayment(order.id, caller),
      cancelling,
    ]);
    await expectEnd(shop, waiting, { status: 'cancelled', paymentStatus: 'voided' });
  });

  it('is waited for although the workflow is terminated: the next request resumes the order', async () => {
    const waiting = await place(shop, CHALLENGED);
    const { order } = waiting;
    await handleOf(shop, order).terminate('An operator does this.');
    await answer(shop, order, 'authorise');
    await service.confirmPayment(order.id, caller);
    await expectEnd(shop, waiting, { status: 'confirmed' });
  });

  it('tries another card, and another one that has to be confirmed', async () => {
    const waiting = await place(shop, DECLINED, false);
    const { order } = waiting;
    const pay = (key: string, paymentMethod: string) =>
      service.pay(order.id, { ...caller, idempotencyKey: key }, { paymentMethod });
    const again = await pay('a', DECLINED).catch((error: AppError) => error);
    expect(again).toMatchObject({ code: 'payment_declined', retryUntil: order.retryUntil });
    // Staff pay for a customer who is not there.
    expect(await pay('b', CHALLENGED).catch((error: AppError) => error.code)).toBe('payment_declined');
    await eventually(async () => expect(await stored(shop, order)).toMatchObject({ compensations: [] }));
    const customer = { ...caller, principal: { id: order.customerId, role: 'CUSTOMER' } } as const;
    const asked = await service.pay(
      order.id,
      { ...customer, idempotencyKey: 'c' },
      { paymentMethod: CHALLENGED },
    );
    expect(asked).toMatchObject({ status: 'pending', paymentStatus: 'action_required' });
    await answer(shop, order, 'authorise');
    await service.confirmPayment(order.id, caller);
    await expectEnd(shop, waiting, { status: 'confirmed', paymentStatus: 'authorized' });
    const { attempts } = await stored(shop, order);
    expect(attempts.map(({ outcome }) => outcome)).toEqual([
      'declined',
      'declined',
      'declined',
      'authorized',
    ]);
    await recordHistory('paid-with-another-card', handleOf(shop, order));
  });

  it('amends an order, and what happens to its payments meanwhile is told when that is done', async () => {
    const { id: productId } = await shop.sell({ available: STOCK });
    const items = [{ productServiceId: productId, quantity: 2 }];
    const order = (await shop.place(orderRequest({ items })))!;
    const event = { eventId: 'evt_1', type: 'x', orderId: order.id, paymentKey: order.payment!.key };
    const dashboard = createSandboxDashboard(createSandboxRepository(shop.db.connection));
    const gate = deferred();
    mayAuthorize = gate.promise;
    const amending = service.amend(order.id, caller, {
      items: [{ productServiceId: productId, quantity: 3 }],
    });
    await eventually(async () => expect((await stored(shop, order)).intention).not.toBeNull());
    await dashboard.operate(order.payment!.key, { operation: 'expire' });
    expect(await service.lookAgain(event)).toBe('busy');
    gate.resolve();
    mayAuthorize = Promise.resolve();
    const amended = await amending;
    await expectEnd(shop, { order, productId }, { status: 'confirmed', paymentStatus: 'authorized' });
    expect(await service.lookAgain(event)).toBe('done'); // of a payment that was replaced
    const { key } = amended.payment!;
    await dashboard.operate(key, { operation: 'expire' });
    expect(await service.lookAgain({ ...event, paymentKey: key })).toBe('done');
    await expectEnd(shop, { order, productId }, { status: 'confirmed', paymentStatus: 'voided' });
  });

  it('has an order that is waited for by any worker', async () => {
    const waiting = await place(shop, CHALLENGED);
    await worker.stop();
    await answer(shop, waiting.order, 'authorise');
    worker = await start();
    await expectEnd(shop, waiting, { status: 'confirmed' });
  });
});

it('a customer who tries no other card in time has no order', async () => {
  const shop = await openShop({ own: true });
  try {
    await shop.startWorker({}, undefined, { PAYMENT_RETRY_WINDOW: '1s' });
    const waiting = await place(shop, DECLINED);
    await expectEnd(shop, waiting, {
      status: 'rejected',
      paymentStatus: 'declined',
      rejection: { code: 'payment_declined' },
      reservation: 'released',
    });
    await handleOf(shop, waiting.order).result();
    await recordHistory('another-card-not-tried', handleOf(shop, waiting.order));
  } finally {
    await shop.close();
  }
});
