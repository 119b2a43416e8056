import { randomUUID } from 'node:crypto';
import { mongo } from 'mongoose';
import { createClient, type Session } from '../../clients/typescript/src';
import { DEMO_PASSWORD } from '../../src/users/demo-users';

/** The running API and its database, for the preparation of a run. */
export interface Shop {
  baseUrl: string;
  mongodbUri: string;
}

export interface Response {
  status: number;
  data: unknown;
  nextCursor: string | null;
}

const REQUEST_TIMEOUT_MS = 30_000;
const CARD = 'pm_card_visa';

/** Calls what stands in the document only. */
export async function call(
  { baseUrl }: Shop,
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  const response = await fetch(baseUrl + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const answer = (await response.json().catch(() => ({}))) as {
    data?: unknown;
    meta?: { page?: { nextCursor: string | null } };
  };
  return { status: response.status, data: answer.data, nextCursor: answer.meta?.page?.nextCursor ?? null };
}

export async function login({ baseUrl }: Shop, email: string, password = DEMO_PASSWORD): Promise<string> {
  const { data } = await createClient({ baseUrl }).login({ body: { email, password } });
  return (data as Session).accessToken;
}

/** The password of users that nothing else needs. */
export const SACRIFICED_PASSWORD = randomUUID();

/**
 * Creates a user that nothing else needs; the role is set in the database, because the API cannot create an
 * ADMIN.
 */
export async function sacrificialUser(
  shop: Shop,
  role: string,
): Promise<{ email: string; password: string; id: string }> {
  const email = `sacrificed-${randomUUID()}@example.com`;
  const password = SACRIFICED_PASSWORD;
  const body = { email, password, name: 'Sacrificed' };
  const { data } = await createClient({ baseUrl: shop.baseUrl }).register({ body });
  await withUsers(shop, (users) => users.updateOne({ email }, { $set: { role, confirmedEmail: email } }));
  return { email, password, id: data.user.id };
}

export async function userIds(shop: Shop, emails: string[]): Promise<string[]> {
  return withUsers(shop, async (users) => {
    const found = await users.find({ email: { $in: emails } }).toArray();
    return found.map(({ _id }) => _id);
  });
}

async function withUsers<T>(
  { mongodbUri }: Shop,
  use: (
    users: mongo.Collection<{ _id: string; email: string; confirmedEmail?: string; role: string }>,
  ) => Promise<T>,
): Promise<T> {
  const client = new mongo.MongoClient(mongodbUri);
  try {
    return await use(client.db().collection('users'));
  } finally {
    await client.close();
  }
}

/** Places orders and brings them to several states, for the operations on orders. */
export async function placeOrders({ baseUrl }: Shop, aliceToken: string, adminToken: string): Promise<void> {
  const alice = createClient({ baseUrl, tokens: { accessToken: aliceToken } });
  const admin = createClient({ baseUrl, tokens: { accessToken: adminToken } });
  const { data } = await alice.listProductServices({ query: { limit: 100, currency: 'EUR' } });
  const items = data.slice(0, 2).map(({ id }) => ({ productServiceId: id, quantity: 2 }));
  const place = async () => {
    const { data: order } = await alice.placeOrder({ body: { items, paymentMethod: CARD } });
    return { id: order.id };
  };
  await alice.cancelOrder({ path: await place(), body: {} });
  await admin.fulfillOrder({ path: await place(), body: { items } });
  const begun = items.map((item) => ({ ...item, quantity: 1 }));
  await admin.fulfillOrder({ path: await place(), body: { items: begun } });
  for (let count = 0; count < 6; count++) await place();
}
