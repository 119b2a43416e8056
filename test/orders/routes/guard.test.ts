import { lines, openOrderApi, type OrderApi } from '../../support/order-api';

let api: OrderApi;
let alice: string;
let bob: string;
let admin: string;
/** An order of Alice. No worker is needed to reject requests. */
let orderId: string;
beforeAll(async () => {
  api = await openOrderApi({ own: true });
  [alice, bob, admin] = [api.tokenOf('CUSTOMER'), api.tokenOf('CUSTOMER'), api.tokenOf('ADMIN')];
  const { id } = await api.shop.sell();
  const placing = api.place(alice, lines([id, 1]), { Prefer: 'respond-async' }).expect(202);
  orderId = (await placing).body.data.id;
});
afterAll(() => api.close());

const items = [{ productServiceId: 'ps_x', quantity: 1 }];
const OWN = [
  ['get', '', undefined],
  ['patch', '', { note: 'x' }],
  ['post', '/cancel', {}],
] as const;
const ADMINS = [
  ['post', '/fulfillments', { items }],
  ['post', `/fulfillments/ful_${'0'.repeat(32)}/deliver`, undefined],
  ['post', '/refunds', { reason: 'x' }],
  ['post', '/compensations/voidPayment-1/retry', undefined],
  ['post', '/compensations/voidPayment-1/resolve', { note: 'x' }],
  ['delete', '', undefined],
] as const;
const HEADERS = { 'If-Match': '*', 'X-Request-Id': 'same' };
/** The paths that need an Idempotency-Key. */
const KEYED = ['/fulfillments', '/refunds'];
const headersOf = (path: string) => ({
  ...HEADERS,
  ...(KEYED.includes(path) && { 'Idempotency-Key': 'guard' }),
});

describe.each([...OWN, ...ADMINS])('%s /orders/:id%s', (method, path, body) => {
  const send = (id: string, token?: string) =>
    api.call(method, `/orders/${id}${path}`, token).set(headersOf(path)).send(body);

  it('returns 401 without a token', async () => {
    await send(orderId).expect(401);
  });

  it('returns 404 for an order that does not exist', async () => {
    const answers = [await send(`ord_${'0'.repeat(32)}`, admin), await send('nonsense', admin)];
    for (const { status, body: problem } of answers)
      expect([status, problem.code]).toEqual([404, 'not_found']);
  });
});

it.each(OWN)(
  "%s /orders/:id%s returns the same 404 for another user's order as for a missing one",
  async (method, path, body) => {
    const answers = await Promise.all(
      [orderId, `ord_${'0'.repeat(32)}`, 'nonsense'].map((id) =>
        api.call(method, `/orders/${id}${path}`, bob).set(headersOf(path)).send(body).expect(404),
      ),
    );
    expect(answers.map(({ text }) => text)).toEqual(answers.map(() => answers[0]!.text));
  },
);

it.each(ADMINS)('%s /orders/:id%s returns 403 to a CUSTOMER', async (method, path, body) => {
  await api.call(method, `/orders/${orderId}${path}`, alice).set(headersOf(path)).send(body).expect(403);
});
