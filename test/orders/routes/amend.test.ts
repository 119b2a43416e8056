import { newId } from '../../../src/common/ids';
import { owedVoid } from '../../../src/domain/compensation';
import { eventually } from '../../support/eventually';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';

let api: OrderApi;
let alice: string;
let admin: string;
/** The payment service waits for this before it voids a payment. */
let voiding: Promise<void> | undefined;
const aliceId = newId('usr');
beforeAll(async () => {
  api = await openOrderApi({ own: true });
  await api.shop.startWorker({
    provider: (provider) => ({
      ...provider,
      async void(key, payment) {
        await voiding;
        return provider.void(key, payment);
      },
    }),
  });
  [alice, admin] = [api.tokenOf('CUSTOMER', aliceId), api.tokenOf('ADMIN')];
});
afterAll(() => api.close());

const address = { name: 'Alice', line1: 'Street 1', city: 'Berlin', postalCode: '10115', country: 'DE' };

const amend = ({ id }: OrderBody, ifMatch: string, body: object, token = alice) =>
  api.call('patch', `/orders/${id}`, token).set('If-Match', ifMatch).send(body);
const to = (...items: Parameters<typeof lines>) => ({ items: lines(...items).items });

async function stateOf(order: OrderBody): Promise<OrderBody> {
  return (await api.call('get', `/orders/${order.id}`, alice).expect(200)).body.data;
}

const change = ({ id }: { id: string }, body: object) =>
  api.call('patch', `/product-services/${id}`, admin).set('If-Match', '*').send(body).expect(200);

it('keeps what was sold, gives new lines the current prices and adjusts stock and payment', async () => {
  const first = await api.shop.sell({ unitPrice: 1_000, taxRateBps: 0 });
  const second = await api.shop.sell();
  const order = await api.placed(alice, [first.id, 3]);
  await change(first, { unitPrice: 2_000, taxRateBps: 1_900, name: 'Another' });
  await change(second, { unitPrice: 500, taxRateBps: 0 });
  const { body, headers } = await amend(order, '"2"', to([first.id, 1], [second.id, 4])).expect(200);
  expect(body.data).toMatchObject({
    items: [
      { productServiceId: first.id, quantity: 1, total: 1_000, taxRateBps: 0, name: 'A thing' },
      { productServiceId: second.id, quantity: 4, total: 2_000 },
    ],
    total: 3_000,
    status: 'confirmed',
    paymentStatus: 'authorized',
    note: null,
  });
  expect(body.data.version).toBeGreaterThan(2);
  expect(headers.etag).toBe(`"${body.data.version}"`);
  // The replaced payment is voided by then, which raised the version too.
  expect(await stateOf(order)).toEqual(body.data);
  expect(await api.shop.stockOf(first.id)).toEqual({ available: 99, reserved: 1 });
  expect(await api.shop.stockOf(second.id)).toEqual({ available: 96, reserved: 4 });
});

it('keeps the price of a product that was retired, of which there can be fewer and not more', async () => {
  const [a, b] = [await api.shop.sell({ unitPrice: 1_000, taxRateBps: 0 }), await api.shop.sell()];
  const order = await api.placed(alice, [a.id, 1], [b.id, 2]);
  await change(a, { unitPrice: 2_000 });
  await api.shop.retire(b.id);
  const fewer = await amend(order, '*', to([a.id, 1], [b.id, 1])).expect(200);
  expect(fewer.body.data).toMatchObject({
    items: [
      { quantity: 1, total: 1_000 },
      { quantity: 1, total: 2_379 },
    ],
    total: 3_379,
  });
  const { body } = await amend(order, '*', to([a.id, 1], [b.id, 2])).expect(422);
  expect(body).toMatchObject({ code: 'unknown_product', detail: expect.stringContaining(b.id) });
  expect(await api.shop.stockOf(b.id)).toEqual({ available: 99, reserved: 1 });
});

it('sells more units at the current price, as a line of their own', async () => {
  const product = await api.shop.sell({ unitPrice: 1_000, taxRateBps: 0 });
  const order = await api.placed(alice, [product.id, 2]);
  const more = await amend(order, '*', to([product.id, 3])).expect(200);
  expect(more.body.data).toMatchObject({ items: [{ quantity: 3, unitPrice: 1_000 }], total: 3_000 });
  await change(product, { unitPrice: 2_500 });
  const dearer = await amend(order, '*', to([product.id, 5])).expect(200);
  const units = dearer.body.data.items.map((item: OrderBody) => [item.quantity, item.unitPrice]);
  expect([units, dearer.body.data.total]).toEqual([
    [
      [3, 1_000],
      [2, 2_500],
    ],
    8_000,
  ]);
  expect(await api.shop.stockOf(product.id)).toEqual({ available: 95, reserved: 5 });
  const fewer = await amend(order, '*', to([product.id, 4])).expect(200);
  expect(fewer.body.data.total).toBe(5_500);
});

