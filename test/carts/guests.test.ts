import type { Response } from 'supertest';
import { createUserModel } from '../../src/users/users.model';
import { ADDRESS, openCart } from '../support/carts';
import { lines, openApiOf, openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';
import { mailedToken, PASSWORD, person, signIn } from '../support/signed-in-users';

/** A card whose bank wants the customer to confirm the payment. */
const ASKS = 'pm_card_threeDSecure2Required';

let api: OrderApi;
let shirt: string;
beforeAll(async () => {
  api = await openOrderApi({ env: { MAX_DECLINES_PER_ADDRESS: '2', TRUSTED_PROXIES: '1' } });
  await api.declines.followed;
  shirt = (await api.shop.sell({ available: 100 })).id;
});
afterAll(() => api.close());

async function guestCart(): ReturnType<typeof openCart> {
  const cart = await openCart(api);
  await cart.put(shirt, 1).expect(200);
  await cart.call('patch').send({ shippingAddress: ADDRESS }).expect(200);
  return cart;
}

let people = 0;
const newAddress = () => `guest-${++people}@example.com`;

async function ordered(
  email: string,
  paymentMethod = 'pm_card_visa',
): Promise<{ order: OrderBody; token: string }> {
  const { body, headers } = await (await guestCart()).checkOut({ email, paymentMethod });
  return { order: body.data, token: headers['order-token'] as string };
}

const withToken = (method: 'get' | 'post', path: string, token: string) =>
  api.call(method, path).set('Order-Token', token);
const statusOf = async (id: string, token: string) => (await api.call('get', `/orders/${id}`, token)).status;
const idsIn = async (token: string) =>
  ((await api.call('get', '/orders?limit=100', token).expect(200)).body as { data: OrderBody[] }).data.map(
    ({ id }) => id as string,
  );

it('orders with an e-mail address and a postal one, and gives what opens the order', async () => {
  const cart = await openCart(api);
  await cart.put(shirt, 1).expect(200);
  const email = newAddress();
  const { body } = await cart.checkOut().expect(400);
  expect(body).toMatchObject({ errors: [{ path: 'email' }] });
  const { body: homeless } = await cart.checkOut({ email }).expect(409);
  expect(homeless).toMatchObject({ detail: expect.stringContaining('shippingAddress') as string });
  await cart.call('patch').send({ shippingAddress: ADDRESS }).expect(200);
  const responses = await Promise.all(Array.from({ length: 5 }, () => cart.checkOut({ email }).expect(201)));
  const [first] = responses as [Response];
  const { id, customerId } = first.body.data;
  const token = first.headers['order-token']!;
  for (const { body, headers } of responses)
    expect([body.data.id, headers['order-token']]).toEqual([id, token]);
  const stored = await createUserModel(api.db.connection).findById(customerId).lean();
  expect(stored).toMatchObject({ status: 'guest', email, name: ADDRESS.name });
  expect(JSON.stringify(stored)).not.toContain(token);
  const mails = (await api.mailed()).filter(({ to }) => to === email);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatchObject({
    subject: expect.stringContaining(first.body.data.number as string) as string,
    text: expect.stringContaining(`http://localhost:8080/account#order=${id}.${token}\n`) as string,
  });
  const { body: read } = await withToken('get', `/orders/${id}`, token).expect(200);
  expect(read.data).toEqual(first.body.data);
});

it('may do with the order what a customer may, and nothing else', async () => {
  const { order, token } = await ordered(newAddress(), ASKS);
  expect(order).toMatchObject({ paymentStatus: 'action_required', paymentAction: { type: 'redirect' } });
  await withToken('post', `/orders/${order.id}/payment/confirm`, token).expect(202);
  const { body } = await withToken('post', `/orders/${order.id}/cancel`, token).send({}).expect(200);
  expect(body.data.status).toBe('cancelled');
  const { order: another } = await ordered(newAddress());
  await withToken('get', `/orders/${another.id}`, token).expect(404);
  await withToken('get', `/orders/${order.id}`, 'forged').expect(401);
  await withToken('get', '/orders', token).expect(401);
  await withToken('get', '/users/me', token).expect(401);
});

it('cannot sign in, be changed or be ordered for, and is found by the address', async () => {
  const email = newAddress();
  const { order } = await ordered(email);
  const [first, { order: second }] = [order, await ordered(email)];
  await api
    .call('post', '/auth/login')
    .send({ email, password: 'A'.repeat(22) })
    .expect(401);
  await api.call('post', '/auth/forgot').send({ email }).expect(202);
  const subjects = (await api.mailed()).filter(({ to }) => to === email).map(({ subject }) => subject);
  expect(subjects).toEqual([first, second].map(({ number }) => `Your order ${number}`));
  const admin = (await person(api, 'ADMIN')).accessToken;
  await api.call('patch', `/users/${first.customerId}`, admin).send({ status: 'disabled' }).expect(409);
  await api
    .call('post', '/orders', admin)
    .set('Idempotency-Key', 'for-a-guest')
    .send({ ...lines([shirt, 1]), customerId: first.customerId })
    .expect(400);
  const found = await api.call('get', `/orders?email=${encodeURIComponent(email)}`, admin).expect(200);
  expect((found.body as { data: OrderBody[] }).data.map(({ id }) => id as string)).toEqual([
    second.id,
    first.id,
  ]);
});

it('makes only so many carts from one address within an hour', async () => {
  const limited = await openApiOf(api.shop, { MAX_GUEST_CARTS_PER_ADDRESS: '2', TRUSTED_PROXIES: '1' });
  const make = (address: string) => limited.api.call('post', '/carts').set('X-Forwarded-For', address);
  for (let n = 0; n < 2; n++) await make('203.0.113.5').expect(201);
  const { headers } = await make('203.0.113.5').expect(429);
  expect(Number(headers['retry-after'])).toBeGreaterThan(3_500);
  await make('203.0.113.6').expect(201);
  await limited.api.close();
});

it('orders only so many carts from one address within an hour, a repeat aside', async () => {
  const limited = await openApiOf(api.shop, { MAX_GUEST_ORDERS_PER_ADDRESS: '2', TRUSTED_PROXIES: '1' });
  const order = ({ id, token }: { id: string; token: string }, address: string) =>
    limited.api
      .call('post', `/carts/${id}/checkout`)
      .set({ 'Cart-Token': token, 'X-Forwarded-For': address })
      .send({ email: 'ada@example.com', paymentMethod: 'pm_card_visa' });
  const [first, second, third] = [await guestCart(), await guestCart(), await guestCart()];
  const statuses = [];
  for (const cart of [first, second, first, third]) statuses.push((await order(cart, '203.0.113.5')).status);
  expect(statuses).toEqual([201, 201, 201, 429]);
  expect((await order(third, '203.0.113.6')).status).toBe(201);
  await limited.api.close();
});

it('counts declined cards for the address, however many guests they are of', async () => {
  const attempt = async () => {
    const body = { email: newAddress(), paymentMethod: 'pm_card_chargeDeclined' };
    const from = { 'X-Forwarded-For': '203.0.113.77' };
    return (await (await guestCart()).checkOut(body, from)).status;
  };
  expect([await attempt(), await attempt(), await attempt()]).toEqual([402, 402, 429]);
});

describe('an account', () => {
  it('takes over the orders of its address once that is confirmed', async () => {
    const email = newAddress();
    const [{ order: one }, { order: two, token }] = [await ordered(email), await ordered(email)];
    const registered = await api
      .call('post', '/auth/register')
      .send({ email, password: PASSWORD, name: 'Ada' })
      .expect(201);
    expect(await statusOf(one.id, registered.body.data.accessToken)).toBe(404);
    await api
      .call('post', '/auth/confirm')
      .send({ token: await mailedToken(api, 'confirm', email) })
      .expect(204);
    const { accessToken, refreshToken } = await signIn(api, email);
    const { order: later } = await ordered(email);
    expect((await idsIn(accessToken)).sort()).toEqual([one.id, two.id].sort());
    expect(await statusOf(later.id, accessToken)).toBe(404);
    const { body } = await api.call('post', '/auth/refresh').send({ refreshToken }).expect(200);
    const refreshed = body.data.accessToken as string;
    expect((await idsIn(refreshed)).sort()).toEqual([one.id, two.id, later.id].sort());
    const { body: cancelled } = await api
      .call('post', `/orders/${one.id}/cancel`, refreshed)
      .send({})
      .expect(200);
    const { statusHistory } = cancelled.data as { statusHistory: { by: string }[] };
    expect(statusHistory.map(({ by }) => by)).not.toContain('staff');
    const audit = api.shop.db.connection.collection('audit');
    expect(await audit.countDocuments({ object: one.id })).toBe(0);
    await withToken('get', `/orders/${two.id}`, token).expect(200);
  });

  it('sees nothing more of a guest who gives another address after all', async () => {
    const [wrong, right] = [await person(api), await person(api)];
    const cart = await guestCart();
    await cart.checkOut({ email: wrong.email, paymentMethod: 'pm_card_chargeDeclined' }).expect(402);
    expect(await idsIn((await signIn(api, wrong.email)).accessToken)).toHaveLength(1);
    const { body } = await cart.checkOut({ email: right.email }).expect(201);
    const statusFor = async ({ email }: { email: string }) =>
      statusOf(body.data.id as string, (await signIn(api, email)).accessToken);
    expect([await statusFor(wrong), await statusFor(right)]).toEqual([404, 200]);
  });

  it('takes over nothing of another address', async () => {
    const { order } = await ordered(newAddress());
    const other = await person(api);
    const { accessToken } = await signIn(api, other.email);
    expect(await statusOf(order.id, accessToken)).toBe(404);
    expect(await idsIn(accessToken)).toEqual([]);
  });
});
