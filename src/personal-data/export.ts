import type { ApiKeyRepository } from '../api-keys/api-keys.repository';
import { presentApiKey } from '../api-keys/api-keys.presenter';
import type { AuditDocument } from '../audit/audit.model';
import type { CartDocument } from '../carts/carts.model';
import type { AuditRepository } from '../audit/audit.repository';
import type { Order } from '../domain/order';
import type { OrderPresenter } from '../orders/orders.presenter';
import { presentUser } from '../users/users.presenter';
import type { User } from '../users/users.repository';
import type { PersonalDataRepository, StoredSession } from './personal-data.repository';

export interface ExportDeps {
  data: Pick<PersonalDataRepository, 'sessionsOf' | 'cartsOf'>;
  keys: Pick<ApiKeyRepository, 'list'>;
  audit: Pick<AuditRepository, 'ofUser'>;
  /** Yields all orders of a customer, archived ones as well, a page at a time. */
  ordersOf(customerId: string): AsyncIterable<readonly Order[]>;
  /** Returns the ids under which the user has ordered without an account. */
  guestsOf(userId: string): Promise<string[]>;
  present: OrderPresenter;
}

const PAGE = 500;

/**
 * Yields all that is kept of a user, as lines of JSON, a page at a time: nothing is open in the database while the reader is
 * slow.
 */
export async function* personalData(
  { data, keys, audit, ordersOf, guestsOf, present }: ExportDeps,
  user: User,
): AsyncGenerator<string, void> {
  const { id } = user;
  yield line('user', { ...presentUser(user), updatedAt: user.updatedAt.toISOString() });
  for await (const page of pagesOf((after) => data.sessionsOf(id, { limit: PAGE, after }), byDocument))
    yield lines('session', page.map(presentSession));
  const ids = [id, ...(await guestsOf(id))];
  for (const customerId of ids) {
    yield lines('cart', (await data.cartsOf(customerId)).map(presentCart));
    for await (const page of ordersOf(customerId))
      yield lines(
        'order',
        page.map((order) => present(order, { id, role: 'CUSTOMER' })),
      );
  }
  for await (const page of pagesOf((after) => keys.list({ createdBy: id }, { limit: PAGE, after }), byId))
    yield lines('apiKey', page.map(presentApiKey));
  for await (const page of pagesOf((after) => audit.ofUser(ids, { limit: PAGE, after }), byDocument))
    yield lines(
      'auditEntry',
      page.map((entry) => presentEntry(entry, ids)),
    );
}

const byId = ({ id }: { id: string }): string => id;
const byDocument = ({ _id }: { _id: string }): string => _id;

/** @param read returns the page after the entry with that name */
async function* pagesOf<T>(
  read: (after: string | undefined) => Promise<T[]>,
  nameOf: (entry: T) => string,
): AsyncGenerator<T[], void> {
  for (let after: string | undefined; ;) {
    const page = await read(after);
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    after = nameOf(page.at(-1)!);
  }
}

function line(type: string, value: object): string {
  return `${JSON.stringify({ type, ...value })}\n`;
}

function lines(type: string, values: object[]): string {
  return values.map((value) => line(type, value)).join('');
}

function presentSession({ _id: id, createdAt, refreshedAt, endedAt, expiresAt }: StoredSession): object {
  return { id, createdAt, refreshedAt, endedAt: endedAt ?? null, expiresAt };
}

function presentCart({
  _id: id,
  status,
  items,
  shippingAddress,
  note,
  metadata,
  ...cart
}: CartDocument): object {
  const { orderId, createdAt, updatedAt, expiresAt } = cart;
  return { id, status, items, shippingAddress, note, metadata, orderId, createdAt, updatedAt, expiresAt };
}

/** Presents an entry without what it has of others: who of the staff it was, and the data of other customers. */
function presentEntry(entry: AuditDocument, ids: readonly string[]): object {
  const { _id: id, at, action, object, subject, requestId, changes, private: hidden } = entry;
  const isOwn = ids.includes(entry.actor);
  const isAboutThem = ids.includes(object) || (subject !== null && ids.includes(subject));
  return {
    id,
    at,
    by: isOwn ? entry.actor : 'staff',
    action,
    object,
    changes: [...changes, ...(isAboutThem ? (hidden?.changes ?? []) : [])],
    requestId,
    address: isOwn ? (hidden?.address ?? null) : null,
  };
}
