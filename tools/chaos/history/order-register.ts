import type { CallRecord, OrderSeen } from '../log';
import { byKey, effectOf, isOnlyAccepted, NOTHING, showsNothing, within } from './answers';
import type { Operation, SequentialModel } from './linearizable';

/** How many units of each product are fulfilled. Nothing but a call of a client fulfills any. */
type Fulfilled = Readonly<Record<string, number>>;

/** What clients do to an order, and see of it. */
export type OrderStep =
  /** @property version -1 if the order was not there */
  | { kind: 'read'; version: number; fulfilled?: Fulfilled }
  /** The order is there from now on, if it was not before. */
  | { kind: 'accept' }
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
  initial: { version: NOTHING, fulfilled: {} },

  step(state, what) {
    switch (what.kind) {
      case 'read':
        if (what.version < state.version) return undefined;
        if (what.fulfilled && keyOfUnits(what.fulfilled) !== keyOfUnits(state.fulfilled)) return undefined;
        return what.version === state.version ? state : { ...state, version: what.version };
      case 'accept':
        return state.version > NOTHING ? state : { ...state, version: 0 };
      case 'write': {
        const { ifVersion = Math.max(0, state.version), fulfills = {} } = what;
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
  for (const calls of byKey(log)) {
    const write = writeOf(calls);
    if (write) add(orderIdOf(calls[0]!)!, write);
    for (const call of calls) {
      const { id, at, orders = [] } = call;
      for (const { id: orderId, version } of orders)
        if (at.returned !== null)
          add(orderId, { id: `${id} ${orderId}`, ...within(call), what: { kind: 'read', version } });
      const orderId = orderIdOf(call);
      if (orderId !== undefined) for (const operation of looksOf(call, write)) add(orderId, operation);
    }
  }
  return histories;
}

function orderIdOf({ order, subject }: CallRecord): string | undefined {
  return order?.id ?? subject?.match(/^order:(.+)$/)?.[1];
}

/** Returns the one write that calls with the same key make together. */
function writeOf(calls: readonly CallRecord[]): Operation<OrderStep> | undefined {
  const effect = WRITES.has(calls[0]!.op) ? effectOf(calls) : undefined;
  if (!effect) return undefined;
  const { call, ...when } = effect;
  const { op, args } = call;
  const condition = args.ifVersion !== undefined && { ifVersion: args.ifVersion };
  const fulfills = op === 'order.fulfill' && { fulfills: unitsOf(args.items ?? []) };
  return { id: call.id, ...when, what: { kind: 'write', ...condition, ...fulfills } };
}

/** Returns what a call has shown. @param write what it and others with its key have done, before any of them was answered */
function looksOf(call: CallRecord, write: Operation<OrderStep> | undefined): Operation<OrderStep>[] {
  const { id, order, args, at } = call;
  if (at.returned === null) return [];
  if (showsNothing(call)) return [{ id, ...within(call), what: { kind: 'read', version: NOTHING } }];
  const looks: Operation<OrderStep>[] = [];
  if (call.status === 412 && args.ifVersion !== undefined)
    looks.push({ id: `${id} stale`, ...at, what: { kind: 'stale', ifVersion: args.ifVersion } });
  if (order && isOnlyAccepted(call)) looks.push({ id: `${id} answer`, ...at, what: { kind: 'accept' } });
  else if (order) {
    const what = { kind: 'read', version: order.version, ...fulfilledOf(order) } as const;
    looks.push({ id: `${id} answer`, ...within(call), ...(write && { after: write.id }), what });
  }
  return looks;
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