it('is rejected if the total is not the expected one, and says which it would be', async () => {
  const product = await api.shop.sell({ unitPrice: 1_000, taxRateBps: 0 });
  const order = await api.placed(alice, [product.id, 2]);
  await change(product, { unitPrice: 2_500 });
  const refused = await amend(order, '"2"', { ...to([product.id, 3]), expectedTotal: 3_000 }).expect(409);
  expect(refused.body).toMatchObject({ code: 'price_changed', total: 4_500 });
  expect(refused.headers.etag).toBe('"2"');
  expect(await stateOf(order)).toEqual(order);
  expect(await api.shop.stockOf(product.id)).toEqual({ available: 98, reserved: 2 });
  expect((await amend(order, '"2"', { note: 'Ring', expectedTotal: 3_000 }).expect(409)).body).toMatchObject({
    code: 'price_changed',
    total: 2_000,
  });
  const accepted = await amend(order, '"2"', { ...to([product.id, 3]), expectedTotal: 4_500 }).expect(200);
  expect(accepted.body.data.total).toBe(4_500);
});

it('responds while the replaced payment cannot be voided for a while', async () => {
  const { id } = await api.shop.sell();
  const order = await api.placed(alice, [id, 1]);
  let release!: () => void;
  voiding = new Promise((resolve) => (release = resolve));
  const { body } = await amend(order, '"2"', to([id, 2]), admin)
    .expect(200)
    .expect('ETag', '"3"');
  expect(body.data).toMatchObject({
    total: 4_758,
    version: 3,
    compensationPending: false,
    compensations: [{ step: 'voidPayment-1', state: 'owed', amount: 2_379 }],
  });
  // Other commands do not wait for it either.
  const shipped = await api.fulfill(order.id, [[id, 2]]).expect(201);
  expect(shipped.body.data).toMatchObject({ paymentStatus: 'captured', compensations: [{ state: 'owed' }] });
  release();
  await eventually(async () => {
    const { body: now } = await api.call('get', `/orders/${order.id}`, admin).expect(200);
    // Only operators see that it is voided: a new version would outdate the customer's If-Match.
    expect(now.data).toMatchObject({ compensations: [], version: 4 });
  });
});

it('changes only the note and address that are sent, and removes them with null', async () => {
  const { id } = await api.shop.sell();
  const order = await api.placed(alice, [id, 1]);
  const noted = await amend(order, '"2"', { note: 'Ring', shippingAddress: address }).expect(200);
  expect(noted.body.data).toMatchObject({ note: 'Ring', shippingAddress: address, version: 3 });
  const plain = await amend(order, '"3"', { note: null }).expect(200);
  expect(plain.body.data).toMatchObject({ note: null, shippingAddress: address, version: 4 });
  const bare = await amend(order, '*', { shippingAddress: null }, admin).expect(200);
  expect(bare.body.data).toMatchObject({ note: null, shippingAddress: null, version: 5, total: 2_379 });
  expect(await api.shop.stockOf(id)).toEqual({ available: 99, reserved: 1 });
});

it('changes a part of the stored address, and says when there is none', async () => {
  const { id } = await api.shop.sell();
  const order = await api.placed(alice, [id, 1]);
  const part = { shippingAddress: { postalCode: '10117' } };
  const { body: refused } = await amend(order, '"2"', part).expect(409);
  expect(refused).toMatchObject({
    code: 'invalid_transition',
    detail: expect.stringContaining('send all of it'),
  });
  await amend(order, '"2"', { shippingAddress: { ...address, region: '', line2: 'Flat 2' } }).expect(200);
  const { body: moved } = await amend(order, '"3"', part).expect(200);
  expect(moved.data.shippingAddress).toEqual({ ...address, line2: 'Flat 2', postalCode: '10117' });
  const { postalCode: _, ...rest } = address;
  const { body: bare } = await amend(order, '*', {
    shippingAddress: { postalCode: null, line2: ' ' },
  }).expect(200);
  expect(bare.data.shippingAddress).toEqual(rest);
  const elsewhere = { name: 'Alice', line1: '1 Queen’s Road', city: 'Hong Kong', country: 'HK' };
  await amend(order, '*', { shippingAddress: address, note: 'x' }).expect(200);
  const { body: other } = await amend(order, '*', { shippingAddress: elsewhere, note: '' }).expect(200);
  expect(other.data).toMatchObject({ shippingAddress: elsewhere, note: null });
  expect(other.data.shippingAddress).not.toHaveProperty('postalCode');
  for (const change of [{}, { city: null }, { country: 'UK' }, { planet: 'Mars' }]) {
    await amend(order, '*', { shippingAddress: change }).expect(400);
  }
});

it('returns 428 without If-Match and 400 with an invalid one', async () => {
  const { id } = await api.shop.sell();
  const order = await api.placed(alice, [id, 1]);
  const path = `/orders/${order.id}`;
  const { body } = await api.call('patch', path, alice).send({ note: 'x' }).expect(428);
  expect(body.code).toBe('precondition_required');
  await amend(order, 'two', { note: 'x' }).expect(400);
});

