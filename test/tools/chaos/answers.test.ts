import { auditCalls } from '../../../tools/chaos/audit/calls';
import type { Snapshot, StoredOrder } from '../../../tools/chaos/audit/documents';
import { commandIdsOf } from '../../../tools/chaos/audit/effects';
import { visibleOf } from '../../../tools/chaos/audit/events';
import { createFindings } from '../../../tools/chaos/audit/finding';
import type { LoggedOrder } from '../../../tools/chaos/audit/logged';
import { auditOrder } from '../../../tools/chaos/audit/orders';
import { checkHistory } from '../../../tools/chaos/history';
import { withoutForgotten } from '../../../tools/chaos/scenarios/operator';
import type { CallRecord, OrderSeen } from '../../../tools/chaos/log';

/** What clients asked for and were answered, of one order whose every version is known. */

const ID = 'ord_1';
const nothing: Snapshot = { find: () => ({ toArray: () => Promise.resolve([]) }) as never };

const item = (fields: Partial<StoredOrder['items'][number]> = {}): StoredOrder['items'][number] => ({
  productServiceId: 'ps_1',
  kind: 'product',
  quantity: 3,
  unitPrice: 100,
  subtotal: 300,
  tax: 0,
  total: 300,
  fulfilledQuantity: 0,
  ...fields,
});

function orderOf(fields: Partial<StoredOrder> = {}): StoredOrder {
  return {
    _id: ID,
    customerId: 'usr_1',
    status: 'confirmed',
    paymentStatus: 'authorized',
    fulfillmentStatus: 'unfulfilled',
    items: [item()],
    subtotal: 300,
    tax: 0,
    total: 300,
    payment: { key: 'ord_1-1', amount: 300, captures: 'many' },
    captured: 0,
    refunded: 0,
    fulfillments: [],
    refunds: [],
    compensations: [],
    reservation: 'held',
    rejection: null,
    statusHistory: [],
    version: 1,
    revision: 1,
    createdAt: new Date(1_000),
    ...fields,
  };
}

let clock = 0;
beforeEach(() => {
  clock = 0;
});

const seenOf = (order: StoredOrder): OrderSeen => {
  const { history: _history, ...seen } = visibleOf(order);
  return { id: order._id, rejection: null, ...seen };
};

function call(op: CallRecord['op'], fields: Partial<CallRecord> = {}): CallRecord {
  const [invoked, returned] = [clock++, clock++];
  return {
    id: `call-${invoked}`,
    client: 'customer-1',
    op,
    subject: `order:${ID}`,
    key: op === 'order.read' || op === 'order.list' ? null : `key-${invoked}`,
    args: {},
    at: { invoked, returned },
    process: 'api-1',
    outcome: 'ok',
    status: 200,
    attempts: [],
    ...fields,
  };
}

const LINES = [{ productId: 'ps_1', quantity: 3 }];
const place = (order: StoredOrder, fields: Partial<CallRecord> = {}): CallRecord =>
  call('order.place', { args: { items: LINES }, status: 201, order: seenOf(order), ...fields });
const refused = { outcome: 'fail', status: 409, code: 'invalid_transition' } as const;

/** @param versions the order as it was in each of its versions */
async function kindsFound(log: readonly CallRecord[], ...versions: StoredOrder[]): Promise<string[]> {
  const findings = createFindings();
  const order = versions.at(-1)!;
  const logged: LoggedOrder = {
    order,
    versions: new Map(versions.map((one) => [one.version, visibleOf(one)])),
    answers: order.commands ?? [],
  };
  const placed = new Map([[ID, { isRejected: false, cartId: order.cart?.id }]]);
  await auditCalls(nothing, { log, orders: new Map([[ID, logged]]), placed }, findings);
  return [...new Set(findings.all.map(({ kind }) => kind))].sort();
}

/** How the order has answered the call. */
const answerTo = (one: CallRecord, version: number, error: { type: string } | null = null) => ({
  id: commandIdsOf(one, ID)[0]!,
  version,
  revision: version,
  error,
});

