import { randomUUID } from 'node:crypto';
import { newId } from '../../../src/common/ids';
import { createSandboxActions } from '../../../src/payments/sandbox/actions';
import { createSandboxRepository } from '../../../src/payments/sandbox/repository';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';

/** Orders that can be paid with another card, of which few may be declined and few may wait. */
let api: OrderApi;
let productId: string;
beforeAll(async () => {
  api = await openOrderApi({
    own: true,
    env: { MAX_DECLINES_PER_USER: '3', MAX_DECLINES_PER_ADDRESS: '5', TRUSTED_PROXIES: '1' },
  });
  await api.shop.startWorker({}, undefined, { PAYMENT_RETRY_WINDOW: '15m', MAX_UNPAID_ORDERS: '2' });
  await api.declines.followed;
  productId = (await api.shop.sell({ available: 100 })).id;
});
afterAll(() => api.close());

const ASKS = 'pm_card_threeDSecure2Required';
const DECLINED = 'pm_card_chargeDeclined';

let addresses = 0;
function newCustomer(address = `203.0.113.${++addresses}`) {
  const id = newId('usr');
  const token = api.tokenOf('CUSTOMER', id);
  const from = { 'X-Forwarded-For': address };
  return {
    id,
    address,
    place: (paymentMethod: string) => api.place(token, { ...lines([productId, 1]), paymentMethod }, from),
    pay: (orderId: string, paymentMethod: string, key: string = randomUUID()) =>
      api
        .call('post', `/orders/${orderId}/payment`, token)
        .set({ ...from, 'Idempotency-Key': key })
        .send({ paymentMethod }),
    confirm: (orderId: string) => api.call('post', `/orders/${orderId}/payment/confirm`, token).set(from),
  };
}

const countedFor = (by: string) =>
  api.shop.db.connection.collection('payment_declines').find({ by }).sort({ _id: 1 }).toArray();

async function fail({ paymentAction }: OrderBody): Promise<void> {
  const actions = createSandboxActions(createSandboxRepository(api.shop.db.connection));
  const id = new URL(paymentAction.redirectUrl).pathname.split('/').at(-1)!;
  await actions.answer((await actions.find(id))!, 'fail');
}

it('counts each card that is tried for an order, and answers repeats when there were too many', async () => {
  const customer = newCustomer();
  const { body } = await customer.place(DECLINED).expect(402);
  const key = randomUUID();
  await customer.pay(body.orderId, DECLINED, key).expect(402);
  await customer.pay(body.orderId, DECLINED, key).expect(402);
  expect(await countedFor(customer.id)).toHaveLength(2);
  await customer.pay(body.orderId, DECLINED).expect(402);
  const { body: limited, headers } = await customer.pay(body.orderId, 'pm_card_visa').expect(429);
  expect(limited.code).toBe('rate_limited');
  expect(Number(headers['retry-after'])).toBeGreaterThan(3_500);
  const repeat = await customer.pay(body.orderId, DECLINED, key).expect(402);
  expect(repeat.body.code).toBe('payment_declined');
  const counted = await countedFor(customer.id);
  expect(counted).toHaveLength(3);
  expect(new Set(counted.map(({ from }) => from as string)).size).toBe(1);
  expect(counted[0]!.from).toMatch(/^[\w-]{22}$/);
  // Two more from the address of whichever customer, and it has had enough as well.
  const other = newCustomer(customer.address);
  for (let n = 0; n < 2; n++) await other.place(DECLINED).expect(402);
  await newCustomer(customer.address).place('pm_card_visa').expect(429);
});

it('counts a payment that fails at the bank, for the customer and the address', async () => {
  const customer = newCustomer();
  const { body } = await customer.place(ASKS).expect(202);
  await fail(body.data);
  await customer.confirm(body.data.id).expect(402);
  await customer.confirm(body.data.id).expect(402);
  expect(await countedFor(customer.id)).toEqual([
    {
      _id: `${body.data.id}-1`,
      by: customer.id,
      from: expect.stringMatching(/^[\w-]{22}$/),
      at: expect.any(Date),
    },
  ]);
});

it('invites nobody to try another card for more orders than may wait', async () => {
  const customer = newCustomer();
  const waiting = [await customer.place(DECLINED).expect(402), await customer.place(ASKS).expect(202)];
  expect(waiting[0]!.body).toHaveProperty('retryUntil');
  const { body } = await customer.place(DECLINED).expect(402);
  expect(body).not.toHaveProperty('retryUntil');
  const order = await api.shop.orders.findById(body.orderId);
  expect(order).toMatchObject({ status: 'rejected', paymentStatus: 'declined', reservation: 'released' });
  await customer.place(ASKS).expect(409);
  // The card that is tried next is for one of those that wait already.
  await customer.pay(waiting[0]!.body.orderId, 'pm_card_visa').expect(201);
  await customer.place(ASKS).expect(202);
});
