import type { Order } from '../../src/domain/order';
import { currentPayment } from '../../src/domain/order-payment';
import { unpaidOf, type UnpaidOrder } from '../../src/domain/unpaid';
import { createOrderModel } from '../../src/orders/orders.model';
import { createUnpaidOrdersModel } from '../../src/orders/unpaid-orders.model';
import { createSandboxPaymentModel } from '../../src/payments/sandbox/model';
import type { Shop } from './shop';

/** The sums, in minor units, of the payments of one order in the ledger of the sandbox. */
export interface Ledger {
  authorized: number;
  open: number;
  captured: number;
  voided: number;
  refunded: number;
  disputed: number;
}

export async function ledgerOf({ db }: Shop, orderId: string): Promise<Ledger> {
  const payments = await createSandboxPaymentModel(db.connection).find({ orderId }).lean();
  const sum = (field: keyof Ledger) => payments.reduce((total, payment) => total + payment[field], 0);
  return {
    authorized: sum('authorized'),
    open: sum('open'),
    captured: sum('captured'),
    voided: sum('voided'),
    refunded: sum('refunded'),
    disputed: sum('disputed'),
  };
}

/** Returns what the ledger must contain for an order without outstanding compensations. */
function expectedOf(order: Order): Partial<Ledger> {
  const { paymentStatus, payment, captured, refunded } = order;
  const isReserved = paymentStatus === 'authorized' || (captured > 0 && payment!.captures === 'many');
  return { open: isReserved && !payment!.isClosed ? payment!.amount - captured : 0, captured, refunded };
}

/** Fails unless what the order says of its money agrees in itself. */
function expectMoneyToAgree({ total, cancelled, items, captured, refunded, refunds }: Order): void {
  const sum = (amounts: number[]) => amounts.reduce((all, amount) => all + amount, 0);
  expect(cancelled).toBe(sum(items.map(({ cancelledAmount }) => cancelledAmount)));
  expect(cancelled).toBeLessThanOrEqual(total ?? 0);
  const made = refunds.filter(({ status }) => status === 'succeeded');
  expect(refunded).toBe(sum(made.map(({ amount }) => amount)));
  expect(refunded).toBeLessThanOrEqual(captured);
  const repaid = sum(made.filter(({ by }) => by === 'system').map(({ amount }) => amount));
  expect(captured - repaid).toBeLessThanOrEqual((total ?? 0) - cancelled);
}

/**
 * Fails unless the stored order matches its Mongoose schema in every field. The schema does not check writes.
 */
async function expectDeclaredShape({ db }: Shop, orderId: string): Promise<void> {
  const Declared = createOrderModel(db.connection);
  const stored = await Declared.findById(orderId).lean();
  const declared = new Declared(stored!, null, { strict: 'throw' });
  await declared.validate();
  expect(declared.toObject()).toEqual(stored);
}

/** Fails unless the payment that the order waits for is the only one that its customer can still confirm. */
async function expectOnePaymentToWait({ db }: Shop, order: Order): Promise<void> {
  const waiting = { orderId: order.id, status: 'action_required' as const };
  const payments = await createSandboxPaymentModel(db.connection).find(waiting).lean();
  const awaited = order.paymentStatus === 'action_required' ? [currentPayment(order).key] : [];
  expect(payments.map(({ _id }) => _id)).toEqual(awaited);
}

/** Fails unless exactly the orders that wait for their customer are counted as unpaid. */
async function expectUnpaidToAgree({ db }: Shop, orders: readonly Order[]): Promise<void> {
  const ids = new Set(orders.map(({ id }) => id));
  const unpaid = await createUnpaidOrdersModel(db.connection).find().lean();
  const counted = unpaid.flatMap((ofCustomer) => ofCustomer.orders).filter(({ orderId }) => ids.has(orderId));
  const waiting = orders.map(unpaidOf).filter((one) => one !== null);
  const byId = (some: UnpaidOrder[]) => new Map(some.map((one) => [one.orderId, one]));
  expect(byId(counted)).toEqual(byId(waiting));
}

/**
 * Fails unless ledger, stock and orders agree exactly.
 * @param initial the units of the product before the first order
 * @param orders all orders for the product
 * @param held the units of it that carts hold
 */
export async function expectConsistency(
  shop: Shop,
  {
    productId,
    initial,
    orders,
    held = 0,
  }: { productId: string; initial: number; orders: readonly Order[]; held?: number },
): Promise<void> {
  for (const order of orders) {
    await expectDeclaredShape(shop, order.id);
    expectMoneyToAgree(order);
    const ledger = await ledgerOf(shop, order.id);
    const expected = expectedOf(order);
    expect({ orderId: order.id, intention: order.intention, ...ledger }).toMatchObject({
      intention: null,
      ...expected,
    });
    expect(ledger.authorized).toBe(ledger.captured + ledger.voided + ledger.open);
    expect(ledger.refunded).toBeLessThanOrEqual(ledger.captured);
    await expectOnePaymentToWait(shop, order);
  }
  await expectUnpaidToAgree(shop, orders);
  const items = orders.flatMap(({ items, reservation }) => items.map((item) => ({ ...item, reservation })));
  const ofProduct = items.filter((item) => item.productServiceId === productId);
  const kept = ofProduct.filter(({ reservation }) => reservation === 'held');
  const reserved = kept.reduce(
    (sum, { quantity, fulfilledQuantity, cancelledQuantity }) =>
      sum + quantity - fulfilledQuantity - cancelledQuantity,
    0,
  );
  const gone = ofProduct.reduce(
    (sum, { fulfilledQuantity, restockedQuantity, writtenOffQuantity }) =>
      sum + fulfilledQuantity - restockedQuantity + writtenOffQuantity,
    0,
  );
  expect({ held: 0, ...(await shop.stockOf(productId)) }).toEqual({
    available: initial - reserved - gone - held,
    reserved,
    held,
  });
}