describe('a read of an order that is not there', () => {
  it.each<[string, string[], (order: StoredOrder) => CallRecord[]]>([
    [
      'after it was accepted',
      ['not_shown'],
      (order) => [
        place(order, { status: 202, order: { ...seenOf(order), version: 0 } }),
        call('order.read', { outcome: 'fail', status: 404 }),
      ],
    ],
    [
      'after another one has shown it',
      ['not_shown'],
      (order) => [
        call('order.read', { order: seenOf(order) }),
        call('order.read', { outcome: 'fail', status: 401 }),
        place(order),
      ],
    ],
    [
      'before anyone was told of it',
      [],
      (order) => [call('order.read', { outcome: 'fail', status: 404 }), place(order)],
    ],
    [
      'while nobody responds',
      [],
      (order) => [place(order), call('order.read', { outcome: 'fail', status: 503 })],
    ],
  ])('is wrong %s: %j', async (_, kinds, logOf) => {
    const order = orderOf();
    const log = logOf(order);
    expect(await kindsFound(log, order)).toEqual(kinds);
    expect(checkHistory(log)).toHaveLength(kinds.length);
  });

  it('may be followed by an answer that is no more than that the order is accepted', async () => {
    const order = orderOf();
    const repeated = place(order, {
      status: 202,
      order: { ...seenOf(order), version: 0 },
      at: { invoked: 0, returned: 9 },
      attempts: [
        { sent: 0, returned: 1, process: 'api-1', status: null },
        { sent: 8, returned: 9, process: 'api-1', status: 202 },
      ],
    });
    clock = 4;
    const log = [repeated, call('order.read', { order: seenOf(order) })];
    expect(await kindsFound(log, order)).toEqual([]);
    expect(checkHistory(log)).toEqual([]);
  });
});

it('forgives a read after the operator has deleted the only one that knew of the order', () => {
  const order = orderOf();
  const accepted = place(order, { status: 202, order: { ...seenOf(order), version: 0 } });
  const gone = () => call('order.read', { outcome: 'fail', status: 404 });
  expect(withoutForgotten([accepted, gone()])).toEqual([accepted]);
  const log = [accepted, call('order.read', { order: seenOf(order) }), gone()];
  expect(withoutForgotten(log)).toEqual(log);
});

describe('a list', () => {
  const list = (ids: string[], limit: number): CallRecord =>
    call('order.list', {
      subject: null,
      args: { limit },
      orders: ids.map((id) => ({ id, version: 1, status: 'confirmed' })),
    });

  it('shows each order of its customer that was there, as far as it reaches', async () => {
    const order = orderOf();
    expect(await kindsFound([place(order), list([ID], 20)], order)).toEqual([]);
    expect(await kindsFound([place(order), list([], 20)], order)).toEqual(['not_shown']);
    expect(await kindsFound([list([], 20), place(order)], order)).toEqual([]);
    expect(await kindsFound([place(order), { ...list([], 20), client: 'customer-2' }], order)).toEqual([]);
  });
});

