import type { CallRecord, OrderSeen } from '../log';
import type { Operation, SequentialModel } from './linearizable';

/** How many units of each product are fulfilled. Nothing but a call of a client fulfills any. */
type Fulfilled = Readonly<Record<string, number>>;

/** What clients do to an order, and see of it. */
export type OrderStep =
  | { kind: 'read'; version: number; fulfilled?: Fulfilled }
  /** Raises the version. @property ifVersion the one that it has to have before */
  | { kind: 'write'; ifVersion?: number; fulfills?: Fulfilled }
  /** Was turned down, since the order did not have that version. */
  | { kind: 'stale'; ifVersion: number };

interface Register {
  /** At least: the order moves without its clients, too, as when a payment is answered. */
  version: number;
  fulfilled: Fulfilled;
}

/**
 * An order as its clients see it: a register whose version only rises, with conditional writes, and a count of what was
 * fulfilled.
 */
export const orderRegister: SequentialModel<Register, OrderStep> = {
  initial: { version: 0, fulfilled: {} },

  step(state, what) {
    switch (what.kind) {
      case 'read':
        if (what.version < state.version) return undefined;
        if (what.fulfilled && keyOfUnits(what.fulfilled) !== keyOfUnits(state.fulfilled)) return undefined;
        return what.version === state.version ? state : { ...state, version: what.version };
      case 'write': {
        const { ifVersion = state.version, fulfills = {} } = what;
        if (state.version > ifVersion) return undefined;
        return { version: ifVersion + 1, fulfilled: plus(state.fulfilled, fulfills) };
      }
      case 'stale':
        if (state.version > what.ifVersion) return state;
        return { ...state, version: what.ifVersion + 1 };
    }
  },

  keyOf: ({ version, fulfilled }) => `${version} ${keyOfUnits(fulfilled)}`,
};

function plus(some: Fulfilled, more: Fulfilled): Fulfilled {
  const all: Record<string, number> = { ...some };
  for (const [id, units] of Object.entries(more)) all[id] = (all[id] ?? 0) + units;
  return all;
}

function keyOfUnits(units: Fulfilled): string {
  const some = Object.entries(units).filter(([, count]) => count !== 0);
  return some
    .map(([id, count]) => `${id}:${count}`)
    .sort()
    .join();
}

const WRITES: ReadonlySet<CallRecord['op']> = new Set([
  'order.amend',
  'order.cancel',
  'order.fulfill',
  'order.deliver',
  'order.refund',
]);

/** Returns the history of each order, by its id. */
export function orderHistories(log: readonly CallRecord[]): Map<string, Operation<OrderStep>[]> {
  const histories = new Map<string, Operation<OrderStep>[]>();
  const add = (orderId: string, operation: Operation<OrderStep>) => {
    const history = histories.get(orderId);
    if (history) history.push(operation);
    else histories.set(orderId, [operation]);
  };
  for (const call of log) {
    const { id, at, orders = [] } = call;
    for (const { id: orderId, version } of orders)
      if (at.returned !== null)
        add(orderId, { id: `${id} ${orderId}`, ...within(call), what: { kind: 'read', version } });
    const orderId = call.order?.id ?? call.subject?.match(/^order:(.+)$/)?.[1];
    if (orderId !== undefined) for (const operation of operationsOf(call)) add(orderId, operation);
  }
  return histories;
}

function operationsOf(call: CallRecord): Operation<OrderStep>[] {
  const { id, op, outcome, order, args } = call;
  const condition = args.ifVersion !== undefined && { ifVersion: args.ifVersion };
  const done: Operation<OrderStep>[] = [];
  // A conditional write that changes nothing leaves the version.
  const isChange = WRITES.has(op) && !(outcome === 'ok' && order && order.version === args.ifVersion);
  const fulfills = op === 'order.fulfill' && { fulfills: unitsOf(args.items ?? []) };
  if (isChange && outcome !== 'fail')
    done.push({ id, ...interval(call), what: { kind: 'write', ...condition, ...fulfills } });
  if (call.status === 412 && args.ifVersion !== undefined)
    done.push({ id, ...interval(call), what: { kind: 'stale', ifVersion: args.ifVersion } });
  if (order && call.at.returned !== null) {
    const what = { kind: 'read', version: order.version, ...fulfilledOf(order) } as const;
    const after = done.length > 0 && { after: id };
    done.push({ id: `${id} answer`, ...within(call), ...after, what });
  }
  return done;
}

function interval({ at, outcome }: CallRecord): Pick<Operation<unknown>, 'invoked' | 'returned'> {
  return { invoked: at.invoked, returned: outcome === 'unknown' ? null : at.returned };
}

/** The answer is of the last attempt. */
function within({ at, attempts }: CallRecord): Pick<Operation<unknown>, 'invoked' | 'returned'> {
  return { invoked: attempts.at(-1)?.sent ?? at.invoked, returned: at.returned };
}

/** An order that is not priced yet says nothing of its lines. */
function fulfilledOf({ version, items }: OrderSeen): { fulfilled?: Fulfilled } {
  if (version === 0) return {};
  return {
    fulfilled: unitsOf(items.map(({ productId, fulfilled }) => ({ productId, quantity: fulfilled }))),
  };
}

function unitsOf(lines: readonly { productId: string; quantity: number }[]): Fulfilled {
  return lines.reduce<Fulfilled>((all, { productId, quantity }) => plus(all, { [productId]: quantity }), {});
}
