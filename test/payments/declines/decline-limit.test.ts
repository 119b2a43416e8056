import { randomUUID } from 'node:crypto';
import { type mongo } from 'mongoose';
import type { Test } from 'supertest';
import { newId } from '../../../src/common/ids';
import { orderIdOf } from '../../../src/orders/order-request';
import { createUsersRepository } from '../../../src/users/users.repository';
import { orderWorkflowId } from '../../../workflows/contract';
import { eventually } from '../../support/eventually';
import { lines, openApiOf, openOrderApi, type OrderApi } from '../../support/order-api';

const LIMITS = {
  MAX_DECLINES_PER_USER: '5',
  MAX_DECLINES_PER_ADDRESS: '10',
  MAX_DECLINES_PER_STAFF: '3',
  TRUSTED_PROXIES: '1',
};

let api: OrderApi;
let productId: string;
beforeAll(async () => {
  api = await openOrderApi({ env: LIMITS });
  await api.declines.followed;
  productId = (await api.shop.sell({ available: 1_000_000 })).id;
});
afterAll(() => api.close());

let addresses = 0;
const newAddress = () => `203.0.113.${++addresses}`;
const newCustomer = () => {
  const id = newId('usr');
  return { id, token: api.tokenOf('CUSTOMER', id) };
};

interface Sent {
  token: string;
  address?: string;
  card?: string;
  key?: string;
  body?: object;
  headers?: Record<string, string>;
}

/** Places an order, with a card that is declined unless another one is named. */
function place({
  token,
  address = newAddress(),
  card = 'pm_card_chargeDeclined',
  key = randomUUID(),
  body = {},
  headers = {},
}: Sent): Test {
  const order = { ...lines([productId, 1]), paymentMethod: card, ...body };
  return api.place(token, order, { 'X-Forwarded-For': address, 'Idempotency-Key': key, ...headers });
}

const declines = () => api.shop.db.connection.collection<{ _id: string; at: Date }>('payment_declines');
const countOf = (filter: object) => declines().countDocuments(filter);

async function declineTimes(times: number, sent: Sent): Promise<void> {
  for (let n = 0; n < times; n++) await place(sent).expect(402);
}

async function expectNothingBegun(customerId: string, key: string): Promise<void> {
  const orderId = orderIdOf(customerId, key);
  const { client } = api.shop.temporal;
  await expect(client.workflow.getHandle(orderWorkflowId(orderId)).describe()).rejects.toThrow('not found');
  expect(await api.shop.db.connection.collection('sandbox_payments').countDocuments({ orderId })).toBe(0);
}

describe('a customer', () => {
  it('has five payments declined within an hour, and none is tried after that, wherever they are', async () => {
    const { id, token } = newCustomer();
    await declineTimes(4, { token });
    await place({ token, card: 'pm_card_visa' }).expect(201); // a good one does not count
    await declineTimes(1, { token });
    for (const card of ['pm_card_chargeDeclined', 'pm_card_visa']) {
      const key = randomUUID();
      const { body, headers } = await place({ token, card, key }).expect(429);
      expect(body).toMatchObject({ code: 'rate_limited', detail: expect.stringMatching(/declined/) });
      expect(Number(headers['retry-after'])).toBeGreaterThan(3_500);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(3_600);
      await expectNothingBegun(id, key);
    }
    await place({ token: newCustomer().token, card: 'pm_card_visa' }).expect(201);
  });

  it('gets the answer to an earlier order all the same, in whichever way it is asked for', async () => {
    const { token } = newCustomer();
    const [declined, placed] = [randomUUID(), randomUUID()];
    const { body: order } = await place({ token, key: placed, card: 'pm_card_visa' }).expect(201);
    const { body: first } = await place({ token, key: declined }).expect(402);
    await declineTimes(4, { token });
    await place({ token }).expect(429);
    const again = await place({ token, key: declined }).expect(402);
    expect(again.body).toMatchObject({ code: 'payment_declined', orderId: first.orderId });
    expect(again.headers).toMatchObject({ 'idempotent-replayed': 'true' });
    const repeated = await place({ token, key: placed, card: 'pm_card_visa' }).expect(201);
    expect(repeated.body.data.id).toBe(order.data.id);
    await place({ token, key: placed, card: 'pm_card_mastercard' }).expect(422); // another body under its key
  });

  it('may try again when the first of five is an hour old', async () => {
    const { id, token } = newCustomer();
    await declineTimes(5, { token });
    await place({ token }).expect(429);
    const at = new Date(Date.now() - 3_600_001);
    const oldest = await declines().find({ by: id }).sort({ at: 1 }).limit(1).next();
    await declines().updateOne({ _id: oldest!._id }, { $set: { at } });
    await eventually(() => place({ token, card: 'pm_card_visa' }).expect(201));
  });

  it('has an attempt counted once, whatever is repeated at the same time', async () => {
    const { id, token } = newCustomer();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => place({ token, key }).expect(402)));
    expect(new Set(answers.map(({ body }) => body.orderId)).size).toBe(1);
    await place({ token, key }).expect(402);
    expect(await countOf({ by: id })).toBe(1);
    await declineTimes(4, { token });
    await place({ token }).expect(429);
  });

  it('has each of many attempts at the same time counted, and has none tried after them', async () => {
    const { id, token } = newCustomer();
    const keys = Array.from({ length: 30 }, () => randomUUID());
    const answers = await Promise.all(keys.map((key) => place({ token, key })));
    const declined = answers.filter(({ status }) => status === 402);
    expect(declined.length).toBeGreaterThanOrEqual(5);
    const asked = await api.shop.db.connection
      .collection('sandbox_payments')
      .countDocuments({ orderId: { $in: keys.map((key) => orderIdOf(id, key)) } });
    expect(await countOf({ by: id })).toBe(asked);
    const later = await Promise.all(Array.from({ length: 20 }, () => place({ token })));
    expect(later.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 429));
  });

  it('has what is declined after a 202 counted, too, and for the address', async () => {
    const { id, token } = newCustomer();
    const address = newAddress();
    const headers = { Prefer: 'respond-async' };
    await Promise.all(Array.from({ length: 5 }, () => place({ token, address, headers }).expect(202)));
    await eventually(async () => {
      expect(await countOf({ by: id, from: { $exists: true } })).toBe(5);
    });
    await eventually(() => place({ token }).expect(429));
    await declineTimes(5, { token: newCustomer().token, address });
    await place({ token: newCustomer().token, address }).expect(429);
  });
});

