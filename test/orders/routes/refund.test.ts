import { randomUUID } from 'node:crypto';
import { orderNumberOf } from '../../../src/domain/order-number';
import { closedOrderWorkflowId, orderWorkflowId } from '../../../workflows/contract';
import { newId } from '../../../src/common/ids';
import { openOrderApi, type OrderApi } from '../../support/order-api';

let api: OrderApi;
let alice: string;
const aliceId = newId('usr');
beforeAll(async () => {
  api = await openOrderApi();
  alice = api.tokenOf('CUSTOMER', aliceId);
});
afterAll(() => api.close());

/** Places an order of one unit at 23.79 EUR and captures its payment. The order stays open. */
async function captured(): Promise<string> {
  const { id } = await api.shop.sell();
  const order = await api.placed(alice, [id, 1]);
  await api.fulfill(order.id, [[id, 1]]).expect(201);
  return order.id;
}

describe('POST /orders/:id/refunds', () => {
  it('refunds a part, then the rest, then nothing more', async () => {
    const id = await captured();
    const part = await api.refund(id, { amount: 1_000, reason: 'Scratched' }).expect(201);
    expect(part.body.data).toMatchObject({
      status: 'confirmed',
      paymentStatus: 'partially_refunded',
      refunded: 1_000,
      refunds: [{ id: expect.stringMatching(/^ref_[0-9a-f]{32}$/), amount: 1_000, reason: 'Scratched' }],
    });
    expect(part.headers.etag).toBe(`"${part.body.data.version}"`);
    expect(part.headers).not.toHaveProperty('idempotent-replayed');
    const tooMuch = await api.refund(id, { amount: 1_380, reason: 'x' }).expect(409);
    expect(tooMuch.body).toMatchObject({ code: 'invalid_transition', orderId: id });
    expect(tooMuch.body.detail).toContain('13.79 EUR');
    const rest = await api.refund(id, { reason: 'Came back' }).expect(201);
    expect(rest.body.data).toMatchObject({ paymentStatus: 'refunded', refunded: 2_379 });
    expect(rest.body.data.refunds[1]).toMatchObject({ amount: 1_379 });
    await api.refund(id, { amount: 1, reason: 'x' }).expect(409);
    await api.refund(id, { reason: 'x' }).expect(409);
  });

  it('captures and refunds in tens of the minor unit in a currency of three digits', async () => {
    const { id: productId } = await api.shop.sell({ currency: 'KWD', unitPrice: 1_250, taxRateBps: 1_000 });
    const { id, ...order } = await api.placed(alice, [productId, 3]);
    expect(order).toMatchObject({ subtotal: 3_750, tax: 380, total: 4_130 });
    const first = await api.fulfill(id, [[productId, 1]]).expect(201);
    expect(first.body.data).toMatchObject({ captured: 1_380 });
    const second = await api.fulfill(id, [[productId, 2]]).expect(201);
    expect(second.body.data).toMatchObject({ captured: 4_130 });
    const { body } = await api.refund(id, { amount: 1_004, reason: 'x' }).expect(409);
    expect(body).toMatchObject({
      code: 'invalid_transition',
      detail:
        'The amount cannot be refunded: cards are charged in multiples of 0.010 KWD, so choose 1000 (1.000 KWD) or 1010 (1.010 KWD).',
    });
    const refunded = await api.refund(id, { amount: 1_010, reason: 'x' }).expect(201);
    expect(refunded.body.data).toMatchObject({ refunded: 1_010 });
  });

  it('refunds lines by their shares, and takes goods that come back into stock', async () => {
    const { id } = await api.shop.sell({ unitPrice: 333, taxRateBps: 1_000 }); // 10.99 EUR for three
    const order = await api.placed(alice, [id, 3]);
    await api.fulfill(order.id, [[id, 2]]).expect(201);
    const back = (quantity: number, restock: boolean) => ({
      items: [{ productServiceId: id, quantity, restock }],
      reason: 'Sent back',
    });
    const first = await api.refund(order.id, back(1, true)).expect(201);
    expect(first.body.data).toMatchObject({
      items: [{ fulfilledQuantity: 2, refundedQuantity: 1 }],
      refunded: 366,
      refunds: [{ amount: 366, status: 'succeeded', by: 'staff', ...back(1, true) }],
    });
    expect(await api.shop.stockOf(id)).toEqual({ available: 98, reserved: 1 });
    const tooMany = await api.refund(order.id, back(2, false)).expect(409);
    expect(tooMany.body.detail).toMatch(/Only 1 of .* are fulfilled and not refunded/);
    await api.refund(order.id, back(1, false)).expect(201);
    await api.fulfill(order.id, [[id, 1]]).expect(201);
    const last = await api.refund(order.id, back(1, false)).expect(201);
    expect(last.body.data).toMatchObject({ captured: 1_099, refunded: 1_099, paymentStatus: 'refunded' });
    expect(await api.shop.stockOf(id)).toEqual({ available: 98, reserved: 0 });
  });

  it('takes goods back for which everything was refunded before', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 1]);
    await api.fulfill(order.id, [[id, 1]]).expect(201);
    await api.refund(order.id, { reason: 'Sorry' }).expect(201);
    const items = [{ productServiceId: id, quantity: 1, restock: true }];
    const { body } = await api.refund(order.id, { items, reason: 'Sent back' }).expect(201);
    expect(body.data.refunds[1]).toMatchObject({ amount: 0, items });
    expect(await api.shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
  });

  it('returns 400 for an amount and items at once', async () => {
    const items = [{ productServiceId: 'ps_1', quantity: 1, restock: true }];
    await api.refund(`ord_${'0'.repeat(32)}`, { amount: 1, items, reason: 'x' }).expect(400);
  });

  it('refunds once for each key, and rejects another body with its key', async () => {
    const id = await captured();
    const key = { 'Idempotency-Key': randomUUID() };
    const sent = { amount: 500, reason: 'Late' };
    const answers = await Promise.all(Array.from({ length: 4 }, () => api.refund(id, sent, key).expect(201)));
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true')).toHaveLength(3);
    const repeat = await api.refund(id, sent, key).expect(201).expect('Idempotent-Replayed', 'true');
    expect(repeat.body.data).toMatchObject({ refunded: 500, refunds: [{}] });
    for (const other of [{ ...sent, amount: 501 }, { ...sent, reason: 'Lost' }, { reason: 'Late' }]) {
      const { body } = await api.refund(id, other, key).expect(422);
      expect(body).toMatchObject({ code: 'idempotency_key_reused', orderId: id });
    }
  });

  it('shows that the staff refunded it', async () => {
    const id = await captured();
    const { body } = await api.refund(id, { amount: 1, reason: 'x' }).expect(201);
    expect(body.data.refunds).toMatchObject([{ by: 'staff' }]);
    const { body: read } = await api.call('get', `/orders/${id}`, alice).expect(200);
    expect(read.data.refunds).toEqual(body.data.refunds);
  });

  it('responds to each of more concurrent refunds than Temporal allows updates in flight', async () => {
    const id = await captured();
    const answers = await Promise.all(
      Array.from({ length: 15 }, () => api.refund(id, { amount: 200, reason: 'x' })),
    );
    const counts = answers.map(({ status }) => status).sort();
    expect(counts).toEqual([...Array<number>(11).fill(201), ...Array<number>(4).fill(409)]);
    const { body } = await api.call('get', `/orders/${id}`, alice).expect(200);
    expect(body.data).toMatchObject({ refunded: 2_200, paymentStatus: 'partially_refunded' });
  });

  it('returns 409 while nothing is captured, also for a cancelled order', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 1]);
    const open = await api.refund(order.id, { reason: 'x' }).expect(409);
    await api.call('post', `/orders/${order.id}/cancel`, alice).send({}).expect(200);
    const closed = await api.refund(order.id, { reason: 'x' }).expect(409);
    for (const { body } of [open, closed]) {
      expect(body).toMatchObject({
        code: 'invalid_transition',
        detail: expect.stringContaining('No payment was captured'),
      });
    }
  });

  it('turns a refund down again under its key, even when another one is possible by then', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 1]);
    const key = { 'Idempotency-Key': randomUUID() };
    const first = await api.refund(order.id, { reason: 'x' }, key).expect(409);
    await api.fulfill(order.id, [[id, 1]]).expect(201);
    const again = await api.refund(order.id, { reason: 'x' }, key).expect(409);
    expect(again.body.detail).toBe(first.body.detail);
    await api.refund(order.id, { reason: 'x' }).expect(201);
  });

  it.each([
    ['no reason', { amount: 1 }, 'reason'],
    ['an empty reason', { amount: 1, reason: ' ' }, 'reason'],
    ['amount 0', { amount: 0, reason: 'x' }, 'amount'],
    ['amount -1', { amount: -1, reason: 'x' }, 'amount'],
    ['amount 1.5', { amount: 1.5, reason: 'x' }, 'amount'],
    ['amount "1"', { amount: '1', reason: 'x' }, 'amount'],
    ['an amount beyond the safe integers', { amount: 2 ** 53, reason: 'x' }, 'amount'],
    ['a currency', { amount: 1, currency: 'EUR', reason: 'x' }, 'currency'],
  ])('returns 400 to %s', async (_, body, path) => {
    const response = await api.refund(`ord_${'0'.repeat(32)}`, body).expect(400);
    expect(response.body.errors).toEqual([{ path, message: expect.any(String) }]);
  });

  it('returns 400 without an Idempotency-Key', async () => {
    const path = `/orders/ord_${'0'.repeat(32)}/refunds`;
    const { body } = await api.call('post', path, api.tokenOf('ADMIN')).send({ reason: 'x' }).expect(400);
    expect(body.code).toBe('idempotency_key_required');
  });
});