describe('what was done', () => {
  it('is what was asked for: the lines of an order', async () => {
    const [order, other] = [orderOf(), orderOf({ items: [item({ quantity: 2 })] })];
    expect(await kindsFound([place(order)], order)).toEqual([]);
    expect(await kindsFound([place(other)], other)).toEqual(['done_otherwise']);
  });

  it('is what was in the cart', async () => {
    const order = orderOf({ cart: { id: 'crt_1' } });
    const put = (quantity: number, fields: Partial<CallRecord> = {}) =>
      call('cart.put', {
        subject: 'cart:crt_1',
        key: null,
        args: { line: { productId: 'ps_1', quantity } },
        ...fields,
      });
    const checkOut = () =>
      call('cart.checkout', { key: null, args: { cartId: 'crt_1' }, status: 201, order: seenOf(order) });
    expect(await kindsFound([put(1), put(3), checkOut()], order)).toEqual([]);
    expect(await kindsFound([put(3), put(1), checkOut()], order)).toEqual(['done_otherwise']);
    const lost = () => put(3, { outcome: 'unknown', at: { invoked: clock, returned: null } });
    expect(await kindsFound([lost(), put(1), checkOut()], order)).toEqual([]);
  });

  it.each<[CallRecord['op'], CallRecord['args'], Partial<StoredOrder>, Partial<StoredOrder>]>([
    [
      'order.amend',
      { items: [{ productId: 'ps_1', quantity: 5 }], ifVersion: 1 },
      { items: [item({ quantity: 5 })] },
      { items: [item({ quantity: 4 })] },
    ],
    ['order.cancel', {}, { items: [item({ cancelledQuantity: 3 })] }, {}],
    [
      'order.cancel',
      { items: [{ productId: 'ps_1', quantity: 1 }] },
      { items: [item({ cancelledQuantity: 1 })] },
      { items: [item({ cancelledQuantity: 2 })] },
    ],
    [
      'order.deliver',
      { fulfillmentId: 'ful_1' },
      { fulfillments: [{ id: 'ful_1', by: 'usr_9', items: [], deliveredAt: new Date() }] },
      { fulfillments: [{ id: 'ful_1', by: 'usr_9', items: [], deliveredAt: null }] },
    ],
  ])('is what was asked for: %s %j', async (op, args, right, wrong) => {
    const before = orderOf();
    const asked = call(op, { args });
    const after = (fields: Partial<StoredOrder>, error: { type: string } | null = null) =>
      orderOf({ ...fields, version: 2, revision: 2, commands: [answerTo(asked, 2, error)] });
    const found = (order: StoredOrder, one = asked) => kindsFound([one], before, order);
    expect(await found(after(right))).toEqual([]);
    expect(await found(after(wrong))).toEqual(['done_otherwise']);
    expect(await found({ ...after(right), commands: [] })).toEqual(['done_never']);
    expect(await found(after(right, { type: 'InvalidTransition' }))).toEqual(['done_never']);
    expect(await found(after(right), { ...asked, ...refused })).toEqual(['refused_done']);
    expect(await found(after(right, { type: 'InvalidTransition' }), { ...asked, ...refused })).toEqual([]);
  });

  it('is what was asked for: the amount of a refund, and the units of a fulfillment', async () => {
    const refund = call('order.refund', { args: { amount: 500 } });
    const fulfill = call('order.fulfill', { args: { items: [{ productId: 'ps_1', quantity: 2 }] } });
    const order = (amount: number, quantity: number) =>
      orderOf({
        refunds: [{ id: commandIdsOf(refund, ID)[0]!, amount, status: 'succeeded', by: 'usr_9' }],
        fulfillments: [
          {
            id: commandIdsOf(fulfill, ID)[0]!,
            by: 'usr_9',
            items: [{ productServiceId: 'ps_1', quantity }],
          },
        ],
      });
    expect(await kindsFound([refund, fulfill], order(500, 2))).toEqual([]);
    expect(await kindsFound([refund, fulfill], order(50, 2))).toEqual(['done_otherwise']);
    expect(await kindsFound([refund, fulfill], order(500, 1))).toEqual(['done_otherwise']);
  });
});

it('counts an adjustment once that was made twice with one key', async () => {
  const stored = { find: () => ({ toArray: () => Promise.resolve([{ delta: -3 }]) }) } as unknown as Snapshot;
  const adjust = (key: string) => call('stock.adjust', { subject: 'stock:ps_1', key, args: { delta: -3 } });
  const found = async (...log: CallRecord[]) => {
    const findings = createFindings();
    await auditCalls(stored, { log, orders: new Map(), placed: new Map() }, findings);
    return findings.all.map(({ kind }) => kind);
  };
  expect(await found(adjust('twice'), adjust('twice'))).toEqual([]);
  expect(await found(adjust('one'), adjust('another'))).toContain('done_never');
});

