import type { Order } from '../../src/domain/order';
import { amendmentPayment, firstPayment, paymentRef } from '../../src/domain/order-payment';
import { openedOrder } from '../../src/domain/placing';
import { activitiesOn } from '../support/activities';
import { expectConsistency, ledgerOf } from '../support/consistency';
import { recordHistory } from '../support/histories';
import { orderRequest } from '../support/shop';
import { deferred } from './saga/deferred';
import { AVAILABLE, SCENARIOS, ORDERED } from './saga/scenarios';
import { beginSaga, openFaultyShop, outcomeOf, type Saga, type FaultyShop } from './saga/saga';

/**
 * The payment of an amendment is authorised before the order is saved. Whatever happens in between, it is
 * voided.
 */
let faulty: FaultyShop;
beforeAll(async () => {
  faulty = await openFaultyShop();
  await faulty.startWorker();
});
afterAll(() => faulty.shop.close());

const AMENDED = SCENARIOS.find(({ name }) => name === 'amended to more')!;
const handleOf = (orderId: string) => faulty.shop.temporal.client.workflow.getHandle(`order-${orderId}`);
const itemsOf = ({ productId: productServiceId }: Saga, quantity: number) => [{ productServiceId, quantity }];

/** Terminates the workflow when the payment of an amendment is authorised. */
async function interrupted(): Promise<Saga> {
  const saga = await beginSaga(faulty, AMENDED);
  await saga.make(0);
  const [reached, released] = [deferred(), deferred()];
  saga.inject('authorizePayment#2', async (_attempt, effect) => {
    const result = await effect();
    reached.resolve();
    await released.promise;
    return result;
  });
  const amended = saga.make(1);
  await reached.promise;
  await handleOf(saga.orderId).terminate();
  released.resolve();
  expect(outcomeOf(await amended)).not.toBe('confirmed');
  expect(await ledgerOf(faulty.shop, saga.orderId)).toMatchObject({ open: 7_136 + 11_894 });
  return saga;
}

async function expectOpen(saga: Saga, open: number): Promise<void> {
  await saga.settled();
  expect(await ledgerOf(faulty.shop, saga.orderId)).toMatchObject({ open });
  await saga.end();
}

describe('the payment of an amendment whose workflow was terminated', () => {
  it('is voided when the order is amended in another way', async () => {
    const saga = await interrupted();
    expect(await saga.customer.amend({ items: itemsOf(saga, 4) })).toMatchObject({ total: 9_515 });
    await expectOpen(saga, 9_515);
    await recordHistory('amended-after-an-interruption', handleOf(saga.orderId));
  });

  it('is voided when the order is amended without a new payment', async () => {
    const saga = await interrupted();
    expect(await saga.customer.amend({ note: 'Ring twice' })).toMatchObject({ total: 7_136 });
    await expectOpen(saga, 7_136);
  });

  it('is voided when the order is cancelled', async () => {
    const saga = await interrupted();
    expect(outcomeOf(await saga.customer.cancel())).toBe('cancelled');
    await expectOpen(saga, 0);
  });
});

describe('a key under which another payment is reserved', () => {
  /** Reserves what a workflow leaves behind that was reset to a point before its amendment. */
  async function reserve(order: Order, quantity: number): Promise<void> {
    const pricing = { items: [], currency: 'EUR', subtotal: 0, tax: 0, total: quantity * 1_000 };
    const payment = paymentRef(order, amendmentPayment(order, pricing));
    await activitiesOn(faulty.shop.db).authorizePayment({ ...payment, requestId: 'test' });
  }

  it('rejects the amendment, and is voided, so that the amendment can be repeated', async () => {
    const saga = await beginSaga(faulty, AMENDED);
    await reserve((await saga.make(0)) as Order, 1);
    expect(await saga.make(1)).toBe('invalid_transition');
    await saga.settled();
    expect(await ledgerOf(faulty.shop, saga.orderId)).toMatchObject({ open: 7_136 });
    expect(outcomeOf(await saga.make(1))).toBe('confirmed');
    await expectOpen(saga, 11_894);
    await recordHistory('amendment-of-a-reused-key', handleOf(saga.orderId));
  });

  it('rejects the order, and is voided', async () => {
    const { id: productId } = await faulty.shop.sell({ available: AVAILABLE });
    const request = orderRequest({ items: [{ productServiceId: productId, quantity: ORDERED }] });
    const opened = openedOrder(request, await activitiesOn(faulty.shop.db).priceOrder(request));
    const payment = paymentRef(opened, { ...firstPayment(opened), amount: 1 });
    await activitiesOn(faulty.shop.db).authorizePayment({ ...payment, requestId: 'test' });
    expect(await faulty.shop.workflows.place(request)).toMatchObject({
      status: 'rejected',
      reservation: 'released',
      rejection: { code: 'payment_declined', detail: expect.stringContaining('It will be voided') },
    });
    await handleOf(request.orderId).result();
    const order = (await faulty.shop.orders.findById(request.orderId))!;
    expect(order).toMatchObject({ paymentStatus: 'voided', compensations: [] });
    await expectConsistency(faulty.shop, { productId, initial: AVAILABLE, orders: [order] });
    await recordHistory('rejected-for-a-reused-key', handleOf(request.orderId));
  });
});
