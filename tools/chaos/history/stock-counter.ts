import type { CallRecord, StockSeen } from '../log';
import { byKey, effectOf, isOnlyAccepted, within } from './answers';
import { aheadBy } from './clock';
import type { Operation, SequentialModel } from './linearizable';

/** What happens to the stock of a product, and what clients see of it. */
export type StockStep =
  | Move
  | ({ kind: 'read' } & StockSeen)
  /** Fewer than that many were available. */
  | { kind: 'sold out'; units: number };

/** Units move, if there are as many. @property leaves what there was right after it, if that is known */
type Move = { kind: 'move'; leaves?: StockSeen } & StockSeen;

/** The stock of a product: counters that move together, none of them below 0. */
export function stockCounter(initial: StockSeen): SequentialModel<StockSeen, StockStep> {
  return {
    initial,

    step(state, what) {
      if (what.kind === 'sold out') return state.available < what.units ? state : undefined;
      if (what.kind === 'read') {
        return isSame(state, what) ? state : undefined;
      }
      const next = {
        available: state.available + what.available,
        reserved: state.reserved + what.reserved,
        held: state.held + what.held,
      };
      if (Math.min(next.available, next.reserved, next.held) < 0) return undefined;
      return !what.leaves || isSame(next, what.leaves) ? next : undefined;
    },

    keyOf: ({ available, reserved, held }) => `${available} ${reserved} ${held}`,
    commutes: true,
  };
}

function isSame(some: StockSeen, others: StockSeen): boolean {
  return (
    some.available === others.available && some.reserved === others.reserved && some.held === others.held
  );
}

/** What a version of an order moves in stock, beside the version before it. */
export interface OrderMove {
  orderId: string;
  version: number;
  available: number;
  reserved: number;
  /** When it was written, in milliseconds by the clock of who wrote it. */
  at?: number;
}

export interface StockWitness {
  /** Before the first call. */
  initial: StockSeen;
  /** By how many units each adjustment has changed what is available, if it is known. */
  adjusted?: readonly number[];
  /** What orders have moved, as MongoDB tells; none of them moves it otherwise. */
  moves: readonly OrderMove[];
}

/**
 * Returns the history of the stock of each product that the witness knows.
 *
 * What an order moves is known by its versions; when, by the calls: no earlier than the call that placed it, not before
 * the last time that anyone was answered with an earlier version, and before anyone was answered with that one. The moment
 * that the order names itself is only where to look first.
 */
export function stockHistories(
  log: readonly CallRecord[],
  witness: ReadonlyMap<string, StockWitness>,
): Map<string, Operation<StockStep>[]> {
  const seen = sightingsOf(log);
  const soldOut = soldOutIn(log);
  const ahead = aheadBy(
    [...witness.values()].flatMap(({ moves }) =>
      moves.flatMap(({ orderId, version, at }) =>
        at === undefined ? [] : [{ noted: at, ...whenOf(version, seen.get(orderId) ?? []) }],
      ),
    ),
  );
  return new Map(
    [...witness].map(([productId, { moves, adjusted }]) => [
      productId,
      [
        ...movesOf(moves, seen, ahead),
        ...withOutcomes(adjustmentsOf(log, productId), adjusted),
        ...log.flatMap((call) => lookOf(call, productId)),
        ...soldOut.flatMap((call) => soldOutOf(call, productId)),
      ],
    ]),
  );
}

/**
 * Tells of adjustments whose outcome no client knows whether they were made, if the number of those that were made with as
 * many units proves it.
 */
function withOutcomes(
  adjustments: readonly Operation<Move>[],
  adjusted: readonly number[] | undefined,
): Operation<Move>[] {
  if (!adjusted) return [...adjustments];
  return adjustments.flatMap((adjustment) => {
    if (adjustment.returned !== null) return adjustment;
    const units = adjustment.what.available;
    const alike = adjustments.filter(({ what }) => what.available === units);
    const answered = alike.filter(({ returned }) => returned !== null);
    const made = adjusted.filter((one) => one === units);
    if (made.length >= alike.length) return { ...adjustment, returned: Infinity };
    return made.length <= answered.length ? [] : adjustment;
  });
}

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
  /** When each key was used first. */
  const first = new Map<string, number>();
  for (const call of log) {
    const { op, key, subject, order, orders = [], at } = call;
    const { invoked: from, returned: to } = within(call);
    for (const { id, version } of orders) add(id, { version, from, to });
    if (order && !isOnlyAccepted(call)) add(order.id, { version: order.version, from, to });
    const placed = op === 'order.place' ? (order?.id ?? subject?.match(/^order:(.+)$/)?.[1]) : undefined;
    if (op === 'order.place' && key !== null && !first.has(key)) first.set(key, at.invoked);
    if (placed !== undefined) add(placed, { version: 0, from: first.get(key ?? '') ?? at.invoked, to: null });
  }
  return sightings;
}

