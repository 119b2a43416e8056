import fc from 'fast-check';
import { checkHistory, wronglySoldOut } from '../../../tools/chaos/history';
import { checkHistoryInThread } from '../../../tools/chaos/history/in-thread';
import {
  checkLinearizable,
  type Operation,
  type SequentialModel,
} from '../../../tools/chaos/history/linearizable';
import { orderRegister, type OrderStep } from '../../../tools/chaos/history/order-register';
import { stockCounter, type StockStep } from '../../../tools/chaos/history/stock-counter';
import type { CallRecord, OrderSeen } from '../../../tools/chaos/log';

/** What a client asks for: the answer of a real object tells what it has seen. */
interface Wish {
  kind: 'read' | 'change' | 'conditional';
  /** How many units, or which of the versions that are about now. */
  units: number;
  /** How long after the wish before it is asked, and how long it takes to take effect, and to be answered. */
  pause: number;
  toEffect: number;
  toAnswer: number;
  /** How what becomes of it is known; of a lost one, it may be done or not. */
  fate: 'answered' | 'lost and done' | 'lost and not done';
}

const wish: fc.Arbitrary<Wish> = fc.record({
  kind: fc.constantFrom('read', 'change', 'conditional'),
  units: fc.integer({ min: 1, max: 3 }),
  pause: fc.nat({ max: 4 }),
  toEffect: fc.nat({ max: 9 }),
  toAnswer: fc.nat({ max: 9 }),
  fate: fc.oneof(
    { weight: 8, arbitrary: fc.constant('answered' as const) },
    { weight: 1, arbitrary: fc.constant('lost and done' as const) },
    { weight: 1, arbitrary: fc.constant('lost and not done' as const) },
  ),
});
const wishes = fc.array(wish, { minLength: 1, maxLength: 60, size: 'max' });

/** Answers a wish, when it takes effect. */
type Answer<O> = (wish: Wish) => O;

/** Has a correct object do what clients wish, each at one moment between asking and answering. */
function live<O>(some: readonly Wish[], answer: Answer<O>): Operation<O>[] {
  let now = 0;
  const asked = some.map((one, n) => {
    now += one.pause;
    // No two things happen at the same moment.
    const invoked = now + n / 1_000;
    const effect = invoked + one.toEffect + 0.0001;
    return { one, id: String(n), invoked, effect, returned: effect + one.toAnswer + 0.0001 };
  });
  return asked
    .toSorted((a, b) => a.effect - b.effect)
    .filter(({ one }) => one.fate !== 'lost and not done')
    .map(({ one, id, invoked, returned }) => ({
      id,
      invoked,
      returned: one.fate === 'answered' ? returned : null,
      what: answer(one),
    }));
}

/** Adds what was asked for and never done, of which nobody has heard. */
function withUndone<O>(history: Operation<O>[], undone: O): Operation<O>[] {
  return [...history, { id: 'undone', invoked: 0, returned: null, what: undone }];
}

function liveStock(some: readonly Wish[], initial = 20): Operation<StockStep>[] {
  const stock = { available: initial, reserved: 0, held: 0 };
  return live(some, ({ kind, units }): StockStep => {
    if (kind === 'read') return { kind: 'read', ...stock };
    if (kind === 'conditional' && stock.reserved >= units) return move(stock, units, -units);
    if (stock.available < units) return { kind: 'sold out', units };
    return move(stock, -units, units);
  });
}

function move(
  stock: { available: number; reserved: number },
  available: number,
  reserved: number,
): StockStep {
  stock.available += available;
  stock.reserved += reserved;
  return { kind: 'move', available, reserved, held: 0 };
}

function liveOrder(some: readonly Wish[]): Operation<OrderStep>[] {
  const order = { version: 1, sent: 0 };
  return live(some, ({ kind, units }): OrderStep => {
    if (units === 3) order.version++; // as when a payment is answered
    if (kind === 'read') return { kind: 'read', version: order.version, fulfilled: { ps: order.sent } };
    if (kind === 'change') {
      order.version++;
      order.sent += units;
      return { kind: 'write', fulfills: { ps: units } };
    }
    const ifVersion = units === 1 ? order.version : order.version - 1;
    if (ifVersion < order.version) return { kind: 'stale', ifVersion };
    order.version++;
    return { kind: 'write', ifVersion };
  });
}

const stockModel = stockCounter({ available: 20, reserved: 0, held: 0 });
const isLinearizable = <S, O>(model: SequentialModel<S, O>, history: Operation<O>[]) =>
  checkLinearizable(model, history).isLinearizable;

