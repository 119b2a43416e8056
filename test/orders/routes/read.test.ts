import { newId } from '../../../src/common/ids';
import { lines, openOrderApi, type OrderApi } from '../../support/order-api';

let api: OrderApi;
let alice: string;
let bob: string;
let admin: string;
const aliceId = newId('usr');
beforeAll(async () => {
  api = await openOrderApi();
  [alice, bob, admin] = [api.tokenOf('CUSTOMER', aliceId), api.tokenOf('CUSTOMER'), api.tokenOf('ADMIN')];
});
afterAll(() => api.close());

describe('GET /orders/:id', () => {
  it('returns 304 if the client has the current version', async () => {
    const { id } = await api.shop.sell();
    const { body } = await api.place(alice, lines([id, 1])).expect(201);
    const path = `/orders/${body.data.id}`;
    const read = await api.call('get', path, alice).expect(200).expect('ETag', '"2"');
    expect(read.body.data).toEqual(body.data);
    await api.call('get', path, alice).set('If-None-Match', '"2"').expect(304);
    await api.call('get', path, alice).set('If-None-Match', '"1"').expect(200);
  });

  it('returns the order to an ADMIN in any case, since compensations raise no version', async () => {
    const { id } = await api.shop.sell();
    const { body } = await api.place(alice, lines([id, 1])).expect(201);
    const read = api.call('get', `/orders/${body.data.id}`, admin).set('If-None-Match', '"2"');
    expect((await read.expect(200).expect('ETag', '"2"')).body.data.compensations).toEqual([]);
  });

  it("returns 401 without a token, and the same 404 for another user's order as for a missing one", async () => {
    const { id } = await api.shop.sell();
    const { body } = await api.place(alice, lines([id, 1])).expect(201);
    const path = `/orders/${body.data.id}`;
    await api.call('get', path).expect(401);
    await api.call('get', path, admin).expect(200);
    const missing = await Promise.all(
      [path, `/orders/ord_${'0'.repeat(32)}`, '/orders/nonsense'].map((other) =>
        api.call('get', other, bob).set('X-Request-Id', 'same').expect(404),
      ),
    );
    expect(missing.map(({ text }) => text)).toEqual(missing.map(() => missing[0]!.text));
  });
});

describe('what the staff has done', () => {
  it('is shown to the customer without their ids and internal notes, to an ADMIN with them', async () => {
    const { id } = await api.shop.sell();
    const placed = await api.placed(alice, [id, 3]);
    const path = `/orders/${placed.id}`;
    const { body } = await api.fulfill(placed.id, [[id, 1]]).expect(201);
    const undone = { reason: 'Came back', internalNote: 'Wrong label, our fault', restock: true };
    const fulfillment = `${path}/fulfillments/${body.data.fulfillments[0].id}`;
    await api.call('delete', fulfillment, admin).send(undone).expect(200);
    const { items } = lines([id, 1]);
    const cancelled = { items, reason: 'Broken', internalNote: 'The driver sat on it' };
    await api.call('post', `${path}/cancel`, admin).send(cancelled).expect(200);
    const refunded = { amount: 100, reason: 'Sorry', internalNote: 'Third complaint' };
    await api.refund(placed.id, refunded).expect(201);

    const { data: own } = (await api.call('get', path, alice).expect(200)).body;
    const makers = new Set(own.statusHistory.map(({ by }: { by: string }) => by));
    expect(makers).toEqual(new Set([aliceId, 'system', 'staff']));
    const reasons = own.statusHistory.flatMap(({ reason }: { reason: string | null }) => reason ?? []);
    expect(reasons).toEqual(expect.arrayContaining(['Came back', 'Broken', 'Sorry']));
    expect(JSON.stringify(own)).not.toMatch(/internalNote|our fault|sat on it|complaint/);
    const { data: all } = (await api.call('get', path, admin).expect(200)).body;
    expect(all.statusHistory).toEqual(
      expect.arrayContaining(
        [undone, cancelled, refunded].map(({ reason, internalNote }) =>
          expect.objectContaining({ reason, internalNote, by: expect.stringMatching(/^usr_/) as string }),
        ),
      ),
    );
    expect(all.refunds.at(-1)).toMatchObject({ internalNote: refunded.internalNote });
    const note = { internalNote: 'I am the staff' };
    await api.call('post', `${path}/cancel`, alice).send(note).expect(400);
  });

  it.each(['canary-jane', '4111111111111111', 'ord_4111111111111111', 'jane.canary'])(
    'is not in the log if it is %s, in the place of an id',
    async (name) => {
      api.logs.length = 0;
      await api.call('get', `/orders/${name}`, alice).expect(404);
      await api.call('post', `/orders/${name}/cancel`, alice).send({}).expect(404);
      expect(api.logs).toHaveLength(2);
      expect(JSON.stringify(api.logs)).not.toContain(name);
    },
  );
});

describe('GET /orders', () => {
  it("pages through and filters the caller's orders, newest first", async () => {
    const { id } = await api.shop.sell();
    const token = api.tokenOf('CUSTOMER');
    const placed: string[] = [];
    for (let n = 0; n < 5; n++)
      placed.push((await api.place(token, lines([id, 1])).expect(201)).body.data.id);
    await api.call('post', `/orders/${placed[0]}/cancel`, token).send().expect(200);

    const pages: string[][] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const { body } = await api.call('get', `/orders?limit=2${query}`, token).expect(200);
      pages.push(body.data.map((order: { id: string }) => order.id));
      cursor = body.meta.page.nextCursor;
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual([...placed].reverse());

    const idsOf = async (query: string, who = token): Promise<string[]> => {
      const { body } = await api.call('get', `/orders?${query}`, who).expect(200);
      return body.data.map((order: { id: string }) => order.id);
    };
    expect(await idsOf('status=cancelled')).toEqual([placed[0]]);
    expect(await idsOf('fulfillmentStatus=unfulfilled&paymentStatus=authorized')).toHaveLength(4);
    const third = (await api.call('get', `/orders/${placed[2]}`, token)).body.data.createdAt;
    expect(await idsOf(`from=${third}`)).toEqual([placed[4], placed[3], placed[2]]);
    expect(await idsOf(`to=${third}`)).toEqual([placed[1], placed[0]]);
    const { body } = await api.call('get', `/orders/${placed[0]}`, token);
    expect(await idsOf(`customerId=${body.data.customerId}`, admin)).toHaveLength(5);
    const bobs = (await api.place(bob, lines([id, 1])).expect(201)).body.data.id;
    expect(await idsOf('limit=2', admin)).toEqual([bobs, placed[4]]);
    expect(await idsOf('limit=1', bob)).toEqual([bobs]);
  });

  it.each([
    ['limit=0'],
    ['limit=101'],
    ['cursor=nonsense'],
    [`cursor=${Buffer.from('[{"$gt":""},"ord_1"]').toString('base64url')}`],
    ['status=unknown'],
    ['status=pending,unknown'],
    ['from=yesterday'],
    ['customerId[$ne]=x'],
    [`customerId=${aliceId}`],
    ['unknown=1'],
  ])('returns 400 to ?%s', async (query) => {
    await api.call('get', `/orders?${query}`, bob).expect(400);
  });

  it('returns 401 without a token', async () => {
    await api.call('get', '/orders').expect(401);
  });
});
