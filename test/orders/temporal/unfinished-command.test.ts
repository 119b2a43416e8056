import { COMMANDS } from '../../../workflows/contract';
import type { Order, OrderRequest } from '../../../src/domain/order';
import { unsettled } from '../../../src/domain/compensation';
import type { Activities } from '../../../src/worker/activities';
import { amending, fulfilling, placed, QUEUED } from '../../activities/fixtures';
import { activitiesOn } from '../../support/activities';
import { newCommand } from '../../support/commands';
import { eventually } from '../../support/eventually';
import { lines } from '../../support/order-api';
import { openShop, type Shop } from '../../support/shop';

/** A worker that was frozen while it carried out a command wakes up, and leaves it unfinished behind the workflow. */
let shop: Shop;
let frozen: Activities;
beforeAll(async () => {
  shop = await openShop();
  frozen = activitiesOn(shop.db);
});
afterAll(() => shop.close());

const cancel = (request: OrderRequest) =>
  shop.workflows.execute(request, COMMANDS.cancel, { ...newCommand(), reason: null });

async function open() {
  const shopped = await placed(
    shop,
    { placeOrder: async (request) => (await shop.place(request)) as never },
    { available: 9 },
  );
  expect(shopped.order.status).toBe('confirmed');
  return shopped;
}

const load = async ({ id }: Order) => (await shop.orders.findById(id))!;

describe('a command that finds another one unfinished', () => {
  it('is turned down if the other one rules it out', async () => {
    const { order, request } = await open();
    await frozen.fulfillOrder(fulfilling(order), QUEUED);
    await expect(cancel(request)).rejects.toMatchObject({ code: 'invalid_transition' });
    expect(await load(order)).toMatchObject({ status: 'confirmed', captured: order.total, intention: null });
  });

  it('is carried out after the other one', async () => {
    const { order, request, productId } = await open();
    await frozen.amendOrder(amending(order, { items: lines([productId, 5]).items }), QUEUED);
    // The amendment is withdrawn: nobody waits for the payment of an order that is cancelled.
    expect(await cancel(request)).toMatchObject({ status: 'cancelled', total: 2_000, intention: null });
    await eventually(async () => expect(unsettled(await load(order))).toEqual([]));
    expect(await shop.stockOf(productId)).toEqual({ available: 9, reserved: 0 });
  });

  it('is carried out after the other one if it may pay for that itself', async () => {
    const { order, request, productId } = await open();
    await frozen.amendOrder(amending(order, { items: lines([productId, 5]).items }), QUEUED);
    const note = { ...newCommand(), ifMatch: null, note: 'Ring twice' };
    const amended = await shop.workflows.execute(request, COMMANDS.amend, note);
    expect(amended).toMatchObject({ total: 5_000, note: 'Ring twice', intention: null });
  });
});