it('accepts all that clients see of a correct stock, and of a correct order', () => {
  fc.assert(
    fc.property(wishes, (some) => {
      const undone: StockStep = { kind: 'move', available: -3, reserved: 3, held: 0 };
      expect(isLinearizable(stockModel, withUndone(liveStock(some), undone))).toBe(true);
      const write: OrderStep = { kind: 'write', fulfills: { ps: 1 } };
      expect(isLinearizable(orderRegister, withUndone(liveOrder(some), write))).toBe(true);
    }),
  );
});

const END = 1_000_000;

/** A wrong object, and what its clients see when all is over. */
describe.each<[string, (history: Operation<StockStep>[]) => Operation<StockStep>[] | null]>([
  ['a stock loses a write', (history) => without(history, ({ what }) => what.kind === 'move')],
  ['a stock does something twice', (history) => twice(history, ({ what }) => what.kind === 'move')],
])('when %s', (_, spoil) => {
  it('rejects what clients see', () => {
    fc.assert(
      fc.property(wishes, (some) => {
        // Something of unknown outcome would explain it.
        const history = liveStock(some.map((one) => ({ ...one, fate: 'answered' as const })));
        const wrong = spoil(history);
        fc.pre(wrong !== null);
        expect(isLinearizable(stockModel, wrong)).toBe(false);
      }),
    );
  });
});

/** Returns the history with a last look at the stock, which says what the changes have left. */
function withEnd(history: Operation<StockStep>[], changes: Operation<StockStep>[]): Operation<StockStep>[] {
  const stock = { available: 20, reserved: 0, held: 0 };
  for (const { what } of changes) if (what.kind === 'move') move(stock, what.available, what.reserved);
  const last = { id: 'last', invoked: END, returned: END + 1, what: { kind: 'read', ...stock } as const };
  return [...history.filter(({ what }) => what.kind === 'move'), last];
}

function without(history: Operation<StockStep>[], isLost: (one: Operation<StockStep>) => boolean) {
  const lost = history.find(isLost);
  return lost
    ? withEnd(
        history,
        history.filter((one) => one !== lost),
      )
    : null;
}

function twice(history: Operation<StockStep>[], isRepeated: (one: Operation<StockStep>) => boolean) {
  const repeated = history.find(isRepeated);
  return repeated ? withEnd(history, [...history, repeated]) : null;
}

/** Tries each order of the operations, and each choice of those whose outcome is unknown. */
function isPossible<S, O>(
  { initial, step: stepOf }: SequentialModel<S, O>,
  history: readonly Operation<O>[],
): boolean {
  function tryFrom(state: S, left: readonly Operation<O>[]): boolean {
    if (left.every(({ returned }) => returned === null)) return true;
    return left.some((one) => {
      // Nothing that has returned before it began may still be to come.
      if (left.some(({ returned }) => returned !== null && returned < one.invoked)) return false;
      if (left.some(({ id }) => id === one.after)) return false;
      const next = stepOf(state, one.what);
      return (
        next !== undefined &&
        tryFrom(
          next,
          left.filter((other) => other !== one),
        )
      );
    });
  }
  return tryFrom(initial, history);
}

/** Wrong in what any one of the operations was, or said: or right by chance. */
const spoiling = fc.record({ which: fc.nat(), by: fc.constantFrom(-2, -1, 1, 2) });
const few = fc.array(wish, { minLength: 1, maxLength: 7, size: 'max' });

function spoilt<O extends object>(
  history: Operation<O>[],
  { which, by }: { which: number; by: number },
  change: (what: O, by: number) => O,
): Operation<O>[] {
  return history.map((one, n) =>
    n === which % history.length ? { ...one, what: change(one.what, by) } : one,
  );
}

const wrongOrder = (what: OrderStep, by: number): OrderStep => {
  if (what.kind === 'read') return { ...what, version: Math.max(0, what.version + by) };
  if (what.kind === 'stale') return { ...what, ifVersion: Math.max(0, what.ifVersion + by) };
  if (what.kind === 'write' && what.ifVersion !== undefined)
    return { ...what, ifVersion: Math.max(0, what.ifVersion + by) };
  return { kind: 'write', fulfills: { ps: 7 } };
};
const wrongStock = (what: StockStep, by: number): StockStep =>
  what.kind === 'sold out'
    ? { ...what, units: Math.max(1, what.units + by) }
    : { ...what, available: what.available + by };

