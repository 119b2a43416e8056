import { randomUUID } from 'node:crypto';
import { createSandboxRepository } from '../../../src/payments/sandbox/repository';
import { eventually } from '../../support/eventually';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';

let api: OrderApi;
let admin: string;
let alice: string;
beforeAll(async () => {
  api = await openOrderApi();
  admin = api.tokenOf('ADMIN');
  alice = api.tokenOf('CUSTOMER');
});
afterAll(() => api.close());

interface Sent {
  method: 'patch' | 'post' | 'delete';
  path: string;
  body?: object;
  token?: string;
}

const send = ({ method, path, body, token = admin }: Sent, headers: Record<string, string>) =>
  api.call(method, path, token).set(headers).send(body);

async function placed(): Promise<{ order: OrderBody; productId: string; path: string }> {
  const { id: productId } = await api.shop.sell();
  const order = await api.placed(alice, [productId, 2]);
  return { order, productId, path: `/orders/${order.id}` };
}

async function shipped(): Promise<{ order: OrderBody; productId: string; path: string }> {
  const { order, productId, path } = await placed();
  const { body } = await api.fulfill(order.id, [[productId, 2]]).expect(201);
  return { order: body.data, productId, path };
}

/** Requests that may be repeated after a lost response, each with another content under the same key. */
const REPEATED: Record<string, () => Promise<{ sent: Sent; other?: object; ifMatch?: string }>> = {
  async amendment() {
    const { path } = await placed();
    return { sent: { method: 'patch', path, body: { note: 'a' } }, other: { note: 'b' }, ifMatch: '"2"' };
  },
  async cancellation() {
    const { path } = await placed();
    return {
      sent: { method: 'post', path: `${path}/cancel`, body: {}, token: alice },
      other: { reason: 'x' },
    };
  },
  async delivery() {
    const { order, path } = await shipped();
    return { sent: { method: 'post', path: `${path}/fulfillments/${order.fulfillments[0].id}/deliver` } };
  },
  async archiving() {
    const { path } = await placed();
    const { headers } = await send({ method: 'post', path: `${path}/cancel`, body: {} }, {}).expect(200);
    return { sent: { method: 'delete', path }, ifMatch: headers.etag as string };
  },
};

describe.each(Object.entries(REPEATED))('a repeat of an %s with its key', (_, prepare) => {
  it('gets the outcome of the first request, although the order has changed, and another content gets 422', async () => {
    const { sent, other, ifMatch } = await prepare();
    const headers = { 'Idempotency-Key': `"${randomUUID()}"`, ...(ifMatch && { 'If-Match': ifMatch }) };
    const first = await send(sent, headers);
    expect([200, 204]).toContain(first.status);
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    const bare = { ...headers, 'Idempotency-Key': headers['Idempotency-Key'].slice(1, -1) };
    const again = await send(sent, bare).expect(first.status).expect('Idempotent-Replayed', 'true');
    expect(again.body.data?.version).toBe(first.body.data?.version);
    if (!other) return;
    const { body } = await send({ ...sent, body: other }, headers).expect(422);
    expect(body.code).toBe('idempotency_key_reused');
  });
});

it.each(Object.entries(REPEATED))(
  'five at once of an %s with one key all get its outcome',
  async (_, prepare) => {
    const { sent, ifMatch } = await prepare();
    const headers = { 'Idempotency-Key': randomUUID(), ...(ifMatch && { 'If-Match': ifMatch }) };
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(sent, headers)));
    const [first] = answers;
    expect(first!.status).toBeLessThan(300);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => first!.status));
    const replays = answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true');
    expect(replays).toHaveLength(4);
  },
);

it('a repeat of what was turned down gets the same problem, with the version to name', async () => {
  const { path } = await placed();
  const headers = { 'Idempotency-Key': 'k', 'If-Match': '"1"' };
  const sent: Sent = { method: 'patch', path, body: { note: 'a' } };
  const first = await send(sent, headers).expect(412).expect('ETag', '"2"');
  const again = await send(sent, { ...headers, 'If-Match': '*' }).expect(412);
  expect(again.headers).toMatchObject({ etag: '"2"', 'idempotent-replayed': 'true' });
  expect(again.body.detail).toBe(first.body.detail);
});

