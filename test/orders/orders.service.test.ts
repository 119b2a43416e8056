import { newId } from '../../src/common/ids';
import { draftOrder } from '../../src/domain/placing';
import type { Order } from '../../src/domain/order';
import { AppError } from '../../src/errors/app-error';
import { orderIdOf } from '../../src/orders/order-request';
import { createOrderService, type OrderServiceDeps } from '../../src/orders/orders.service';
import type { Principal } from '../../src/role/principal';
import { orderRequest } from '../support/shop';

const request = orderRequest({ items: [{ productServiceId: 'ps_x', quantity: 1 }] });
const saved: Order = { ...draftOrder(request), version: 1 };

/** Places an order that takes too long, so that the service looks for what is known of it. */
function placeLate(
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
  const workflows = { place: async () => false, find };
  return createOrderService({ orders, workflows } as unknown as OrderServiceDeps).place(request);
}

const busy = async () => {
  throw new AppError('service_unavailable', 'Temporal does not answer.');
};
const known = (isRunning: boolean) => async () => ({ request, isRunning });
const forgotten = async () => null;
const unavailable = { code: 'service_unavailable' };

it('returns the order that MongoDB has if Temporal is too busy', async () => {
  await expect(placeLate(busy, saved)).resolves.toMatchObject({ order: { version: 1 }, isSettled: false });
});

it('returns the draft of an order that only Temporal knows while its workflow runs', async () => {
  await expect(placeLate(known(true), null)).resolves.toMatchObject({ order: { version: 0 } });
  await expect(placeLate(known(true), new Error('MongoDB is away.'))).resolves.toMatchObject({
    order: { version: 0 },
  });
});

it('returns an order that is saved between the lookups in MongoDB and Temporal', async () => {
  const rejected: Order = { ...saved, status: 'rejected' };
  await expect(placeLate(known(false), null, rejected)).resolves.toMatchObject({ order: rejected });
});

it.each([
  ['neither MongoDB nor Temporal knows it', forgotten],
  ['its workflow has ended and MongoDB does not have it', known(false)],
  ['MongoDB does not have it and Temporal is too busy', busy],
])('fails with 503 if %s', async (_, find) => {
  await expect(placeLate(find, null, null)).rejects.toMatchObject(unavailable);
});

describe('an order that cannot be the customer’s', () => {
  const asked: string[] = [];
  const orders = { findById: async () => void asked.push('MongoDB') };
  const workflows = { find: async () => void asked.push('Temporal') };
  const service = createOrderService({ orders, workflows } as unknown as OrderServiceDeps);
  const bob = { id: newId('usr'), role: 'CUSTOMER' } as Principal;
  const foreign = [request.orderId, orderIdOf(newId('usr'), 'k'), `ord_${'0'.repeat(32)}`, 'nonsense', ''];
  beforeEach(() => void (asked.length = 0));

  it.each(foreign)('is not found without asking any server, whether there is one or not: %s', async (id) => {
    await expect(service.read(id, bob)).rejects.toMatchObject({ code: 'not_found' });
    const cancelling = service.cancel(id, { principal: bob, requestId: 'r' }, { reason: null });
    await expect(cancelling).rejects.toMatchObject({ code: 'not_found' });
    expect(asked).toEqual([]);
  });

  it('is looked for everywhere by the staff, and by the customer whose it can be', async () => {
    for (const principal of [{ ...bob, role: 'ADMIN' } as Principal, { ...bob, id: request.customerId }]) {
      await expect(service.read(request.orderId, principal)).rejects.toMatchObject({ code: 'not_found' });
      expect(asked.splice(0)).toEqual(['MongoDB', 'Temporal']);
    }
  });
});
