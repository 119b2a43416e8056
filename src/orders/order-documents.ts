import { isDeepStrictEqual } from 'node:util';
import { TIME_FIELDS, type Order } from '../domain/order';
import { schemaVersionOf } from '../migrations/schema-version';
import { metadataOf, tagsOf, USUAL, USUAL_OF_ITEM, type OrderDocument } from './orders.model';

const VERSION = schemaVersionOf('orders');

export function toDocument({ id, ...order }: Order): OrderDocument {
  const items = order.items.map((item) => without(USUAL_OF_ITEM, item));
  const document = without(USUAL, { ...order, items });
  const metadata = document.metadata && tagsOf(document.metadata);
  const stored = { ...document, ...(metadata && { metadata }) };
  return { ...(withDates(stored) as Omit<OrderDocument, '_id'>), _id: id, schemaVersion: VERSION };
}

/**
 * Reads an order; one that has lost its lines is read without, so that it does not keep a list from being read. Nothing is
 * decided on such an order (`requireWellFormed`).
 * @param document fresh from the driver: it is changed, since a copy would double the cost of a read
 */
export function fromDocument(stored: OrderDocument): Order {
  const { _id, schemaVersion: _, items = [], metadata = [], ...document } = stored;
  const whole = items.map((item) => ({ ...USUAL_OF_ITEM, ...item }));
  const fields = { ...USUAL, ...document, metadata: metadataOf(metadata) };
  return withoutDates({ ...fields, id: _id, items: whole }) as Order;
}

/** Returns the fields without those that have their usual value. */
function without<T extends object>(usual: object, fields: T): Partial<T> {
  const differs = ([field, value]: [string, unknown]) =>
    !Object.hasOwn(usual, field) || !isDeepStrictEqual(value, (usual as Record<string, unknown>)[field]);
  return Object.fromEntries(Object.entries(fields).filter(differs)) as Partial<T>;
}

const TIMES: ReadonlySet<string> = new Set(TIME_FIELDS);

function withDates(value: unknown, field = ''): unknown {
  if (typeof value === 'string' && TIMES.has(field)) return new Date(value);
  if (field === 'metadata') return value; // the names of its fields are the customer's
  if (Array.isArray(value)) return value.map((entry) => withDates(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, withDates(entry, name)]));
}

/** Returns what the driver has read with times in place of dates. Changes its argument. */
export function withoutDates(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  for (const field of Object.keys(fields)) fields[field] = withoutDates(fields[field]);
  return fields;
}