describe('a refund of a completed order', () => {
  const describeWorkflow = (id: string) => api.shop.temporal.client.workflow.getHandle(id).describe();

  it('is carried out by another workflow, once for each key', async () => {
    const { id } = await api.completed(alice, 1);
    await api.shop.temporal.client.workflow.getHandle(orderWorkflowId(id)).result();
    const key = { 'Idempotency-Key': randomUUID() };
    const first = await api.refund(id, { amount: 79, reason: 'x' }, key).expect(201);
    expect(first.body.data).toMatchObject({ status: 'completed', refunded: 79 });
    const repeat = await api.refund(id, { amount: 79, reason: 'x' }, key).expect(201);
    expect(repeat.headers).toMatchObject({ 'idempotent-replayed': 'true' });
    await api.refund(id, { amount: 80, reason: 'x' }, key).expect(422);
    for (const n of [1, 2, 3]) {
      const { body } = await api.refund(id, { amount: 100, reason: 'x' }).expect(201);
      expect(body.data.refunded).toBe(79 + n * 100);
    }
    const { type, searchAttributes } = await describeWorkflow(closedOrderWorkflowId(id));
    expect(type).toBe('closedOrderWorkflow');
    expect(searchAttributes.CustomerId).toEqual([aliceId]);
  });

  it('is carried out without restarting the workflow of an order that Temporal has forgotten', async () => {
    const { id } = await api.completed(alice, 1);
    // A copy of the order under another id, of which Temporal knows nothing: to delete a workflow takes half a minute.
    const orders = api.shop.db.connection.collection<{ _id: string; number: string }>('orders');
    const forgotten = `ord_${randomUUID().replaceAll('-', '')}`;
    const copied = await orders.findOne({ _id: id });
    await orders.insertOne({ ...copied!, _id: forgotten, number: orderNumberOf(forgotten) });
    const { body } = await api.refund(forgotten, { reason: 'x' }).expect(201);
    expect(body.data).toMatchObject({ status: 'completed', paymentStatus: 'refunded', refunded: 2_379 });
    await expect(describeWorkflow(orderWorkflowId(forgotten))).rejects.toThrow(/not found/i);
    expect((await describeWorkflow(closedOrderWorkflowId(forgotten))).type).toBe('closedOrderWorkflow');
  });

  it('never refunds more than was captured, for many at once', async () => {
    const { id } = await api.completed(alice, 1);
    const answers = await Promise.all(
      Array.from({ length: 15 }, () => api.refund(id, { amount: 200, reason: 'x' })),
    );
    const counts = answers.map(({ status }) => status).sort();
    expect(counts).toEqual([...Array<number>(11).fill(201), ...Array<number>(4).fill(409)]);
  });
});
