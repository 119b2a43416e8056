/** One effect on an object, or one look at it, somewhere between two moments. */
export interface Operation<O> {
  /** Unique in the history. */
  id: string;
  /** By one clock for all. */
  invoked: number;
  /**
   * Null if it may take effect at any later time, or never: its outcome is unknown. Infinity if it is certain that it has
   * taken effect, and nobody knows by when.
   */
  returned: number | null;
  /** The operation that has to be done before it. */
  after?: string;
  /** About when it took effect, as was noted: where to look first, which proves nothing. */
  about?: number;
  what: O;
}

/** What an object does, one operation after the other. */
export interface SequentialModel<S, O> {
  initial: S;
  /** Returns the next state, the same one if nothing is changed, or undefined if the operation is impossible in this one. */
  step(state: S, what: O): S | undefined;
  /** Returns a text that is the same for equal states only. */
  keyOf(state: S): string;
  /** Whether the state follows from what was done alone, in whatever order. */
  commutes?: boolean;
}

export type Verdict<O> =
  | { isLinearizable: true; tried: number }
  /** `stuck`: the operation before which the search came to its end each time. */
  | { isLinearizable: false; stuck: Operation<O>; done: number; tried: number }
  /** There were more possibilities than could be tried; null: than the memory has room for. */
  | { isLinearizable: undefined; tried: number | null };

/** How many steps are tried, which takes some seconds, and a few hundred megabytes. */
const MOST_STEPS = 2_000_000;
/** How far from the time that was noted for it an operation is tried at first, in milliseconds. */
const NEAR = [10, 40, 160, 640, 2_560, 10_240, Infinity];
/** The part of the steps that are left which each of the first attempts may take. */
const SHARE = 0.1;

/**
 * Tells whether a history of concurrent operations on one object could have been made by doing them one after the other,
 * each at one moment between its invocation and its return (Herlihy and Wing 1990).
 *
 * The search is that of Wing and Gong (Testing and Verifying Concurrent Objects, 1993): take any operation that no other
 * one has to precede, do it, continue with the rest, and go back if that leads nowhere; with Lowe's memory (Testing for
 * Linearizability, 2017) of the sets of operations and states that led nowhere before, as Knossos and Porcupine have it.
 * Linearizability is local, so a history of many objects is checked one object at a time.
 *
 * Deciding it is NP-complete (Gibbons and Korach, Testing Shared Memories, 1997): a few dozen open operations have too many
 * orders. So the likely ones are tried first: those with each operation near the moment that was noted for it, and those of
 * unknown outcome done only where something is impossible without them. What is found so is an order of the whole history;
 * nothing is rejected before all orders were tried.
 */
export function checkLinearizable<S, O>(
  model: SequentialModel<S, O>,
  history: readonly Operation<O>[],
  mostSteps = MOST_STEPS,
): Verdict<O> {
  const isNoted = history.some(({ about }) => about !== undefined);
  const isOpen = history.some(({ returned }) => returned === null);
  let tried = 0;
  for (const near of isNoted ? NEAR : isOpen ? [Infinity] : []) {
    const likely = history.map((one) => narrowed(one, near));
    const mostNow = Math.ceil((mostSteps - tried) * SHARE);
    const verdict = search(model, likely, { mostSteps: mostNow, isSparing: true });
    tried += verdict.tried;
    if (verdict.isLinearizable) return { isLinearizable: true, tried };
  }
  const verdict = search(model, history, { mostSteps: mostSteps - tried });
  return { ...verdict, tried: tried + verdict.tried };
}

/** Returns the operation with the part of its interval that is near the moment that was noted for it. */
function narrowed<O>(operation: Operation<O>, near: number): Operation<O> {
  const { invoked, about } = operation;
  if (about === undefined) return operation;
  const returned = returnOf(operation);
  const middle = Math.min(Math.max(about, invoked), returned);
  return {
    ...operation,
    invoked: Math.max(invoked, middle - near),
    returned: Math.min(returned, middle + near),
  };
}