it('a repeat of what a closed order has turned down gets the same problem, although the order is archived since', async () => {
  const { path } = await placed();
  const { headers } = await send({ method: 'post', path: `${path}/cancel`, body: {} }, {}).expect(200);
  const conditions = { 'Idempotency-Key': randomUUID(), 'If-Match': headers.etag as string };
  const sent: Sent = { method: 'patch', path, body: { note: 'a' } };
  const first = await send(sent, conditions).expect(409);
  await send({ method: 'delete', path }, {}).expect(204);
  const again = await send(sent, conditions).expect(409);
  expect(again.body.code).toBe(first.body.code);
});

/** Has an open order answer that many commands, none of which changes anything. */
async function answerMore(path: string, count = 50): Promise<void> {
  for (let n = 0; n < count; n++) {
    const stale = { 'Idempotency-Key': randomUUID(), 'If-Match': '"0"' };
    await send({ method: 'patch', path, body: { note: 'x' } }, stale).expect(412);
  }
}

/** Commands whose repeat would be carried out again or turned down, and what comes between. */
const LONG_AGO: Record<string, () => Promise<{ sent: Sent; path: string; between?(): Promise<unknown> }>> = {
  async amendment() {
    const { path } = await placed();
    const amendment = (note: string): Sent => ({ method: 'patch', path, body: { note } });
    return { path, sent: amendment('a'), between: () => amended(amendment('b')) };
  },
  async 'cancellation of a unit'() {
    const { path, productId } = await placed();
    const body = { items: lines([productId, 1]).items };
    return { path, sent: { method: 'post', path: `${path}/cancel`, body } };
  },
  async correction() {
    const { path, order } = await shipped();
    const correction = (carrier: string): Sent => ({
      method: 'patch',
      path: `${path}/fulfillments/${order.fulfillments[0].id}`,
      body: { carrier },
    });
    return { path, sent: correction('a'), between: () => send(correction('b'), {}).expect(200) };
  },
  async 'fulfillment that was undone'() {
    const { path, order } = await shipped();
    const body = { reason: 'x', restock: true };
    return {
      path,
      sent: { method: 'delete', path: `${path}/fulfillments/${order.fulfillments[0].id}`, body },
    };
  },
  async 'fulfillment that was turned down'() {
    const { path, productId } = await placed();
    const body = { items: lines([productId, 3]).items };
    const more = { method: 'patch', path, body: { items: lines([productId, 3]).items } } as const;
    return {
      path,
      sent: { method: 'post', path: `${path}/fulfillments`, body },
      between: () => amended(more),
    };
  },
};

const amended = (sent: Sent) => send(sent, { 'If-Match': '*' }).expect(200);

it.each(Object.entries(LONG_AGO))(
  'after 50 more commands, a repeat with its key gets the outcome of the first and changes nothing: %s',
  async (_, prepare) => {
    const { path, sent, between } = await prepare();
    const headers = { 'Idempotency-Key': randomUUID(), ...(sent.method === 'patch' && { 'If-Match': '*' }) };
    const first = await send(sent, headers);
    await between?.();
    await answerMore(path);
    const { body: before } = await api.call('get', path, admin).expect(200);
    const again = await send(sent, headers).expect(first.status).expect('Idempotent-Replayed', 'true');
    expect(again.body.detail).toBe(first.body.detail);
    expect((await api.call('get', path, admin).expect(200)).body.data).toEqual(before.data);
  },
);

it('a repeat of a delivery, after 50 more commands and when the order is completed, gets its outcome', async () => {
  const { order, productId, path } = await placed();
  const ship = () => api.fulfill(order.id, [[productId, 1]]).expect(201);
  const [{ id: one }] = (await ship()).body.data.fulfillments;
  const [, { id: other }] = (await ship()).body.data.fulfillments;
  const deliver = (id: string): Sent => ({ method: 'post', path: `${path}/fulfillments/${id}/deliver` });
  const headers = { 'Idempotency-Key': randomUUID() };
  await send(deliver(one), headers).expect(200);
  await answerMore(path);
  await send(deliver(other), {}).expect(200);
  const { body } = await send(deliver(one), headers).expect(200).expect('Idempotent-Replayed', 'true');
  expect(body.data.status).toBe('completed');
});

