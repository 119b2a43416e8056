/** Who makes a change, and with which request. */
export interface Origin {
  /** The id of a user or API key, or the name of a program of ours. */
  by: string;
  /** The X-Request-Id of the HTTP request; null if there is none. */
  requestId: string | null;
  /** The network address of the client; null if it is not known. */
  address: string | null;
}

/** Who makes the changes of a command, such as `user:create-admin`. */
export const OPERATOR: Origin = { by: 'operator', requestId: null, address: null };

/** A field before and after a change; null where there was, or is, none. */
export interface FieldChange {
  /** The name of the field; of an entry of a list, with the id of that, such as `refunds.ref_…`. */
  field: string;
  before: unknown;
  after: unknown;
}

/** A change as the audit log is told of it, by the transaction that makes it. */
export interface AuditedChange {
  origin: Origin;
  /** What was done, such as `order.refund`. */
  action: string;
  /** The id of what was changed. */
  object: string;
  /** The id of the customer whose it is, if it is anybody's. */
  subject: string | null;
  changes: FieldChange[];
  /** The changes of what has to go when the customer's data are erased. */
  personal: FieldChange[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns what differs of the named fields.
 * @param before null for what is new
 * @param after null for what is gone
 */
export function changesBetween(
  before: object | null,
  after: object | null,
  fields: readonly string[],
): FieldChange[] {
  const valueOf = (object: object | null, field: string) => (object as Fields | null)?.[field] ?? null;
  return fields
    .map((field) => ({ field, before: valueOf(before, field), after: valueOf(after, field) }))
    .filter((change) => !isSame(change.before, change.after));
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