function search<S, O>(
  { initial, step, keyOf, commutes = false }: SequentialModel<S, O>,
  history: readonly Operation<O>[],
  { mostSteps, isSparing = false }: { mostSteps: number; isSparing?: boolean },
): Verdict<O> & { tried: number } {
  const operations = history.toSorted((a, b) => a.invoked - b.invoked);
  const done = createDone(operations);
  const isEnd = commutes ? quietMoments(operations) : [];
  const deadEnds = new Set<string>();
  const path: Step<S>[] = [];
  let state = initial;
  let instead: ReadonlySet<number> | undefined;
  let furthest: { done: number; stuck: Operation<O> } | undefined;
  let tried = 0;
  let choices = choicesNow();
  while (done.left() > 0) {
    const choice = choices.pop();
    if (choice) {
      if (++tried > mostSteps) return { isLinearizable: undefined, tried };
      done.add(choice.n);
      const key = `${done.hash()} ${keyOf(choice.state)}`;
      if (deadEnds.has(key)) {
        done.remove(choice.n);
        continue;
      }
      deadEnds.add(key); // it is one unless the search ends from here
      path.push({ n: choice.n, state, choices, instead });
      ({ state, instead } = choice);
      if (isEnd[done.count()]) {
        // Whatever else was done before would have led here as well.
        path.length = 0;
        deadEnds.clear();
      }
      choices = choicesNow();
      continue;
    }
    if (done.count() > (furthest?.done ?? -1))
      furthest = { done: done.count(), stuck: operations[done.mostUrgent()]! };
    const last = path.pop();
    if (!last) return { isLinearizable: false, ...furthest!, tried };
    done.remove(last.n);
    ({ state, choices, instead } = last);
  }
  return { isLinearizable: true, tried };

  /**
   * Returns what can be done next, that which returns first at the end. An operation that leaves the state as it is, is
   * done as soon as it can be: later would never be better.
   */
  function choicesNow(): Choice<S>[] {
    const possible: Choice<S>[] = [];
    for (const n of done.next()) {
      const next = step(state, operations[n]!.what);
      if (next === undefined) continue;
      if (next === state) return [{ n, state }];
      possible.push({ n, state: next });
    }
    possible.sort((a, b) => urgencyOf(operations[b.n]!) - urgencyOf(operations[a.n]!));
    return isSparing ? sparing(possible) : possible;
  }

  /** Leaves out operations of unknown outcome, unless the next one is possible only after them. */
  function sparing(possible: readonly Choice<S>[]): Choice<S>[] {
    if (instead) return possible.filter(({ n }) => isRequired(n) && !instead?.has(n));
    const others = new Set(possible.map(({ n }) => n));
    return possible.map((choice) => (isRequired(choice.n) ? choice : { ...choice, instead: others }));
  }

  function isRequired(n: number): boolean {
    return operations[n]!.returned !== null;
  }
}

interface Choice<S> {
  n: number;
  /** After it. */
  state: S;
  /** What could have been done in place of it, if it need not be done: the next one is none of these. */
  instead?: ReadonlySet<number>;
}

interface Step<S> {
  n: number;
  /** Before it, as what follows. */
  state: S;
  instead: ReadonlySet<number> | undefined;
  /** What else could have been done instead. */
  choices: Choice<S>[];
}

function returnOf({ returned }: Pick<Operation<unknown>, 'returned'>): number {
  return returned ?? Infinity;
}

function urgencyOf(operation: Operation<unknown>): number {
  return Math.min(returnOf(operation), operation.about ?? Infinity, Number.MAX_VALUE);
}

/**
 * Returns, by a number of operations, whether these are all done before any other is invoked: after them, there is but one
 * set of operations that can be done.
 */
function quietMoments(operations: readonly Operation<unknown>[]): boolean[] {
  let end = -Infinity;
  return operations.map((operation) => {
    const isQuiet = end < operation.invoked;
    end = Math.max(end, returnOf(operation)); // without end, if it may be done or not
    return isQuiet;
  });
}