describe('of a few operations, any one of which may be wrong, the checker says what trying all orders says', () => {
  const counts = { possible: 0, impossible: 0 };
  const check = <S, O>(model: SequentialModel<S, O>, history: Operation<O>[]): void => {
    const expected = isPossible(model, history);
    counts[expected ? 'possible' : 'impossible']++;
    expect(isLinearizable(model, history)).toBe(expected);
  };

  it('of an order', () => {
    fc.assert(
      fc.property(few, spoiling, (some, how) =>
        check(orderRegister, spoilt(liveOrder(some), how, wrongOrder)),
      ),
      { numRuns: 1_000 },
    );
  });

  it('of a stock', () => {
    const small = stockCounter({ available: 4, reserved: 0, held: 0 });
    fc.assert(
      fc.property(few, spoiling, (some, how) => check(small, spoilt(liveStock(some, 4), how, wrongStock))),
      { numRuns: 1_000 },
    );
  });

  it('of a stock, whatever is noted of when they took effect, and of which others they follow', () => {
    const small = stockCounter({ available: 4, reserved: 0, held: 0 });
    const note = fc.record({
      about: fc.option(fc.integer({ min: -10, max: 60 }), { nil: undefined }),
      follows: fc.option(fc.nat({ max: 6 }), { nil: undefined }),
      isCertain: fc.boolean(),
      earlier: fc.nat({ max: 20 }),
      later: fc.nat({ max: 20 }),
    });
    fc.assert(
      fc.property(few, spoiling, fc.array(note, { minLength: 7, maxLength: 7 }), (some, how, notes) => {
        const history = spoilt(liveStock(some, 4), how, wrongStock).map((one, n, all) => {
          const { about, follows, isCertain, earlier, later } = notes[n]!;
          const isFree = one.returned === null;
          return {
            ...one,
            invoked: one.invoked - earlier,
            returned: isFree ? (isCertain ? Infinity : null) : one.returned! + later,
            ...(about !== undefined && { about }),
            ...(follows !== undefined && follows < n && { after: all[follows]!.id }),
          };
        });
        check(small, history);
      }),
      { numRuns: 2_000 },
    );
  });

  afterAll(() => {
    expect(Math.min(counts.possible, counts.impossible)).toBeGreaterThan(200);
  });
});

describe('when an order in a long history', () => {
  const answered = (some: readonly Wish[]) => liveOrder(some.map((one) => ({ ...one, fate: 'answered' })));

  /** Returns the reads that began after another look at the order, or a write, had ended. */
  const laterReads = (history: readonly Operation<OrderStep>[], of: OrderStep['kind']) =>
    history.filter(
      (one) =>
        one.what.kind === 'read' &&
        history.some(({ what, returned }) => what.kind === of && returned! < one.invoked),
    );

  it('is shown as it was before an earlier look, in the middle of the history, that is rejected', () => {
    fc.assert(
      fc.property(wishes, fc.nat(), (some, which) => {
        const history = answered(some);
        const reads = laterReads(history, 'read');
        fc.pre(reads.length > 0);
        const read = reads[which % reads.length]!;
        const before = history
          .filter(({ what, returned }) => what.kind === 'read' && returned! < read.invoked)
          .map(({ what }) => (what as { version: number }).version);
        const what = { kind: 'read', version: Math.max(...before) - 1 } as const;
        const wrong = history.map((one) => (one === read ? { ...one, what } : one));
        expect(isLinearizable(orderRegister, wrong)).toBe(false);
      }),
    );
  });

  it('is shown without units that were fulfilled before, or with more, that is rejected', () => {
    fc.assert(
      fc.property(wishes, fc.nat(), fc.boolean(), (some, which, isMore) => {
        const history = answered(some);
        const reads = laterReads(history, 'write');
        fc.pre(reads.length > 0);
        const read = reads[which % reads.length]!;
        const fulfilled = { ps: isMore ? 1_000 : -1 };
        const wrong = history.map((one) =>
          one === read
            ? { ...one, what: { ...(one.what as { kind: 'read'; version: number }), fulfilled } }
            : one,
        );
        expect(isLinearizable(orderRegister, wrong)).toBe(false);
      }),
    );
  });
});

const step = (id: string, invoked: number, returned: number | null, what: OrderStep) => ({
  id,
  invoked,
  returned,
  what,
});

