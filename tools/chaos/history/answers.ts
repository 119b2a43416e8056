import type { CallRecord } from '../log';

export const PLACING: ReadonlySet<CallRecord['op']> = new Set(['order.place', 'cart.checkout']);

/**
 * Whether an answer says no more than that the order is accepted. That is no sight of it: without MongoDB the API says so of
 * one that is there already.
 */
export function isOnlyAccepted({ op, order }: Pick<CallRecord, 'op' | 'order'>): boolean {
  return order?.version === 0 && PLACING.has(op);
}

const TOO_LATE = 408;
const TOO_MANY = 429;

/** Whether an answer says that what was to be read is not there, or not for who asks. */
export function showsNothing({ op, status }: Pick<CallRecord, 'op' | 'status'>): boolean {
  if (op !== 'order.read' || status === null) return false;
  return status >= 400 && status < 500 && status !== TOO_LATE && status !== TOO_MANY;
}

/** Before any version: an order that nobody has accepted yet. */
export const NOTHING = -1;

/** When the answer may have become true: within the last attempt. */
export function within({ at, attempts }: CallRecord): { invoked: number; returned: number | null } {
  return { invoked: attempts.at(-1)?.sent ?? at.invoked, returned: at.returned };
}

/** The calls that have one effect together: those with the same key. The log has them in the order in which they began. */
export function byKey(calls: readonly CallRecord[]): CallRecord[][] {
  const groups = new Map<string, CallRecord[]>();
  for (const call of calls) {
    const name = `${call.op} ${call.key ?? call.id}`;
    const group = groups.get(name);
    if (group) group.push(call);
    else groups.set(name, [call]);
  }
  return [...groups.values()];
}

/** What has become of calls with the same key, and when; undefined if it is certain that nothing has. */
export function effectOf(
  calls: readonly CallRecord[],
): { call: CallRecord; invoked: number; returned: number | null } | undefined {
  const done = calls.filter(({ outcome }) => outcome === 'ok');
  const call = done[0] ?? calls.find(({ outcome }) => outcome === 'unknown');
  if (!call) return undefined;
  const invoked = Math.min(...calls.map(({ at }) => at.invoked));
  const returned = done.length > 0 ? Math.min(...done.map(({ at }) => at.returned!)) : null;
  return { call, invoked, returned };
}
