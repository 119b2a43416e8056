import { customerOf, type Customer } from './saga/commands';
import { orderRequest, type Shop } from '../support/shop';
import { eventually } from '../support/eventually';

/** Customers who order units of one product. */
export function customersOf(shop: Shop, productId: string) {
  const newCustomer = (paymentMethod = 'pm_card_visa', quantity = 2): Customer =>
    customerOf(
      shop,
      shop,
      orderRequest({ items: [{ productServiceId: productId, quantity }], paymentMethod }),
    );
  const units = (quantity: number) => [{ productServiceId: productId, quantity }];
  const ordered = async (...how: Parameters<typeof newCustomer>): Promise<Customer> => {
    const customer = newCustomer(...how);
    await customer.place();
    return customer;
  };
  const sent = async (): Promise<Customer> => {
    const customer = await ordered();
    await customer.fulfill('all', units(2));
    return customer;
  };

  /** Brings orders to the states that they can have. */
  function placeInEveryState(): Promise<unknown> {
    return Promise.all([
      ordered(),
      ordered('pm_card_chargeDeclined'),
      ordered('pm_card_threeDSecure2Required'),
      ordered().then((placed) => placed.cancel()),
      ordered().then((placed) => placed.amend({ items: units(3) })),
      ordered().then((placed) => placed.fulfill('part', units(1))),
      ordered().then(async (closedShort) => {
        await closedShort.fulfill('part', units(1));
        await closedShort.cancelUnits('rest', units(1));
      }),
      sent(),
      sent().then((undone) => undone.undo('all', true)),
      sent().then(async (cancelled) => {
        await cancelled.undo('all', true);
        await cancelled.cancel();
      }),
      sent().then((completed) => completed.deliver('all')),
      sent().then(async (archived) => {
        await archived.deliver('all');
        await archived.archive();
      }),
      sent().then(async (refunded) => {
        await refunded.refund('part', 500);
        await refunded.refund('rest', null);
      }),
      sent().then((returned) =>
        returned.refund('unit', null, [{ productServiceId: productId, quantity: 1, restock: true }]),
      ),
    ]);
  }

  return { newCustomer, units, ordered, sent, placeInEveryState };
}

/** Waits until no order of the shop owes anything. */
export async function expectSettled({ db }: Shop): Promise<void> {
  const owing = { 'compensations.state': { $exists: true } };
  await eventually(async () =>
    expect(await db.connection.collection('orders').countDocuments(owing)).toBe(0),
  );
}