it.each<[string, boolean, Operation<OrderStep>[]]>([
  [
    'two writes on the same version are both answered as done',
    false,
    [step('a', 0, 5, { kind: 'write', ifVersion: 2 }), step('b', 1, 6, { kind: 'write', ifVersion: 2 })],
  ],
  [
    'one of two writes on the same version is turned down',
    true,
    [step('a', 0, 5, { kind: 'write', ifVersion: 2 }), step('b', 1, 6, { kind: 'stale', ifVersion: 2 })],
  ],
  [
    'a read shows a version before that of an earlier read',
    false,
    [step('a', 0, 1, { kind: 'read', version: 3 }), step('b', 2, 3, { kind: 'read', version: 2 })],
  ],
  [
    'concurrent reads show two versions',
    true,
    [step('a', 0, 3, { kind: 'read', version: 3 }), step('b', 2, 4, { kind: 'read', version: 2 })],
  ],
  [
    'what was fulfilled is not there any more',
    false,
    [
      step('a', 0, 1, { kind: 'write', fulfills: { ps: 2 } }),
      step('b', 2, 3, { kind: 'read', version: 9, fulfilled: {} }),
    ],
  ],
  [
    'what was asked for without an answer happens late',
    true,
    [
      step('a', 0, null, { kind: 'write', fulfills: { ps: 2 } }),
      step('b', 2, 3, { kind: 'read', version: 1, fulfilled: {} }),
      step('c', 4, 5, { kind: 'read', version: 2, fulfilled: { ps: 2 } }),
    ],
  ],
  [
    'what was asked for without an answer happens twice',
    false,
    [
      step('a', 0, null, { kind: 'write', fulfills: { ps: 2 } }),
      step('b', 2, 3, { kind: 'read', version: 3, fulfilled: { ps: 4 } }),
    ],
  ],
])('when %s: %s', (_, expected, history) => {
  expect(isLinearizable(orderRegister, history)).toBe(expected);
});

describe('of thousands of calls', () => {
  const MOST_STEPS = 100_000;
  const many: fc.Arbitrary<Wish[]> = fc.array(
    wish.map((one) => ({ ...one, pause: 4, fate: 'answered' as const })),
    { minLength: 2_000, maxLength: 2_000 },
  );
  const [some] = fc.sample(many, { numRuns: 1, seed: 7 }) as [Wish[]];
  const model = stockCounter({ available: 2_000, reserved: 0, held: 0 });
  const isMove = ({ what }: Operation<StockStep>): boolean => what.kind === 'move';
  const verdictOf = (history: Operation<StockStep>[]) =>
    checkLinearizable(model, history, MOST_STEPS).isLinearizable;

  /** It was noted about when each was done. */
  const noted = (history: Operation<StockStep>[]): Operation<StockStep>[] =>
    history.map((one, n) => (isMove(one) ? { ...one, about: one.invoked + (n % 7) } : one));
  /** Each is seen by others long before or after, so that hundreds are open at a time. */
  const wide = (history: Operation<StockStep>[]): Operation<StockStep>[] =>
    history.map((one, n) =>
      isMove(one)
        ? {
            ...one,
            invoked: one.invoked - (n % 11) * 100,
            returned: n % 13 === 0 ? Infinity : one.returned! + (n % 17) * 100,
          }
        : one,
    );
  /** One of fifty has no answer, and each other one of these was done. */
  const withUnknown = (history: Operation<StockStep>[]): Operation<StockStep>[] =>
    history.flatMap((one, n) => {
      if (!isMove(one) || n % 50 > 0) return [one];
      const what: StockStep = { kind: 'move', available: -1, reserved: 1, held: 0 };
      const { id, invoked } = one;
      return [
        { id, invoked, returned: null, what: one.what },
        { id: `${id} never`, invoked, returned: null, what },
      ];
    });

  it('accepts those whose answers are prompt', () => {
    expect(verdictOf(liveStock(some, 2_000))).toBe(true);
  });

  it('accepts those of eight clients of which one of fifty has no answer', () => {
    expect(verdictOf(withUnknown(noted(liveStock(some, 2_000))))).toBe(true);
  });

  it('accepts those that others have seen long before or after, if it was noted about when they were done', () => {
    expect(verdictOf(wide(noted(liveStock(some, 2_000))))).toBe(true);
  });

  it('rejects a stale look in the middle, a lost change, and one made twice', () => {
    const history = liveStock(some, 2_000);
    const looks = history.filter(({ what }) => what.kind === 'read');
    const middle = looks[Math.floor(looks.length / 2)]!;
    const stale = looks[Math.floor(looks.length / 2) - 20]!;
    const change = history.find((one) => isMove(one) && one.invoked > middle.invoked)!;
    expect(verdictOf(history.map((one) => (one === middle ? { ...one, what: stale.what } : one)))).toBe(
      false,
    );
    expect(verdictOf(history.filter((one) => one !== change))).toBe(false);
    expect(verdictOf([...history, { ...change, id: 'again' }])).toBe(false);
  });
});

