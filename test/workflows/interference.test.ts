import { SCENARIOS } from './saga/scenarios';
import { beginSaga, openFaultyShop, outcomeOf, type Saga, type FaultyShop } from './saga/saga';
import { meanwhile } from './saga/faults';

let faulty: FaultyShop;
beforeAll(async () => {
  faulty = await openFaultyShop();
  await faulty.startWorker();
});
afterAll(() => faulty.shop.close());

/** Writes the document like a repair by hand, just before the step writes it. */
function interfereAt(step: string, saga: Saga): void {
  const orders = faulty.shop.db.connection.collection('orders');
  const byHand = meanwhile(async () => {
    await orders.updateOne(
      { _id: saga.orderId as never },
      { $inc: { version: 1 }, $set: { note: 'by hand', updatedAt: new Date() } },
    );
  });
  saga.inject(step, byHand);
}

async function live(saga: Saga, moves: number): Promise<string[]> {
  const outcomes: string[] = [];
  for (let move = 0; move < moves; move++) outcomes.push(outcomeOf(await saga.make(move)));
  await saga.settled();
  return outcomes;
}

it.concurrent.each([
  ['fulfillOrder', 'delivered in parts'],
  ['fulfillOrder#2', 'delivered in parts'],
  ['deliverFulfillment#2', 'delivered in parts'],
  ['recordRefund', 'refunded'],
  ['recordRefund', 'refunded when completed'],
  ['cancelOrder', 'cancelled'],
  ['recordCompensation', 'cancelled'],
  ['archiveOrder', 'cancelled'],
  ['recordCompensation', 'amended to more'],
])('when another writer changes the order at %s, it is still %s, once', async (step, name) => {
  const scenario = SCENARIOS.find((one) => one.name === name)!;
  const [undisturbed, saga] = [await beginSaga(faulty, scenario), await beginSaga(faulty, scenario)];
  interfereAt(step, saga);
  const [expected, outcomes] = [
    await live(undisturbed, scenario.moves.length),
    await live(saga, scenario.moves.length),
  ];
  expect(outcomes).toEqual(expected);
  expect(saga.faultySteps()).toEqual([step]);
  const { order } = await undisturbed.rest();
  expect((await saga.rest()).order).toEqual({ ...order, version: order.version! + 1 });
  expect(await saga.customer.stored()).toMatchObject({ note: 'by hand' });
  await saga.end();
});

describe('when another writer changes the order during an amendment', () => {
  const scenario = SCENARIOS.find(({ name }) => name === 'amended to more')!;
  const items = ({ productId: productServiceId }: Saga) => [{ productServiceId, quantity: 5 }];

  it.concurrent('rejects an amendment of the earlier version, and voids its payment', async () => {
    const saga = await beginSaga(faulty, scenario);
    interfereAt('amendOrder', saga);
    expect(await live(saga, 2)).toEqual(['confirmed', 'precondition_failed']);
    expect((await saga.rest()).order).toMatchObject({ status: 'confirmed', items: ['0 of 3'], paid: 7_136 });
    await saga.end();
  });

  it.concurrent('carries out an amendment of any version, with a new payment', async () => {
    const saga = await beginSaga(faulty, scenario);
    interfereAt('amendOrder', saga);
    await saga.make(0);
    expect(outcomeOf(await saga.customer.amend({ items: items(saga) }))).toBe('confirmed');
    expect((await saga.rest()).order).toMatchObject({ items: ['0 of 5'], paid: 11_894, owed: [] });
    expect(await saga.customer.stored()).toMatchObject({ note: 'by hand' });
    await saga.end();
  });
});
