import type { Order } from '../../src/domain/order';
import { amendmentPayment, firstPaymentKey } from '../../src/domain/order-payment';
import type { Authorization } from '../../src/domain/payment';
import { createSandboxProvider } from '../../src/payments/sandbox/provider';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { expectConsistency, ledgerOf } from '../support/consistency';
import { recordHistory } from '../support/histories';
import { orderRequest } from '../support/shop';
import { deferred } from './saga/deferred';
import { AVAILABLE, SCENARIOS, ORDERED } from './saga/scenarios';
import { beginSaga, openFaultyShop, outcomeOf, type Saga, type FaultyShop } from './saga/saga';

/** The payment of an amendment is authorised before the order is changed. If the order keeps its lines, it is voided. */
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

  it.each([
    [
      'amended again',
      'unknown_product',
      (saga: Saga) => saga.customer.amend({ items: itemsOf(saga, AVAILABLE) }),
      7_136,
    ],
    ['cancelled', 'cancelled', (saga: Saga) => saga.customer.cancel(), 0],
  ])('is voided when its product is retired and the order is %s (%s)', async (_, outcome, command, open) => {
    const saga = await interrupted();
    await faulty.shop.retire(saga.productId);
    expect(outcomeOf(await command(saga))).toBe(outcome);
    await saga.settled();
    expect(await ledgerOf(faulty.shop, saga.orderId)).toMatchObject({ open });
  });
});

describe('cancelling an order whose workflow was terminated while it was placed', () => {
  it.each([
    ['before it was stored', 'placeOrder', { reservation: 'none', version: 1 }],
    ['when its payment was about to be authorised', 'authorizePayment', { reservation: 'released' }],
  ])('%s reserves no payment', async (_, step, order) => {
    const saga = await beginSaga(faulty, AMENDED);
    const [reached, released] = [deferred(), deferred()];
    saga.inject(step, async () => {
      reached.resolve();
      await released.promise;
      throw new Error('The connection was lost.');
    });
    const placed = saga.make(0);
    await reached.promise;
    await handleOf(saga.orderId).terminate();
    expect(await saga.customer.cancel()).toMatchObject({ status: 'cancelled', ...order });
    released.resolve();
    await placed;
    await saga.settled();
    expect(await ledgerOf(faulty.shop, saga.orderId)).toMatchObject({ authorized: 0 });
    await saga.end();
  });
});

describe('a key under which another payment is reserved', () => {
  /** Reserves what a workflow leaves behind that was reset to a point before its payment. */
  async function reserve(key: string, orderId: string): Promise<void> {
    const provider = createSandboxProvider({
      repository: createSandboxRepository(faulty.shop.db.connection),
    });
    const other: Authorization = {
      key,
      orderId,
      amount: 100,
      currency: 'EUR',
      paymentMethod: 'pm_card_visa',
    };
    await provider.authorize(other);
  }

  it('rejects the amendment, and is voided, so that the amendment can be repeated', async () => {
    const saga = await beginSaga(faulty, AMENDED);
    const order = (await saga.make(0)) as Order;
    await reserve(
      amendmentPayment(order, { items: [], currency: 'EUR', subtotal: 0, tax: 0, total: 1 }).key,
      order.id,
    );
    expect(await saga.make(1)).toBe('invalid_transition');
    await saga.settled();
    expect(await ledgerOf(faulty.shop, saga.orderId)).toMatchObject({ open: 7_136 });
    expect(outcomeOf(await saga.make(1))).toBe('confirmed');
    await expectOpen(saga, 11_894);
    await recordHistory('amendment-of-a-reused-key', handleOf(saga.orderId));
  });

  it.each([
    ['by the workers of orders', true],
    ['by those of the payments queue', false],
  ])('rejects the order, and is voided, when the payment service is called %s', async (_, inlinePayments) => {
    const { id: productId } = await faulty.shop.sell({ available: AVAILABLE });
    const request = orderRequest({ items: [{ productServiceId: productId, quantity: ORDERED }] });
    await reserve(firstPaymentKey(request.orderId), request.orderId);
    expect(await faulty.shop.withPolicy({ inlinePayments }).place(request)).toMatchObject({
      status: 'rejected',
      reservation: 'released',
      rejection: { code: 'payment_declined', detail: expect.stringContaining('It will be voided') },
    });
    await handleOf(request.orderId).result();
    const order = (await faulty.shop.orders.findById(request.orderId))!;
    expect(order).toMatchObject({ paymentStatus: 'voided', compensations: [] });
    await expectConsistency(faulty.shop, { productId, initial: AVAILABLE, orders: [order] });
    if (!inlinePayments) await recordHistory('rejected-for-a-reused-key', handleOf(request.orderId));
  });
});