/** Those of one order follow one another. */
function movesOf(
  moves: readonly OrderMove[],
  sightings: ReadonlyMap<string, Sighting[]>,
  ahead: number | undefined,
): Operation<StockStep>[] {
  const last = new Map<string, string>();
  return moves
    .toSorted((a, b) => a.version - b.version)
    .map(({ orderId, version, available, reserved, at }) => {
      const id = `${orderId} ${version}`;
      const after = last.get(orderId);
      last.set(orderId, id);
      const what = { kind: 'move', available, reserved, held: 0 } as const;
      return {
        id,
        ...whenOf(version, sightings.get(orderId) ?? []),
        ...(after !== undefined && { after }),
        ...(at !== undefined && ahead !== undefined && { about: at - ahead }),
        what,
      };
    });
}

/** Returns between which moments a version of an order was written. It was, whether anyone has seen it or not. */
function whenOf(version: number, sightings: readonly Sighting[]): { invoked: number; returned: number } {
  const asked = sightings.filter((one) => one.version < version).map(({ from }) => from);
  const answered = sightings.filter((one) => one.version >= version).flatMap(({ to }) => to ?? []);
  return { invoked: Math.max(0, ...asked), returned: Math.min(Infinity, ...answered) };
}

/** What calls with the same key have adjusted: each of them is answered with what that left. */
function adjustmentsOf(log: readonly CallRecord[], productId: string): Operation<Move>[] {
  const adjusting = log.filter(
    ({ op, subject }) => op === 'stock.adjust' && subject === `stock:${productId}`,
  );
  return byKey(adjusting).flatMap((calls) => {
    const effect = effectOf(calls);
    if (!effect) return [];
    const { call, ...when } = effect;
    const leaves = call.stock && { leaves: call.stock };
    const what = { kind: 'move', available: call.args.delta!, reserved: 0, held: 0, ...leaves } as const;
    return [{ id: call.id, ...when, what }];
  });
}

function lookOf(call: CallRecord, productId: string): Operation<StockStep>[] {
  const { id, op, stock, at } = call;
  if (op !== 'stock.read' || call.subject !== `stock:${productId}` || !stock || at.returned === null)
    return [];
  return [{ id: `${id} answer`, ...within(call), what: { kind: 'read', ...stock } }];
}

/** Which of several products was too few, the answer does not tell. */
function soldOutOf(call: CallRecord, productId: string): Operation<StockStep>[] {
  const wanted = wantedOf(call);
  const units = wanted.get(productId);
  if (wanted.size > 1 || units === undefined) return [];
  return [{ id: call.id, ...call.at, what: { kind: 'sold out', units } }];
}

/** Orders that were turned down as sold out, once for each key: a repeat gets the answer of the first. */
function soldOutIn(log: readonly CallRecord[]): CallRecord[] {
  return byKey(log.filter(({ op }) => op === 'order.place')).flatMap((calls) => {
    const refused = calls.filter(({ outcome, code }) => outcome === 'fail' && code === 'out_of_stock');
    if (refused.length === 0) return [];
    const invoked = Math.min(...calls.map(({ at }) => at.invoked));
    return [
      { ...refused[0]!, at: { invoked, returned: Math.min(...refused.map(({ at }) => at.returned!)) } },
    ];
  });
}

function wantedOf({ args: { items = [] } }: CallRecord): Map<string, number> {
  const wanted = new Map<string, number>();
  for (const { productId, quantity } of items) wanted.set(productId, (wanted.get(productId) ?? 0) + quantity);
  return wanted;
}

/** An order that was turned down though there was enough of each product all the time. */
export interface WronglySoldOut {
  call: string;
  /** What was wanted of each product, and how many were available at least. */
  products: { productId: string; wanted: number; atLeast: number }[];
}

/**
 * Finds orders of several products that were turned down as sold out though there was enough of each. Which product it was
 * is not known, so the fewest units that there may have been of each are counted: all that others may have taken by then, and
 * what they have certainly put in before.
 */
export function wronglySoldOut(
  log: readonly CallRecord[],
  witness: ReadonlyMap<string, StockWitness>,
): WronglySoldOut[] {
  const histories = stockHistories(log, witness);
  return soldOutIn(log).flatMap((call) => {
    const wanted = [...wantedOf(call)];
    if (wanted.length < 2 || !wanted.every(([productId]) => witness.has(productId))) return [];
    const products = wanted.map(([productId, units]) => {
      const { initial } = witness.get(productId)!;
      return { productId, wanted: units, atLeast: leastDuring(call, initial, histories.get(productId)!) };
    });
    return products.every(({ wanted: units, atLeast }) => atLeast >= units)
      ? [{ call: call.id, products }]
      : [];
  });
}

function leastDuring(
  { at }: CallRecord,
  { available }: StockSeen,
  history: readonly Operation<StockStep>[],
): number {
  return history.reduce((least, { invoked, returned, what }) => {
    if (what.kind !== 'move') return least;
    const isCounted =
      what.available < 0 ? invoked <= at.returned! : returned !== null && returned < at.invoked;
    return isCounted ? least + what.available : least;
  }, available);
}
