import { newId } from '../../src/common/ids';
import { eventually } from '../support/eventually';
import { lines, openOrderApi, type OrderApi } from '../support/order-api';

/** A card whose bank wants the customer to confirm each payment, so that the order waits with its stock held. */
const ASKS = 'pm_card_threeDSecure2Required';

let api: OrderApi;
beforeAll(async () => {
  api = await openOrderApi();
});
afterAll(() => api.close());

const newCustomer = () => {
  const id = newId('usr');
  return { id, token: api.tokenOf('CUSTOMER', id) };
};
const place = (token: string, productId: string, quantity = 1, paymentMethod = ASKS) =>
  api.place(token, { ...lines([productId, quantity]), paymentMethod });

const paymentsOf = (orderIds: string[]) =>
  api.shop.db.connection
    .collection('sandbox_payments')
    .find({ orderId: { $in: orderIds } })
    .toArray();

it('lets 20 orders of a customer wait to be paid, however many are placed at once', async () => {
  const { token } = newCustomer();
  const { id } = await api.shop.sell({ available: 100 });
  const answers = await Promise.all(Array.from({ length: 50 }, () => place(token, id)));
  const refused = answers.filter(({ status }) => status === 409);
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(20);
  expect(refused).toHaveLength(30);
  for (const { body } of refused)
    expect(body).toMatchObject({
      code: 'invalid_transition',
      detail: expect.stringMatching(/20 other orders/),
    });
  expect(await api.shop.stockOf(id)).toEqual({ available: 80, reserved: 20 });
  await eventually(async () => {
    const given = await paymentsOf(refused.map(({ body }) => body.orderId as string));
    expect(given.map(({ status }) => status as string)).toEqual(Array.from({ length: 30 }, () => 'voided'));
  });
  // It keeps neither them from paying at once, nor anyone else from waiting.
  await place(token, id, 1, 'pm_card_visa').expect(201);
  await place(newCustomer().token, id).expect(202);
});

it('lets them hold 1000 units of a product, and another order wait when one of them ends', async () => {
  const { id: customerId, token } = newCustomer();
  const [{ id }, other] = [
    await api.shop.sell({ available: 5_000 }),
    await api.shop.sell({ available: 5_000 }),
  ];
  const { body: first } = await place(token, id, 600).expect(202);
  const { body: refused } = await place(token, id, 401).expect(409);
  expect(refused.detail).toMatch(/would hold 1001 units .* may hold 1000/);
  await place(token, other.id, 1_000).expect(202);
  await place(token, id, 400).expect(202);
  expect(await api.shop.stockOf(id)).toEqual({ available: 4_000, reserved: 1_000 });
  await api.call('post', `/orders/${first.data.id}/cancel`, token).send({}).expect(200);
  await place(token, id, 600).expect(202);
  const kept = await api.shop.db.connection.collection('unpaid_orders').findOne({ _id: customerId as never });
  expect(kept!.orders).toHaveLength(3);
});
