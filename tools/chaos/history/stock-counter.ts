import type { CallRecord, StockSeen } from '../log';
import type { Operation, SequentialModel } from './linearizable';

/** What happens to the stock of a product, and what clients see of it. */
export type StockStep =
  /** Units move, if there are as many. */
  | ({ kind: 'move' } & StockSeen)
  | ({ kind: 'read' } & StockSeen)
  /** Fewer than that many were available. */
  | { kind: 'sold out'; units: number };

/** The stock of a product: counters that move together, none of them below 0. */
export function stockCounter(initial: StockSeen): SequentialModel<StockSeen, StockStep> {
  return {
    initial,

    step(state, what) {
      if (what.kind === 'sold out') return state.available < what.units ? state : undefined;
      if (what.kind === 'read') {
        const { available, reserved, held } = state;
        const isSo = what.available === available && what.reserved === reserved && what.held === held;
        return isSo ? state : undefined;
      }
      const next = {
        available: state.available + what.available,
        reserved: state.reserved + what.reserved,
        held: state.held + what.held,
      };
      return Math.min(next.available, next.reserved, next.held) < 0 ? undefined : next;
    },

    keyOf: ({ available, reserved, held }) => `${available} ${reserved} ${held}`,
  };
}

/** What a version of an order moves in stock, beside the version before it. */
export interface OrderMove {
  orderId: string;
  version: number;
  available: number;
  reserved: number;
}

export interface StockWitness {
  /** Before the first call. */
  initial: StockSeen;
  /** What orders have moved, as MongoDB tells; none of them moves it otherwise. */
  moves: readonly OrderMove[];
}

/**
 * Returns the history of the stock of each product that the witness knows.
 *
 * What an order moves is known by its versions; when, by the calls: no earlier than the call that placed it, not before
 * the last time that anyone was answered with an earlier version, and before anyone was answered with that one.
 */
export function stockHistories(
  log: readonly CallRecord[],
  witness: ReadonlyMap<string, StockWitness>,
): Map<string, Operation<StockStep>[]> {
  const seen = sightingsOf(log);
  return new Map(
    [...witness].map(([productId, { moves }]) => [
      productId,
      [...movesOf(moves, seen), ...log.flatMap((call) => callOf(call, productId))],
    ]),
  );
}

const PLACING: ReadonlySet<CallRecord['op']> = new Set(['order.place', 'cart.checkout']);

/** Who was answered with which version of an order, and when. */
interface Sighting {
  version: number;
  /** When it was asked for; for an order that was placed, when the call began. */
  from: number;
  to: number | null;
}

function sightingsOf(log: readonly CallRecord[]): Map<string, Sighting[]> {
  const sightings = new Map<string, Sighting[]>();
  const add = (orderId: string, sighting: Sighting) => {
    const known = sightings.get(orderId);
    if (known) known.push(sighting);
    else sightings.set(orderId, [sighting]);
  };
  for (const { op, subject, order, orders = [], at, attempts } of log) {
    const from = attempts.at(-1)?.sent ?? at.invoked;
    const to = at.returned;
    for (const { id, version } of orders) add(id, { version, from, to });
    // That an order is accepted is no sight of it: without MongoDB the API says so of one that is there already.
    const isOnlyAccepted = order?.version === 0 && PLACING.has(op);
    if (order && !isOnlyAccepted) add(order.id, { version: order.version, from, to });
    const placed = op === 'order.place' ? (order?.id ?? subject?.match(/^order:(.+)$/)?.[1]) : undefined;
    if (placed !== undefined) add(placed, { version: 0, from: at.invoked, to: null });
  }
  return sightings;
}

/** Those of one order follow one another. */
function movesOf(
  moves: readonly OrderMove[],
  sightings: ReadonlyMap<string, Sighting[]>,
): Operation<StockStep>[] {
  const last = new Map<string, string>();
  return moves
    .toSorted((a, b) => a.version - b.version)
    .map(({ orderId, version, available, reserved }) => {
      const id = `${orderId} ${version}`;
      const after = last.get(orderId);
      last.set(orderId, id);
      const what = { kind: 'move', available, reserved, held: 0 } as const;
      return {
        id,
        ...whenOf(version, sightings.get(orderId) ?? []),
        ...(after !== undefined && { after }),
        what,
      };
    });
}

/** Returns between which moments a version of an order was written. */
function whenOf(
  version: number,
  sightings: readonly Sighting[],
): Pick<Operation<unknown>, 'invoked' | 'returned'> {
  const asked = sightings.filter((one) => one.version < version).map(({ from }) => from);
  const answered = sightings.filter((one) => one.version >= version).flatMap(({ to }) => to ?? []);
  return { invoked: Math.max(0, ...asked), returned: answered.length > 0 ? Math.min(...answered) : null };
}

function callOf(call: CallRecord, productId: string): Operation<StockStep>[] {
  const { id, op, at, args, outcome, stock, attempts } = call;
  const { invoked, returned } = at;
  const last = { invoked: attempts.at(-1)?.sent ?? invoked, returned };
  if (op === 'order.place') return soldOutOf(call, productId);
  if (call.subject !== `stock:${productId}`) return [];
  const done: Operation<StockStep>[] = [];
  if (op === 'stock.adjust' && outcome !== 'fail') {
    const what = { kind: 'move', available: args.delta!, reserved: 0, held: 0 } as const;
    done.push({ id, invoked, returned: outcome === 'unknown' ? null : returned, what });
  }
  if (stock && returned !== null) {
    const after = done.length > 0 && { after: id };
    done.push({ id: `${id} answer`, ...last, ...after, what: { kind: 'read', ...stock } });
  }
  return done;
}

/** An order of several products may have been turned down because of any of them. */
function soldOutOf({ id, at, args, outcome, code }: CallRecord, productId: string): Operation<StockStep>[] {
  const lines = args.items ?? [];
  const isOnly = lines.length > 0 && lines.every((line) => line.productId === productId);
  if (outcome !== 'fail' || code !== 'out_of_stock' || !isOnly) return [];
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  return [{ id, ...at, what: { kind: 'sold out', units } }];
}