/** Which operations are done. @param operations in the order in which they were invoked */
function createDone(operations: readonly Operation<unknown>[]) {
  const numbers = new Map(operations.map(({ id }, n) => [id, n]));
  const before = operations.map(({ after }) => (after === undefined ? undefined : numbers.get(after)));
  const optional = operations.flatMap(({ returned }, n) => (returned === null ? [n] : []));
  const isDone = new Array<boolean>(operations.length).fill(false);
  const random = operations.map((_, n) => [mixed(2 * n + 1), mixed(2 * n + 2)] as const);
  const replaceable = createReplaceable(operations);
  let hash: [number, number] = [0, 0];
  let left = operations.length - optional.length;
  let count = 0;
  let low = 0;

  function flip(n: number, by: -1 | 1): void {
    isDone[n] = by === 1;
    count += by;
    if (operations[n]!.returned !== null) left -= by;
    hash = [hash[0] ^ random[n]![0], hash[1] ^ random[n]![1]];
  }

  /** Returns those with a known outcome that none of the others has to precede. */
  function required(): number[] {
    while (low < operations.length && (isDone[low] || operations[low]!.returned === null)) low++;
    const found: number[] = [];
    let end = Infinity;
    for (let n = low; n < operations.length && operations[n]!.invoked <= end; n++) {
      if (isDone[n] || operations[n]!.returned === null) continue;
      found.push(n);
      end = Math.min(end, operations[n]!.returned!);
    }
    return found;
  }

  return {
    add: (n: number) => flip(n, 1),
    remove(n: number): void {
      flip(n, -1);
      low = Math.min(low, n);
    },
    /** How many with a known outcome are left. */
    left: () => left,
    count: () => count,
    /** The same for the same set. */
    hash: () => `${hash[0]},${hash[1]}`,
    /** Returns those that can come next, without those that may as well come later. */
    next(): number[] {
      const open = required();
      const end = Math.min(...open.map((n) => operations[n]!.returned!));
      const possible = [...open, ...optional.filter((n) => !isDone[n])].filter(
        (n) => operations[n]!.invoked <= end && (before[n] === undefined || isDone[before[n]]),
      );
      return replaceable.without(possible);
    },
    /** Returns the one that has to be done first. */
    mostUrgent: () =>
      required().reduce((a, b) => (returnOf(operations[b]!) < returnOf(operations[a]!) ? b : a)),
  };
}

/**
 * Of operations that do the same, the one that has to be done first may as well be done first: in an order that has another
 * one of them first, the two can change places. What follows the other one must not have been done until then.
 */
function createReplaceable(operations: readonly Operation<unknown>[]) {
  const kinds = new Map<string, number>();
  const kindOf = operations.map(({ what }) => {
    const text = JSON.stringify(what);
    if (!kinds.has(text)) kinds.set(text, kinds.size);
    return kinds.get(text)!;
  });
  /** When the first of those is invoked that follow it. */
  const followed = new Map<string, number>();
  for (const { after, invoked } of operations)
    if (after !== undefined) followed.set(after, Math.min(followed.get(after) ?? Infinity, invoked));
  const isFreeUntil = (n: number, end: number): boolean => {
    const next = followed.get(operations[n]!.id);
    return next === undefined || next > end;
  };

  /** An operation that may be done or not is never put in place of one that must be. */
  const isBefore = (a: number, b: number): boolean => {
    const [one, other] = [operations[a]!, operations[b]!];
    if (returnOf(one) !== returnOf(other)) return returnOf(one) < returnOf(other);
    if ((one.returned === null) !== (other.returned === null)) return other.returned === null;
    return a < b;
  };

  return {
    without(open: readonly number[]): number[] {
      const first = new Map<number, number>();
      for (const n of open) {
        const known = first.get(kindOf[n]!);
        if (known === undefined || isBefore(n, known)) first.set(kindOf[n]!, n);
      }
      return open.filter((n) => {
        const other = first.get(kindOf[n]!)!;
        return other === n || !isFreeUntil(n, returnOf(operations[other]!));
      });
    },
  };
}

/** Spreads a number over 32 bits, differently enough that sets of numbers are told apart by the XOR of two of these. */
function mixed(seed: number): number {
  let x = Math.imul(seed, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