describe('the log of clients', () => {
  const seen = (version: number, fulfilled: number, id = 'ord_1'): OrderSeen => ({
    id,
    version,
    status: 'confirmed',
    paymentStatus: 'authorized',
    fulfillmentStatus: 'unfulfilled',
    total: 100,
    cancelled: 0,
    captured: 0,
    refunded: 0,
    items: [{ productId: 'ps_1', quantity: 3, fulfilled, cancelled: 0, refunded: 0 }],
    rejection: null,
  });

  function call(
    id: string,
    [invoked, returned]: [number, number | null],
    fields: Partial<CallRecord>,
  ): CallRecord {
    return {
      id,
      client: 'client-1',
      op: 'order.read',
      subject: 'order:ord_1',
      key: null,
      args: {},
      at: { invoked, returned },
      process: 'api-1',
      outcome: returned === null ? 'unknown' : 'ok',
      status: 200,
      attempts: [],
      ...fields,
    };
  }

  const items = [{ productId: 'ps_1', quantity: 2 }];
  const placed = call('1', [0, 5], { op: 'order.place', subject: null, args: { items }, order: seen(2, 0) });

  it('is accepted if each answer follows from the calls', () => {
    const log = [
      placed,
      call('2', [6, 9], { op: 'order.fulfill', args: { items }, order: seen(3, 2) }),
      call('3', [8, 10], { order: seen(2, 0) }),
      call('4', [11, 12], { order: seen(3, 2) }),
    ];
    expect(checkHistory(log)).toEqual([]);
  });

  it('is rejected if what was fulfilled is shown no more, and told by which answer', () => {
    const log = [
      placed,
      call('2', [6, 9], { op: 'order.fulfill', args: { items }, order: seen(3, 2) }),
      call('3', [11, 12], { order: seen(4, 0) }),
    ];
    const [anomaly] = checkHistory(log);
    expect(anomaly).toMatchObject({
      subject: 'ord_1',
      verdict: { isLinearizable: false, stuck: { id: '3 answer' } },
    });
  });

  it('is accepted if a repeated request was only told that the order, which exists already, is accepted', () => {
    const attempt = { process: 'api-1', code: undefined };
    const accepted = call('1', [0, 9], {
      op: 'order.place',
      subject: null,
      args: { items },
      status: 202,
      order: seen(0, 0),
      attempts: [
        { ...attempt, sent: 0, returned: 2, status: null },
        { ...attempt, sent: 5, returned: 9, status: 202 },
      ],
    });
    expect(checkHistory([accepted, look('2', [3, 4], stock(1, 2))], witness)).toEqual([]);
    expect(checkHistory([accepted, look('2', [-2, -1], stock(1, 2))], witness)).toHaveLength(1);
  });

  it.each<[string, boolean, CallRecord[]]>([
    [
      'calls with one key are one write, whichever of them is answered',
      true,
      [
        call('2', [6, 20], { op: 'order.fulfill', key: 'k', args: { items }, order: seen(3, 2) }),
        call('3', [7, 9], { op: 'order.fulfill', key: 'k', args: { items }, order: seen(3, 2) }),
        call('4', [30, 31], { order: seen(3, 2) }),
      ],
    ],
    [
      'calls with two keys are two writes',
      false,
      [
        call('2', [6, 20], { op: 'order.fulfill', key: 'k', args: { items }, order: seen(3, 2) }),
        call('3', [7, 9], { op: 'order.fulfill', key: 'l', args: { items }, order: seen(3, 2) }),
      ],
    ],
    [
      'an amendment is answered as done with the version that it was made on',
      false,
      [call('2', [6, 9], { op: 'order.amend', key: 'k', args: { items, ifVersion: 2 }, order: seen(2, 0) })],
    ],
  ])('when %s: %s', (_, expected, log) => {
    expect(checkHistory([placed, ...log]).length === 0).toBe(expected);
  });

  const stock = (available: number, reserved: number) => ({ available, reserved, held: 0 });
  const witness = new Map([
    ['ps_1', { initial: stock(3, 0), moves: [{ orderId: 'ord_1', version: 1, available: -2, reserved: 2 }] }],
  ]);
  const look = (id: string, at: [number, number], found: ReturnType<typeof stock>) =>
    call(id, at, { op: 'stock.read', subject: 'stock:ps_1', stock: found });

  it('takes an adjustment without an answer for made, or for not made, if the number of those that were made tells', () => {
    const lost = call('1', [0, null], { op: 'stock.adjust', subject: 'stock:ps_1', args: { delta: 4 } });
    const histories = (adjusted?: number[]) => {
      const known = new Map([['ps_1', { initial: stock(3, 0), moves: [], ...(adjusted && { adjusted }) }]]);
      return [look('2', [5, 6], stock(3, 0)), look('2', [5, 6], stock(7, 0))].map(
        (seen) => checkHistory([lost, seen], known).length === 0,
      );
    };
    expect(histories()).toEqual([true, true]);
    expect(histories([])).toEqual([true, false]);
    expect(histories([4])).toEqual([true, true]);
  });

  it('is judged the same in a thread of its own', async () => {
    const log = [placed, look('2', [6, 7], stock(3, 0)), call('3', [8, 9], { order: seen(1, 0) })];
    const found = await checkHistoryInThread({ log, witness, except: new Set() });
    expect(found).toEqual(checkHistory(log, witness));
    expect(found.map(({ subject }) => subject)).toEqual(['ord_1', 'ps_1']);
    expect(await checkHistoryInThread({ log, witness, except: new Set(['ord_1', 'ps_1']) })).toEqual([]);
  });

  it('takes what an adjustment answers for what it left, once for each key', () => {
    const adjust = (id: string, at: [number, number], available: number) =>
      call(id, at, {
        op: 'stock.adjust',
        subject: 'stock:ps_1',
        key: 'k',
        args: { delta: 5 },
        stock: stock(available, 2),
      });
    const log = [placed, adjust('2', [6, 7], 6), look('3', [8, 9], stock(6, 2)), adjust('4', [10, 11], 6)];
    expect(checkHistory(log, witness)).toEqual([]);
    expect(checkHistory([placed, adjust('2', [6, 7], 11)], witness)).toHaveLength(1);
  });

  it('finds an order of two products that was turned down though there was enough of both', () => {
    const both = new Map([...witness, ['ps_2', { initial: stock(5, 0), moves: [] }]]);
    const order = (first: number, second: number) =>
      call('2', [6, 7], {
        op: 'order.place',
        subject: null,
        key: 'k',
        outcome: 'fail',
        code: 'out_of_stock',
        args: {
          items: [
            { productId: 'ps_1', quantity: first },
            { productId: 'ps_2', quantity: second },
          ],
        },
      });
    expect(wronglySoldOut([placed, order(1, 5)], both)).toEqual([
      {
        call: '2',
        products: [
          { productId: 'ps_1', wanted: 1, atLeast: 1 },
          { productId: 'ps_2', wanted: 5, atLeast: 5 },
        ],
      },
    ]);
    expect(wronglySoldOut([placed, order(2, 5)], both)).toEqual([]);
    expect(wronglySoldOut([placed, order(1, 6)], both)).toEqual([]);
  });

  it.each<[string, boolean, CallRecord[]]>([
    [
      'is there before the order, and not after it',
      true,
      [look('2', [1, 2], stock(3, 0)), look('3', [3, 4], stock(1, 2))],
    ],
    ['is there after the order was answered', false, [look('2', [6, 7], stock(3, 0))]],
    ['comes back', false, [look('2', [1, 2], stock(1, 2)), look('3', [3, 4], stock(3, 0))]],
    ['was taken before anyone has ordered', false, [look('2', [-2, -1], stock(1, 2))]],
    [
      'is not enough for another order, which is turned down',
      true,
      [
        call('2', [6, 7], {
          op: 'order.place',
          subject: null,
          outcome: 'fail',
          code: 'out_of_stock',
          args: { items },
        }),
      ],
    ],
    [
      'was enough for another order, which is turned down all the same',
      false,
      [
        call('2', [-2, -1], {
          op: 'order.place',
          subject: null,
          outcome: 'fail',
          code: 'out_of_stock',
          args: { items },
        }),
      ],
    ],
  ])('when a stock %s: %s', (_, expected, looks) => {
    expect(checkHistory([placed, ...looks], witness).length === 0).toBe(expected);
  });
});
