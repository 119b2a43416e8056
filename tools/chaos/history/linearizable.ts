/** One effect on an object, or one look at it, somewhere between two moments. */
export interface Operation<O> {
  /** Unique in the history. */
  id: string;
  /** By one clock for all. */
  invoked: number;
  /** Null if it may take effect at any later time, or never: its outcome is unknown. */
  returned: number | null;
  /** The operation that has to be done before it. */
  after?: string;
  what: O;
}

/** What an object does, one operation after the other. */
export interface SequentialModel<S, O> {
  initial: S;
  /** Returns the next state, the same one if nothing is changed, or undefined if the operation is impossible in this one. */
  step(state: S, what: O): S | undefined;
  /** Returns a text that is the same for equal states only. */
  keyOf(state: S): string;
}

export type Verdict<O> =
  | { isLinearizable: true }
  /** `stuck`: the operation before which the search came to its end each time. */
  | { isLinearizable: false; stuck: Operation<O>; done: number }
  /** There were more possibilities than could be tried. */
  | { isLinearizable: undefined; tried: number };

/** How many steps are tried, which takes a few seconds. */
const MOST_STEPS = 2_000_000;

/**
 * Tells whether a history of concurrent operations on one object could have been made by doing them one after the other,
 * each at one moment between its invocation and its return (Herlihy and Wing 1990).
 *
 * The search is that of Wing and Gong (Testing and Verifying Concurrent Objects, 1993): take any operation that no other
 * one has to precede, do it, continue with the rest, and go back if that leads nowhere; with Lowe's memory (Testing for
 * Linearizability, 2017) of the sets of operations and states that led nowhere before, as Knossos and Porcupine have it.
 * An operation that leaves the state as it is, is done as soon as it can be: later would never be better. Linearizability
 * is local, so a history of many objects is checked one object at a time.
 */
export function checkLinearizable<S, O>(
  { initial, step, keyOf }: SequentialModel<S, O>,
  history: readonly Operation<O>[],
  mostSteps = MOST_STEPS,
): Verdict<O> {
  const operations = history.toSorted((a, b) => a.invoked - b.invoked);
  const done = createDone(operations);
  const deadEnds = new Set<string>();
  const path: Step<S>[] = [];
  let state = initial;
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
      path.push({ n: choice.n, state, choices });
      state = choice.state;
      choices = choicesNow();
      continue;
    }
    if (path.length > (furthest?.done ?? -1))
      furthest = { done: path.length, stuck: operations[done.mostUrgent()]! };
    const last = path.pop();
    if (!last) return { isLinearizable: false, ...furthest! };
    done.remove(last.n);
    ({ state, choices } = last);
  }
  return { isLinearizable: true };

  /** Returns what can be done next, that which returns first at the end. */
  function choicesNow(): Choice<S>[] {
    const possible: Choice<S>[] = [];
    for (const n of done.next()) {
      const next = step(state, operations[n]!.what);
      if (next === undefined) continue;
      if (next === state) return [{ n, state }];
      possible.push({ n, state: next });
    }
    return possible.sort((a, b) => returnOf(operations[b.n]!) - returnOf(operations[a.n]!));
  }
}

interface Choice<S> {
  n: number;
  /** After it. */
  state: S;
}

interface Step<S> extends Choice<S> {
  /** What else could have been done instead. */
  choices: Choice<S>[];
}

function returnOf({ returned }: Pick<Operation<unknown>, 'returned'>): number {
  return returned ?? Infinity;
}

/** Which operations are done. @param operations in the order in which they were invoked */
function createDone(operations: readonly Operation<unknown>[]) {
  const numbers = new Map(operations.map(({ id }, n) => [id, n]));
  const before = operations.map(({ after }) => (after === undefined ? undefined : numbers.get(after)));
  const optional = operations.flatMap(({ returned }, n) => (returned === null ? [n] : []));
  const isDone = new Array<boolean>(operations.length).fill(false);
  const random = operations.map((_, n) => [mixed(2 * n + 1), mixed(2 * n + 2)] as const);
  let hash: [number, number] = [0, 0];
  let left = operations.length - optional.length;
  let low = 0;

  function flip(n: number, by: -1 | 1): void {
    isDone[n] = by === 1;
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
    /** The same for the same set. */
    hash: () => `${hash[0]},${hash[1]}`,
    /** Returns those that can come next. */
    next(): number[] {
      const open = required();
      const end = Math.min(...open.map((n) => operations[n]!.returned!));
      const unknown = optional.filter((n) => !isDone[n] && operations[n]!.invoked <= end);
      return [...open, ...unknown].filter((n) => before[n] === undefined || isDone[before[n]]);
    },
    /** Returns the one that has to be done first. */
    mostUrgent: () =>
      required().reduce((a, b) => (returnOf(operations[b]!) < returnOf(operations[a]!) ? b : a)),
  };
}

/** Spreads a number over 32 bits, differently enough that sets of numbers are told apart by the XOR of two of these. */
function mixed(seed: number): number {
  let x = Math.imul(seed, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
