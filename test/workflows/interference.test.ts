import { SCENARIOS } from './saga/scenarios';
import { beginSaga, openFaultyShop, outcomeOf, type Saga, type FaultyShop } from './saga/saga';
import { meanwhile } from './saga/faults';

let faulty: FaultyShop;
/** The ids of orders that are changed by hand just before their next write. */
const disturbed = new Set<string>();
beforeAll(async () => {
  faulty = await openFaultyShop();
  interfere();
  await faulty.startWorker();
});
afterAll(() => faulty.shop.close());

/** Writes a disturbed document like a repair by hand, after a step has read it and before the step writes it. */
function interfere(): void {
  const orders = faulty.shop.db.connection.collection('orders');
  const replaceOne = orders.replaceOne.bind(orders);
  jest.spyOn(orders, 'replaceOne').mockImplementation(async (filter, ...rest) => {
    if (disturbed.delete(filter._id as never)) {
      const byHand = { $inc: { version: 1, revision: 1 }, $set: { note: 'by hand', updatedAt: new Date() } };
      await orders.updateOne({ _id: filter._id }, byHand);
    }
    return replaceOne(filter, ...rest);
  });
}

function interfereAt(step: string, saga: Saga): void {
  saga.inject(
    step,
    meanwhile(async () => void disturbed.add(saga.orderId)),
  );
}

async function live(saga: Saga, moves: number): Promise<string[]> {
  const outcomes: string[] = [];
  for (let move = 0; move < moves; move++) outcomes.push(outcomeOf(await saga.make(move)));
  await saga.settled();
  return outcomes;
}

it.concurrent.each([
  ['recordPayment', 'placed'],
  ['fulfillOrder', 'delivered in parts'],
  ['recordPayment#2', 'delivered in parts'],
  ['fulfillOrder#2', 'delivered in parts'],
  ['deliverFulfillment#2', 'delivered in parts'],
  ['refundOrder', 'refunded'],
  ['recordPayment#3', 'refunded'],
  ['refundOrder', 'refunded when completed'],
  ['cancelOrder', 'cancelled'],
  ['recordCompensation', 'cancelled'],
  ['archiveOrder', 'cancelled'],
  ['recordCompensation', 'amended to more'],
  ['fulfillOrder', 'completed and refunded at once'],
  ['refundOrder', 'completed and refunded at once'],
])('when another writer changes the order at %s, it is still %s, once', async (step, name) => {
  const scenario = SCENARIOS.find((one) => one.name === name)!;
  const [undisturbed, saga] = [await beginSaga(faulty, scenario), await beginSaga(faulty, scenario)];
  interfereAt(step, saga);
  const [expected, outcomes] = [
    await live(undisturbed, scenario.moves.length),
    await live(saga, scenario.moves.length),
  ];
  expect(outcomes).toEqual(expected);
  expect(disturbed).not.toContain(saga.orderId);
  const { order } = await undisturbed.rest();
  expect((await saga.rest()).order).toEqual({ ...order, version: order.version! + 1 });
  expect(await saga.customer.stored()).toMatchObject({ note: 'by hand' });
  await saga.end();
});

describe('when another writer changes the order just before an amendment', () => {
  const scenario = SCENARIOS.find(({ name }) => name === 'amended to more')!;
  const items = ({ productId: productServiceId }: Saga) => [{ productServiceId, quantity: 5 }];

  it.concurrent('rejects an amendment of the earlier version, and asks for no payment', async () => {
    const saga = await beginSaga(faulty, scenario);
    interfereAt('amendOrder', saga);
    expect(await live(saga, 2)).toEqual(['confirmed', 'precondition_failed']);
    expect((await saga.rest()).order).toMatchObject({
      status: 'confirmed',
      items: [{ ordered: 3 }],
      paid: 7_136,
    });
    expect(faulty.injector.stepsOf(saga.orderId)).not.toContain('authorizePayment#2');
    await saga.end();
  });

  it.concurrent('carries out an amendment of any version', async () => {
    const saga = await beginSaga(faulty, scenario);
    interfereAt('amendOrder', saga);
    await saga.make(0);
    expect(outcomeOf(await saga.customer.amend({ items: items(saga) }))).toBe('confirmed');
    await saga.settled();
    expect((await saga.rest()).order).toMatchObject({ items: [{ ordered: 5 }], paid: 11_894, owed: [] });
    expect(await saga.customer.stored()).toMatchObject({ note: 'by hand' });
    await saga.end();
  });
});