describe('a key', () => {
  const key = 'twice';
  const order = orderOf();

  it('stands for one order, and an order for one key', async () => {
    expect(await kindsFound([place(order, { key }), place(order, { key })], order)).toEqual([]);
    expect(await kindsFound([place(order), place(order)], order)).toEqual(['key_shared']);
    const other = { ...seenOf(order), id: 'ord_2' };
    expect(await kindsFound([place(order, { key }), place(order, { key, order: other })], order)).toContain(
      'key_shared',
    );
    expect(await kindsFound([place(order)], orderOf({ cart: { id: 'crt_1' } }))).toEqual(['key_shared']);
  });

  it('stands for one outcome', async () => {
    const fail = { key, outcome: 'fail', status: 409, code: 'out_of_stock' } as const;
    const found = (...log: CallRecord[]) => kindsFound(log, order);
    expect(await found(place(order, { key }), place(order, fail))).toContain('repeat_differs');
    // It was accepted first, and turned down later.
    const rejected = orderOf({ status: 'rejected' });
    const accepted = place(rejected, { key, status: 202 });
    expect(await kindsFound([accepted, place(rejected, fail)], rejected)).not.toContain('repeat_differs');
  });

  it('is refused with another body', async () => {
    const other = { key, args: { items: [{ productId: 'ps_1', quantity: 4 }] } };
    const reused = {
      outcome: 'fail',
      status: 422,
      code: 'idempotency_key_reused',
      order: undefined,
    } as const;
    expect(await kindsFound([place(order, { key }), place(order, { ...other, ...reused })], order)).toEqual(
      [],
    );
    expect(await kindsFound([place(order, { key }), place(order, other)], order)).toContain('repeat_differs');
  });

  it('excuses a rejected order that nobody was told of only of the cart that was ordered again', async () => {
    const attempt = { sent: 0, returned: 1, process: 'api-1', status: 503 };
    const again = call('cart.checkout', {
      key: null,
      subject: 'cart:crt_1',
      args: { cartId: 'crt_1' },
      ...refused,
      attempts: [attempt, attempt],
    });
    const found = async (cartId: string) => {
      const findings = createFindings();
      const placed = new Map([['ord_9', { isRejected: true, cartId }]]);
      await auditCalls(nothing, { log: [again], orders: new Map(), placed }, findings);
      return findings.all.map(({ kind }) => kind);
    };
    expect(await found('crt_1')).toEqual([]);
    expect(await found('crt_2')).toEqual(['order_unaccounted']);
  });
});

describe('what an order has taken', () => {
  const found = (order: StoredOrder, displaced: StoredOrder['commands'] = []) => {
    const findings = createFindings();
    auditOrder(order, displaced, findings);
    return findings.all.map(({ kind }) => kind);
  };
  const sent = (fields: Partial<StoredOrder>): StoredOrder =>
    orderOf({
      items: [item({ quantity: 300, total: 30_000, subtotal: 30_000, fulfilledQuantity: 200 })],
      subtotal: 30_000,
      total: 30_000,
      fulfillments: [{ id: 'ful_1', by: 'usr_9', items: [{ productServiceId: 'ps_1', quantity: 200 }] }],
      ...fields,
    });

  it('pays for the units that were sent, before the rest is, and whatever the staff has paid back', () => {
    const refund = { id: 'ref_1', amount: 5_000, status: 'succeeded', by: 'usr_9' } as const;
    const back = { refunds: [refund], refunded: 5_000 };
    expect(found(sent({ captured: 20_000 }))).not.toContain('order_undercharged');
    expect(found(sent({ captured: 15_000 }))).toContain('order_undercharged');
    expect(found(sent({ captured: 20_000, ...back }))).not.toContain('order_undercharged');
    expect(found(sent({ captured: 15_000, ...back }))).toContain('order_undercharged');
    const bySystem = { refunds: [{ ...refund, by: 'system' }], refunded: 5_000 };
    expect(found(sent({ captured: 20_000, ...bySystem }))).toContain('order_undercharged');
  });

  it('and answered is told once, also beside the order', () => {
    const answer = { id: 'can_1', version: 1, revision: 1 };
    expect(found(orderOf({ commands: [answer] }), [answer])).toContain('order_version');
    expect(found(orderOf({ commands: [answer] }))).not.toContain('order_version');
  });
});
