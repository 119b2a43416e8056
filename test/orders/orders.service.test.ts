import { draftOrder } from '../../src/domain/placing';
import type { Order } from '../../src/domain/order';
import { AppError } from '../../src/errors/app-error';
import { createOrderService, type OrderServiceDeps } from '../../src/orders/orders.service';
import { orderRequest } from '../support/shop';

const request = orderRequest({ items: [{ productServiceId: 'ps_x', quantity: 1 }] });
const saved: Order = { ...draftOrder(request), version: 1 };

/** A service that has waited in vain for the outcome, and looks what is known of the order. */
function waitedInVain(
  find: OrderServiceDeps['workflows']['find'],
  ...inMongoDb: (Order | Error | null)[]
): Promise<unknown> {
  const answers = inMongoDb.values();
  const orders = {
    async findById() {
      const { value = null } = answers.next();
      if (value instanceof Error) throw value;
      return value;
    },
  };
  const workflows = { place: async () => null, find };
  return createOrderService({ orders, workflows } as unknown as OrderServiceDeps).place(request);
}

const busy = async () => {
  throw new AppError('service_unavailable', 'Temporal does not answer.');
};
const at = (isRunning: boolean) => async () => ({ request, isRunning });
const forgotten = async () => null;
const unavailable = { code: 'service_unavailable' };

it('answers what MongoDB has, though Temporal is too busy to say anything', async () => {
  await expect(waitedInVain(busy, saved)).resolves.toMatchObject({ order: { version: 1 }, isSettled: false });
});

it('promises an order that Temporal alone knows, while a workflow is at work on it', async () => {
  await expect(waitedInVain(at(true), null)).resolves.toMatchObject({ order: { version: 0 } });
  await expect(waitedInVain(at(true), new Error('MongoDB is away.'))).resolves.toMatchObject({
    order: { version: 0 },
  });
});

it('answers an order whose workflow has ended between the look at the one and the other', async () => {
  const rejected: Order = { ...saved, status: 'rejected' };
  await expect(waitedInVain(at(false), null, rejected)).resolves.toMatchObject({ order: rejected });
});

it.each([
  ['neither knows it', forgotten],
  ['nobody is at work on it', at(false)],
  ['nobody says anything', busy],
])('promises nothing when %s', async (_what, find) => {
  await expect(waitedInVain(find, null, null)).rejects.toMatchObject(unavailable);
});