it.each(['"1"', '"3"', '"02"', '"abc"', '"0", "1"'])(
  'returns 412 with the current version to If-Match %s on version 2',
  async (tag) => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 1]);
    const { body } = await amend(order, tag, { note: 'x' }).expect(412).expect('ETag', '"2"');
    expect(body).toMatchObject({ code: 'precondition_failed', detail: expect.stringContaining('version 2') });
    expect(await stateOf(order)).toEqual(order);
  },
);

it('says that a proxy has weakened the ETag if If-Match names only weak ones', async () => {
  const { id } = await api.shop.sell();
  const order = await api.placed(alice, [id, 1]);
  const { body } = await amend(order, 'W/"2"', { note: 'x' }).expect(412).expect('ETag', '"2"');
  expect(body.detail).toContain('proxy');
  await amend(order, 'W/"2", "1"', { note: 'x' }).expect(412);
  await amend(order, 'W/"2", "2",', { note: 'x' }).expect(200);
});

it('carries out one of several amendments of the same version', async () => {
  const { id } = await api.shop.sell();
  const order = await api.placed(alice, [id, 1]);
  const answers = await Promise.all(
    Array.from({ length: 5 }, (_, n) => amend(order, '"1", "2"', { note: `note ${n}` })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412]);
  for (const { headers } of answers) expect(headers.etag).toBe('"3"');
});

it.each([
  ['an empty body', {}, ''],
  ['no lines', { items: [] }, 'items'],
  ['a quantity of 0', to(['ps_x', 0]), 'items.0.quantity'],
  ['a total', { ...to(['ps_x', 1]), total: 1 }, 'total'],
  ['another payment method', { paymentMethod: 'pm_card_visa' }, 'paymentMethod'],
  ['a note that is too long', { note: 'x'.repeat(501) }, 'note'],
  ['an address without a name', { shippingAddress: { name: null } }, 'shippingAddress.name'],
])('returns 400 to %s', async (_, body, path) => {
  const response = await amend({ id: `ord_${'0'.repeat(32)}` }, '*', body).expect(400);
  expect(response.body.code).toBe('validation_failed');
  expect(response.body.errors).toContainEqual({ path, message: expect.any(String) });
});

it.each([
  ['out_of_stock', 409, async (id: string) => to([id, 101])],
  ['unknown_product', 422, async (id: string) => to([id, 1], ['ps_unknown', 1])],
  [
    'mixed_currencies',
    422,
    async (id: string) => to([id, 1], [(await api.shop.sell({ currency: 'USD' })).id, 1]),
  ],
  [
    'amount_too_large',
    422,
    async () => to([(await api.shop.sell({ unitPrice: Number.MAX_SAFE_INTEGER })).id, 2]),
  ],
])('changes nothing if the response is %s', async (code, status, change) => {
  const { id } = await api.shop.sell();
  const order = await api.placed(alice, [id, 2]);
  const { body } = await amend(order, '"2"', { ...(await change(id)), note: 'Not this' }).expect(status);
  expect(body).toMatchObject({ code, orderId: order.id, detail: expect.any(String) });
  const unversioned = { version: expect.any(Number), updatedAt: expect.any(String) };
  expect(await stateOf(order)).toEqual({ ...order, ...unversioned }); // the end of a new payment may be saved
  expect(await api.shop.stockOf(id)).toEqual({ available: 98, reserved: 2 });
});

it('returns the current version with a rejected amendment, for the next one', async () => {
  const { id } = await api.shop.sell({ available: 5 });
  const order = await api.placed(alice, [id, 2]);
  const { body, headers } = await amend(order, '"2"', to([id, 9])).expect(409);
  expect(body.detail).toContain('(9 ordered, 5 available)');
  expect(headers.etag).toBe((await api.call('get', `/orders/${order.id}`, alice).expect(200)).headers.etag);
  await amend(order, headers.etag!, to([id, 5])).expect(200);
});

it('returns 409 for an order that is partly fulfilled or closed', async () => {
  const { id } = await api.shop.sell();
  const begun = await api.placed(alice, [id, 2]);
  await api.fulfill(begun.id, [[id, 1]]).expect(201);
  const closed = await api.placed(alice, [id, 1]);
  await api.call('post', `/orders/${closed.id}/cancel`, alice).send({}).expect(200);
  for (const order of [begun, closed]) {
    const { body } = await amend(order, '*', { note: 'x' }).expect(409);
    expect(body).toMatchObject({ code: 'invalid_transition', orderId: order.id });
  }
});

it('returns 409 for an order of which 20 earlier payments are not voided yet', async () => {
  const { id } = await api.shop.sell();
  const order = await api.placed(alice, [id, 1]);
  const { payment, createdAt } = (await api.shop.orders.findById(order.id))!;
  const compensations = Array.from({ length: 20 }, (_, n) => ({
    ...owedVoid(payment!, createdAt),
    step: `voidPayment-earlier-${n}`,
  }));
  await api.shop.db.connection.collection('orders').updateOne({ _id: order.id }, { $set: { compensations } });
  const { body } = await amend(order, '*', to([id, 2])).expect(409);
  expect(body).toMatchObject({
    code: 'invalid_transition',
    orderId: order.id,
    detail: expect.stringContaining('not settled yet'),
  });
});
