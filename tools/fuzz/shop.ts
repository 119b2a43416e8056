import { randomUUID } from 'node:crypto';
import { mongo } from 'mongoose';
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
/** The requests of the preparation that need an Idempotency-Key. */
const TAKES_KEY = /^POST \/orders(?:$|.*\/fulfillments$)/;

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
      ...(TAKES_KEY.test(`${method} ${path}`) && { 'Idempotency-Key': randomUUID() }),
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

/** @throws {Error} for a status of 300 or above */
async function must(...request: Parameters<typeof call>): Promise<Response> {
  const answer = await call(...request);
  if (answer.status < 300) return answer;
  const [, , method, path] = request;
  throw new Error(`preparing the fuzz run: ${method} ${path} returned ${answer.status}`);
}

export async function login(shop: Shop, email: string, password = DEMO_PASSWORD): Promise<string> {
  const { data } = await must(shop, undefined, 'POST', '/auth/login', { email, password });
  return (data as { accessToken: string }).accessToken;
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
  const { data } = await must(shop, undefined, 'POST', '/auth/register', body);
  await withUsers(shop, (users) => users.updateOne({ email }, { $set: { role, confirmedEmail: email } }));
  return { email, password, id: (data as { user: { id: string } }).user.id };
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
export async function placeOrders(shop: Shop, alice: string, admin: string): Promise<void> {
  const { data } = await must(shop, alice, 'GET', '/product-services?limit=100&currency=EUR');
  const items = (data as { id: string }[])
    .slice(0, 2)
    .map(({ id }) => ({ productServiceId: id, quantity: 2 }));
  const place = async (): Promise<string> => {
    const placed = await must(shop, alice, 'POST', '/orders', { items, paymentMethod: CARD });
    return `/orders/${(placed.data as { id: string }).id}`;
  };
  await must(shop, alice, 'POST', `${await place()}/cancel`, {});
  await must(shop, admin, 'POST', `${await place()}/fulfillments`, { items });
  const begun = items.map((item) => ({ ...item, quantity: 1 }));
  await must(shop, admin, 'POST', `${await place()}/fulfillments`, { items: begun });
  for (let count = 0; count < 6; count++) await place();
}