describe('an address', () => {
  it.each([
    ['IPv4', '198.51.100.7', '198.51.100.7', '198.51.100.8'],
    ['IPv6, by its network', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'],
  ])('has ten payments declined, of whichever customers: %s', async (_, address, same, other) => {
    await declineTimes(5, { token: newCustomer().token, address });
    await declineTimes(5, { token: newCustomer().token, address });
    await place({ token: newCustomer().token, address: same, card: 'pm_card_visa' }).expect(429);
    await place({ token: newCustomer().token, address: other, card: 'pm_card_visa' }).expect(201);
  });

  it('is nowhere as it is: not in Temporal, in MongoDB or in the log', async () => {
    const address = '192.0.2.77';
    const { token } = newCustomer();
    const { body } = await place({ token, address }).expect(402);
    const { connection } = api.shop.db;
    expect(await countOf({ _id: `${body.orderId}-1`, from: /^[\w-]{22}$/ })).toBe(1);
    const collections = await connection.db!.collections();
    const stored = await Promise.all(collections.map((collection) => collection.find().toArray()));
    expect(JSON.stringify(stored)).not.toContain(address);
    const history = await api.shop.temporal.client.workflow
      .getHandle(orderWorkflowId(body.orderId))
      .fetchHistory();
    expect(Buffer.from(JSON.stringify(history)).toString()).not.toContain(
      Buffer.from(address).toString('base64'),
    );
    expect(JSON.stringify(api.logs.filter(({ orderId }) => orderId === body.orderId))).not.toContain(address);
  });
});

describe('an ADMIN', () => {
  it('has a limit of their own, which is not that of the customer or the address', async () => {
    const adminId = newId('usr');
    const admin = api.tokenOf('ADMIN', adminId);
    const customer = newCustomer();
    const email = `${customer.id}@example.com`;
    const user = { id: customer.id, email, confirmedEmail: email, name: 'A customer', passwordHash: 'x' };
    await createUsersRepository(api.shop.db.connection).insert({ ...user, role: 'CUSTOMER' });
    const address = newAddress();
    const body = { customerId: customer.id };
    await declineTimes(3, { token: admin, address, body });
    await place({ token: admin, address, body }).expect(429);
    await place({ token: customer.token, address, card: 'pm_card_visa' }).expect(201);
    expect(await countOf({ by: adminId })).toBe(3);
    expect(await countOf({ $or: [{ by: customer.id }, { by: adminId, from: { $exists: true } }] })).toBe(0);
  });
});

it('is known to an API that starts later, and costs no command of MongoDB where nothing was declined', async () => {
  const { token } = newCustomer();
  await declineTimes(5, { token });
  const other = await openApiOf(api.shop, LIMITS);
  await other.declines.followed;
  const order = { ...lines([productId, 1]), paymentMethod: 'pm_card_visa' };
  const sent = other.api.call('post', '/orders', token).set('Idempotency-Key', randomUUID());
  await sent.send(order).expect(429);
  const commands: string[] = [];
  const note = ({ command }: mongo.CommandStartedEvent) => commands.push(JSON.stringify(command));
  const client = api.shop.db.connection.getClient();
  client.on('commandStarted', note);
  await place({ token: newCustomer().token, card: 'pm_card_visa' }).expect(201);
  client.off('commandStarted', note);
  const ours = commands.filter((command) => command.includes('payment_declines'));
  expect(ours.filter((command) => !command.includes('getMore'))).toEqual([]);
  await other.api.close();
});
