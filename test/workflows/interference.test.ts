import { LIVES } from './saga/lives';
import { beginSaga, openSpoiledShop, wordOf, type Saga, type SpoiledShop } from './saga/saga';
import { meanwhile } from './saga/faults';

let spoiled: SpoiledShop;
beforeAll(async () => {
  spoiled = await openSpoiledShop();
  await spoiled.startWorker();
});
afterAll(() => spoiled.shop.close());

/** Writes the document as a repair by hand would, just before the step writes it. */
function interfereAt(step: string, saga: Saga): void {
  const orders = spoiled.shop.db.connection.collection('orders');
  const byHand = meanwhile(async () => {
    await orders.updateOne(
      { _id: saga.orderId as never },
      { $inc: { version: 1 }, $set: { note: 'by hand', updatedAt: new Date() } },
    );
  });
  saga.spoil(step, byHand);
}

async function live(saga: Saga, moves: number): Promise<string[]> {
  const answers: string[] = [];
  for (let move = 0; move < moves; move++) answers.push(wordOf(await saga.make(move)));
  await saga.settled();
  return answers;
}

it.each([
  ['fulfillOrder', 'delivered in parts'],
  ['fulfillOrder#2', 'delivered in parts'],
  ['deliverFulfillment#2', 'delivered in parts'],
  ['recordRefund', 'refunded'],
  ['recordRefund', 'refunded when completed'],
  ['cancelOrder', 'cancelled'],
  ['recordCompensation', 'cancelled'],
  ['archiveOrder', 'cancelled'],
  ['recordCompensation', 'amended to more'],
])('when somebody else writes the order at %s, it is still %s, once', async (step, name) => {
  const life = LIVES.find((one) => one.name === name)!;
  const [undisturbed, saga] = [await beginSaga(spoiled, life), await beginSaga(spoiled, life)];
  interfereAt(step, saga);
  const [expected, answers] = [
    await live(undisturbed, life.moves.length),
    await live(saga, life.moves.length),
  ];
  expect(answers).toEqual(expected);
  expect(saga.spoiledSteps()).toEqual([step]);
  const { order } = await undisturbed.rest();
  expect((await saga.rest()).order).toEqual({ ...order, version: order.version! + 1 });
  expect(await saga.customer.stored()).toMatchObject({ note: 'by hand' });
  await saga.end();
});

describe('when somebody else writes the order while it is amended', () => {
  const life = LIVES.find(({ name }) => name === 'amended to more')!;
  const items = ({ productId: productServiceId }: Saga) => [{ productServiceId, quantity: 5 }];

  it('the amendment is refused that was meant for the version before, and its payment given back', async () => {
    const saga = await beginSaga(spoiled, life);
    interfereAt('amendOrder', saga);
    expect(await live(saga, 2)).toEqual(['confirmed', 'precondition_failed']);
    expect((await saga.rest()).order).toMatchObject({ status: 'confirmed', items: ['0 of 3'], paid: 7_136 });
    await saga.end();
  });

  it('the amendment is made that was meant for any version, with a payment of its own', async () => {
    const saga = await beginSaga(spoiled, life);
    interfereAt('amendOrder', saga);
    await saga.make(0);
    expect(wordOf(await saga.customer.amend({ items: items(saga) }))).toBe('confirmed');
    expect((await saga.rest()).order).toMatchObject({ items: ['0 of 5'], paid: 11_894, owed: [] });
    expect(await saga.customer.stored()).toMatchObject({ note: 'by hand' });
    await saga.end();
  });
});