it('a repeat of a completed order that Temporal has forgotten gets that order: there is no second one, and no second charge', async () => {
  const { id: productId } = await api.shop.sell({ available: 5 });
  const key = { 'Idempotency-Key': randomUUID() };
  const order = (await api.place(alice, lines([productId, 2]), key).expect(201)).body.data;
  const { body } = await api.fulfill(order.id, [[productId, 2]]).expect(201);
  const [{ id: fulfillmentId }] = body.data.fulfillments;
  await send(
    { method: 'post', path: `/orders/${order.id}/fulfillments/${fulfillmentId}/deliver` },
    {},
  ).expect(200);
  const { client } = api.shop.temporal;
  const workflow = client.workflow.getHandle(order.workflowId);
  await workflow.result();
  await client.workflowService.deleteWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: order.workflowId },
  });
  await eventually(() => expect(workflow.describe()).rejects.toThrow(/not found/i));

  const { body: again } = await api
    .place(alice, lines([productId, 2]), key)
    .expect(201)
    .expect('Idempotent-Replayed', 'true');
  expect(again.data).toMatchObject({ id: order.id, status: 'completed', captured: order.total });
  expect(await createSandboxRepository(api.shop.db.connection).ofOrder(order.id)).toMatchObject([
    { status: 'captured', refunded: 0 },
  ]);
  expect(await api.shop.stockOf(productId)).toMatchObject({ available: 3, reserved: 0 });
});

it('the keys of the customer and of the staff do not meet', async () => {
  const { path } = await placed();
  const key = { 'Idempotency-Key': 'k', 'If-Match': '*' };
  await send({ method: 'patch', path, body: { note: 'a' }, token: alice }, key).expect(200);
  const { headers } = await send({ method: 'patch', path, body: { note: 'b' } }, key).expect(200);
  expect(headers).not.toHaveProperty('idempotent-replayed');
});

it('no command is carried out on a version that its If-Match does not name', async () => {
  const { order, productId, path } = await placed();
  await send({ method: 'patch', path, body: { note: 'new address' } }, { 'If-Match': '"2"' }).expect(200);
  const stale = { 'If-Match': '"2"' };
  const keyed = () => ({ ...stale, 'Idempotency-Key': randomUUID() });
  const shipment = { items: lines([productId, 2]).items };
  await send({ method: 'post', path: `${path}/cancel`, body: {} }, stale)
    .expect(412)
    .expect('ETag', '"3"');
  await send({ method: 'post', path: `${path}/fulfillments`, body: shipment }, keyed()).expect(412);
  const current = { ...keyed(), 'If-Match': '"3"' };
  const { body } = await send({ method: 'post', path: `${path}/fulfillments`, body: shipment }, current);
  const fulfillment = `${path}/fulfillments/${body.data.fulfillments[0].id}`;
  await send({ method: 'post', path: `${fulfillment}/deliver` }, stale).expect(412);
  await send({ method: 'patch', path: fulfillment, body: { carrier: 'x' } }, stale).expect(412);
  await send({ method: 'post', path: `${path}/refunds`, body: { reason: 'x' } }, keyed()).expect(412);
  await send({ method: 'post', path: `${fulfillment}/deliver` }, {}).expect(200);
  await send({ method: 'delete', path }, stale).expect(412);
  const { body: read } = await api.call('get', path, admin).set(stale).expect(412);
  expect(read.code).toBe('precondition_failed');
  expect((await api.call('get', `/orders/${order.id}`, alice).expect(200)).body.data.refunds).toEqual([]);
});

it('an amendment that is turned down after its payment was reserved leaves the version', async () => {
  const { id: productId } = await api.shop.sell({ available: 5 });
  const order = await api.placed(alice, [productId, 1]);
  const more = { method: 'patch', path: `/orders/${order.id}`, body: lines([productId, 9]) } as const;
  const { body } = await send({ ...more, body: { items: more.body.items } }, { 'If-Match': '"2"' });
  expect(body).toMatchObject({ status: 409, code: 'out_of_stock' });
  const now = await api.call('get', `/orders/${order.id}`, alice).expect('ETag', '"2"');
  expect(now.body.data).toEqual(order);
});
