import type { Payload } from '@temporalio/common';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { newId } from '../../src/common/ids';
import { parsePayloadKeys } from '../../src/config/payload-keys';
import type { OrderRequest } from '../../src/domain/order';
import { createErasures } from '../../src/personal-data/erasures';
import { createPayloadCodec, UndecodablePayload } from '../../src/temporal/payload-codec';
import { createUsersRepository } from '../../src/users/users.repository';
import { COMMANDS, erasureWorkflowId, orderWorkflowId } from '../../workflows/contract';
import { Canaries } from '../support/canaries';
import { newCommand } from '../support/commands';
import { patientDataKeys } from '../support/data-keys';
import { answered } from '../domain/fixtures';
import { eventually, HANG_MS } from '../support/eventually';
import { lines } from '../support/order-api';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { encodedBundleForTests } from '../support/workflow-bundle';

const KEYS = `key:${randomBytes(32).toString('base64')}`;

let bundle: string;
let shop: Shop;
beforeAll(async () => {
  bundle = await encodedBundleForTests();
  shop = await openShop({ own: true, payloadKeys: KEYS });
  await shop.startWorker(undefined, { keys: KEYS, bundle });
});
afterAll(async () => {
  await shop.close();
  await rm(dirname(bundle), { recursive: true });
});

async function customer(): Promise<string> {
  const id = newId('usr');
  const user = { email: `${id}@example.com`, name: 'Canary', role: 'CUSTOMER', passwordHash: 'x' } as const;
  await createUsersRepository(shop.db.connection).insert({ id, ...user });
  return id;
}

/** Places an order with canaries, changes and cancels it, and returns its history as an operator of Temporal could copy it. */
async function history(customerId: string, canaries: Canaries): Promise<Payload[]> {
  const { id } = await shop.sell();
  const text = (name: string) => canaries.make(`${name} of ${customerId}`);
  const shippingAddress = { name: text('name'), line1: text('line1'), city: text('city'), country: 'SE' };
  const request = orderRequest({ ...lines([id, 1]), customerId, note: text('note'), shippingAddress });
  await shop.place(request);
  const note = text('amended note');
  await shop.workflows.execute(request, COMMANDS.amend, { ...newCommand(), note });
  await shop.workflows.execute(request, COMMANDS.cancel, { ...newCommand(), reason: text('reason') });
  const handle = shop.temporal.client.workflow.getHandle(orderWorkflowId(request.orderId));
  await handle.result();
  return payloadsIn(await handle.fetchHistory());
}

/** Returns every payload, wherever it is. */
function payloadsIn(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const isPayload = 'metadata' in value && 'data' in value && value.data instanceof Uint8Array;
  return isPayload ? [value as Payload] : Object.values(value).flatMap(payloadsIn);
}

/** Returns the names of the canaries that can be read with PAYLOAD_KEYS and MongoDB in the payloads. */
async function readable(payloads: Payload[], canaries: Canaries): Promise<string[]> {
  const payloadKeys = parsePayloadKeys(KEYS);
  const codec = createPayloadCodec(payloadKeys, patientDataKeys(shop.db.connection, payloadKeys));
  const texts = payloads.map(async (payload) => {
    try {
      const [decoded] = await codec.decode([payload]);
      return Buffer.from(decoded!.data ?? []).toString();
    } catch (error) {
      if (error instanceof UndecodablePayload) return '';
      throw error;
    }
  });
  return canaries.foundIn((await Promise.all(texts)).join('\n'));
}

it('makes what Temporal has of a customer unreadable, also in copies, and nothing of others', async () => {
  const [erased, other] = [await customer(), await customer()];
  const [canaries, others] = [new Canaries(), new Canaries()];
  const copy = await history(erased, canaries);
  const othersCopy = await history(other, others);
  expect(canaries.names).toHaveLength(6);
  expect(await readable(copy, canaries)).toEqual(canaries.names);

  const collection = (name: string) => shop.db.connection.collection<{ _id: string }>(name);
  const orderIds = await Promise.all(
    [erased, other].map(async (customerId) => (await collection('orders').findOne({ customerId }))!._id),
  );
  for (const id of orderIds) await shop.orders.keepAnswer(id, answered('amd_1'));

  const { taskQueue, temporal } = shop;
  const erasures = createErasures(temporal, { taskQueue, timeoutMs: HANG_MS, lateMs: 100 });
  const request = { userId: erased, by: erased, requestId: 'test' };
  expect(await erasures.begin(request)).toEqual({ refusal: null });
  await temporal.client.workflow.getHandle(erasureWorkflowId(erased)).result();
  expect(await readable(copy, canaries)).toEqual([]);
  expect(await readable(othersCopy, others)).toEqual(others.names);

  const left = async () => {
    const found: string[] = [];
    for await (const { workflowId } of temporal.client.workflow.list({ query: `CustomerId = '${erased}'` }))
      found.push(workflowId);
    return found;
  };
  await eventually(async () => expect(await left()).toEqual([]));
  const own = temporal.client.workflow.getHandle(erasureWorkflowId(erased));
  expect(await readable(payloadsIn(await own.fetchHistory()), canaries)).toEqual([]);
  expect(await collection('orders').countDocuments({ customerId: erased })).toBe(1);
  expect(await collection('answered_commands').distinct('_id')).toEqual([`${orderIds[1]}/amd_1`]);
});

it('waits for a workflow that still needs the key, which others can run on, and lets the staff act on erased orders', async () => {
  const id = await customer();
  const { id: productId } = await shop.sell();
  const order: OrderRequest = orderRequest({ ...lines([productId, 1]), customerId: id, note: 'late' });
  const options = { taskQueue: shop.taskQueue, timeoutMs: HANG_MS, lateMs: 100 };
  const erasures = createErasures(shop.temporal, options);
  const request = { userId: id, by: id, requestId: 'test' };
  await erasures.begin(request);
  await shop.place(order); // by an API that did not know yet
  await shop.workflows.execute(order, COMMANDS.cancel, { ...newCommand(), reason: null });
  await shop.temporal.client.workflow.getHandle(erasureWorkflowId(id)).result();
  const stored = (await shop.orders.findById(order.orderId))!;
  expect(stored).toMatchObject({ status: 'cancelled', note: null });
  const archived = await shop.workflows.executeAlways(stored, COMMANDS.archive, newCommand());
  expect(archived).toMatchObject({ archivedAt: expect.any(String) as string });
});
