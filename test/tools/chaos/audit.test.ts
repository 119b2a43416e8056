import { temporal } from '@temporalio/proto';
import type { mongo } from 'mongoose';
import { groupBy } from '../../../tools/chaos/audit/documents';
import { visibleOf } from '../../../tools/chaos/audit/events';
import type { CallRecord, OrderSeen } from '../../../tools/chaos/log';
import {
  audit as auditOnce,
  FINDING_KINDS,
  type AuditOptions,
  type Finding,
  type FindingKind,
} from '../../../tools/chaos/audit';
import { commandIdsOf } from '../../../tools/chaos/audit/effects';
import { ORDER_WORKFLOW } from '../../../workflows/contract';
import { newCart } from '../../../src/domain/cart';
import { eventually } from '../../support/eventually';
import { createOperator } from '../../../tools/chaos/operator';
import { settle } from '../../../tools/chaos/settle';
import { keepRelaying } from '../../support/relay';
import { beginSaga, openFaultyShop, type FaultyShop, type Saga } from '../../workflows/saga/saga';
import { SCENARIOS } from '../../workflows/saga/scenarios';

/** The audit of chaos runs, in a system with an order of every kind of life. */
let faulty: FaultyShop;
let relay: ReturnType<typeof keepRelaying>;
let options: AuditOptions;
const sagas = new Map<string, Saga>();
beforeAll(async () => {
  faulty = await openFaultyShop();
  const { db, taskQueue, temporal } = faulty.shop;
  const { namespace } = temporal.client.options;
  options = { mongodbUri: db.uri, temporalAddress: process.env.TEMPORAL_ADDRESS!, namespace, taskQueue };
  relay = keepRelaying(db.connection);
  await relay.following;
  await faulty.startWorker();
  await Promise.all(SCENARIOS.map(live));
  await fillCarts();
  await clean();
});
afterAll(async () => {
  await relay.stop();
  await faulty.shop.close();
});

/** Of all that these tests have damaged. */
const kindsFound = new Set<FindingKind>();

async function audit(what: AuditOptions): Promise<Finding[]> {
  const found = await auditOnce(what);
  for (const { kind } of found) kindsFound.add(kind);
  return found;
}

async function live(scenario: (typeof SCENARIOS)[number]): Promise<void> {
  const saga = await beginSaga(faulty, scenario);
  for (const move of scenario.moves.keys()) await saga.make(move);
  await saga.settled();
  await saga.rest();
  sagas.set(scenario.name, saga);
}

/** One cart holds a unit, and another one has become an order. */
async function fillCarts(): Promise<void> {
  const { orderId, productId } = saga('placed');
  const now = new Date();
  const { id: _id, ...cart } = newCart({ id: '', customerId: 'usr_1', tokenHash: 'x' }, now.toISOString());
  const times = { createdAt: now, updatedAt: now, abandonedAt: now, expiresAt: null };
  const hold = { items: [{ productServiceId: productId, quantity: 1 }], until: now };
  await collection('carts').insertMany([
    { _id: 'cart_holding', ...cart, ...times, hold } as never,
    { _id: 'cart_ordered', ...cart, ...times, status: 'ordered', orderId } as never,
  ]);
  await collection('product_services').updateOne(
    { _id: productId },
    inc({ 'stock.available': -1, 'stock.held': 1 }),
  );
  await collection('orders').updateOne(
    { _id: orderId },
    set({ cart: { id: 'cart_ordered', contentVersion: 1 } }),
  );
}

/** Waits until nothing is found. Events and search attributes follow the orders. */
const clean = () => eventually(async () => expect(await audit(options)).toEqual([]));

const saga = (name: string): Saga => sagas.get(name)!;
const collection = (name: string) => faulty.shop.db.connection.collection<{ _id: string }>(name);

/** What is damaged, and what the audit has to say of it. */
interface Damage {
  kinds: FindingKind[];
  collection: string;
  id(): string | Promise<string>;
  /** Absent if the document is deleted. */
  update?: mongo.UpdateFilter<mongo.Document>;
}

const ofOrder = (name: string, update: Damage['update'], ...kinds: FindingKind[]): Damage => ({
  kinds,
  collection: 'orders',
  id: () => saga(name).orderId,
  update,
});
const ofProduct = (update: Damage['update'], ...kinds: FindingKind[]): Damage => ({
  kinds,
  collection: 'product_services',
  id: () => saga('placed').productId,
  update,
});
const ofPayment = (name: string, update: Damage['update'], ...kinds: FindingKind[]): Damage => ({
  kinds,
  collection: 'sandbox_payments',
  id: () => `${saga(name).orderId}-1`,
  update,
});
const ofEvent = (version: number, update: Damage['update'], ...kinds: FindingKind[]): Damage => ({
  kinds,
  collection: 'events',
  id: () => `evt_${saga('refunded').orderId}_${version}`,
  update,
});
const inc = (by: Record<string, number>) => ({ $inc: by });
const set = (fields: Record<string, unknown>) => ({ $set: fields });

/** Every version of an order is an event, too, so an order that is changed by hand differs from its last one. */
it.each<[string, Damage]>([
  ['a sum', ofOrder('placed', inc({ total: 1 }), 'event_differs', 'order_sums', 'reservation_left')],
  [
    'a unit of a line',
    ofOrder(
      'delivered in parts',
      inc({ 'items.0.fulfilledQuantity': -1 }),
      'event_differs',
      'order_reservation',
      'order_units',
      'stock_lost',
    ),
  ],
  [
    'what is refunded',
    ofOrder('refunded', inc({ refunded: -5 }), 'charge_differs', 'event_differs', 'order_refunds'),
  ],
  ['what is captured', ofOrder('refunded', inc({ captured: 5_000 }), 'charge_differs', 'event_differs')],
  [
    'a capture too much',
    ofOrder(
      'delivered in parts',
      inc({ captured: 500 }),
      'charge_differs',
      'event_differs',
      'order_overcharged',
    ),
  ],
  [
    'a capture too few',
    ofOrder(
      'delivered in parts',
      inc({ captured: -500 }),
      'charge_differs',
      'event_differs',
      'order_undercharged',
    ),
  ],
  [
    'a state',
    ofOrder(
      'refunded',
      set({ fulfillmentStatus: 'delivered' }),
      'event_differs',
      'order_history',
      'workflow_differs',
    ),
  ],
  ['the history', ofOrder('refunded', { $pop: { statusHistory: -1 } }, 'event_differs', 'order_history')],
  ['a version', ofOrder('placed', inc({ version: -1 }), 'event_differs', 'event_missing')],
  ['a revision', ofOrder('delivered in parts', set({ revision: 2 }), 'order_version')],
  [
    'a reservation',
    ofOrder('placed', set({ reservation: 'committed' }), 'order_reservation', 'stock_reserved'),
  ],
  ['an intention', ofOrder('placed', set({ intention: { kind: 'refund' } }), 'order_unsettled')],
  [
    'a wait for the customer',
    ofOrder(
      'placed',
      set({ status: 'pending', retryUntil: new Date() }),
      'event_differs',
      'order_history',
      'unpaid_count',
      'workflow_differs',
    ),
  ],
  [
    'a lost order',
    ofOrder('refunded', undefined, 'payment_without_order', 'stock_lost', 'workflow_without_order'),
  ],
  ['a balance', ofPayment('placed', inc({ open: -1 }), 'ledger_balance', 'reservation_left')],
  ['a charge', ofPayment('refunded', inc({ captured: 1, voided: -1 }), 'charge_differs', 'ledger_balance')],
  ['a lost payment', ofPayment('refunded', undefined, 'charge_differs')],
  ['an available unit', ofProduct(inc({ 'stock.available': 1 }), 'stock_lost')],
  ['units that are not there', ofProduct(inc({ 'stock.available': -9 }), 'stock_lost', 'stock_negative')],
  ['a reserved unit', ofProduct(inc({ 'stock.reserved': 1, 'stock.available': -1 }), 'stock_reserved')],
  ['a held unit', ofProduct(inc({ 'stock.held': 1, 'stock.available': -1 }), 'stock_held')],
  ['a lost product', ofProduct(undefined, 'stock_unknown')],
  [
    'a lost cart',
    { kinds: ['stock_held'], collection: 'carts', id: () => 'cart_holding', update: undefined },
  ],
  [
    'an ordered cart',
    { kinds: ['cart_order'], collection: 'carts', id: () => 'cart_ordered', update: set({ status: 'open' }) },
  ],
  ['the order of a cart', ofOrder('placed', { $unset: { cart: 1 } }, 'cart_order')],
  ['a lost event', ofEvent(2, undefined, 'event_differs', 'event_missing')],
  ['an event', ofEvent(2, set({ 'order.version': 9 }), 'event_differs')],
  ['the last event', ofEvent(5, set({ 'order.refunded': 9 }), 'event_differs')],
])('finds damage to %s, and nothing else', async (_, { kinds, ...damage }) => {
  const found = await damaged(damage);
  expect([...new Set(found.map(({ kind }) => kind))].sort()).toEqual(kinds.sort());
  expect(await audit(options)).toEqual([]);
});

it('sees an order that is not settled, also if no client was told of it', async () => {
  const { orderId } = saga('placed');
  const unsettled = async () => {
    const { signal } = new AbortController();
    const settlement = await settle({ mongodbUri: options.mongodbUri }, ['ord_0'], { limitMs: 0, signal });
    return settlement.unsettled.filter((why) => why.startsWith(orderId) || why.startsWith('ord_0'));
  };
  expect(await unsettled()).toEqual(['ord_0 is not stored']);
  await collection('orders').updateOne({ _id: orderId }, set({ intention: { kind: 'refund' } }));
  expect(await unsettled()).toContain(`${orderId} has an intention: {"kind":"refund"}`);
  await collection('orders').updateOne({ _id: orderId }, set({ intention: null }));
});

it('finds a second payment of an order that keeps money', async () => {
  const { orderId } = saga('delivered in parts');
  const own = (await collection('sandbox_payments').findOne({ _id: `${orderId}-1` }))!;
  const second = `${orderId}-2`;
  const { operations } = own as unknown as { operations: { key: string }[] };
  await collection('sandbox_payments').insertOne({
    ...own,
    _id: second,
    reference: second,
    operations: operations.map((one) => ({ ...one, key: `${one.key}-again` })),
  } as never);
  expect((await audit(options)).map(({ kind, subject }) => ({ kind, subject }))).toEqual([
    { kind: 'charged_twice', subject: orderId },
  ]);
  await collection('sandbox_payments').deleteOne({ _id: second });
});

describe('in Temporal', () => {
  it('finds an open order whose workflow was terminated, until the next command resumes it', async () => {
    const { orderId, customer } = saga('amended to more');
    await createOperator(faulty.shop.temporal).terminate(`order-${orderId}`);
    expect(await audit(options)).toEqual([
      { kind: 'workflow_missing', subject: orderId, expected: 'RUNNING', found: 'TERMINATED' },
    ]);
    await customer.amend({ note: 'Still there?' });
    await clean();
  });

  it('finds a workflow that nobody has an order for, and whose tasks fail', async () => {
    const workflowId = `order-ord_${'0'.repeat(32)}`;
    const { client } = faulty.shop.temporal;
    const { taskQueue } = faulty.shop;
    const handle = await client.workflow.start(ORDER_WORKFLOW, { workflowId, taskQueue, args: [] });
    await eventually(async () => {
      const found = (await audit(options)).map(({ kind, subject }) => ({ kind, subject }));
      expect(found).toEqual(
        expect.arrayContaining([
          { kind: 'workflow_without_order', subject: workflowId },
          { kind: 'workflow_task_failing', subject: workflowId },
        ]),
      );
    });
    await handle.terminate();
    await client.workflowService.deleteWorkflowExecution({
      namespace: options.namespace,
      workflowExecution: { workflowId },
    });
    await clean();
  });

  it('finds tasks that have failed in an earlier run, and in a workflow of another kind', async () => {
    const { client } = faulty.shop.temporal;
    const { taskQueue } = faulty.shop;
    const workflowId = `order-ord_${'2'.repeat(32)}`;
    const failing = [
      await client.workflow.start(ORDER_WORKFLOW, { workflowId, taskQueue, args: [] }),
      await client.workflow.start('noSuchWorkflow', { workflowId: 'other', taskQueue }),
    ];
    const failingIn = async (): Promise<string[]> =>
      (await audit(options)).flatMap(({ kind, subject }) =>
        kind === 'workflow_task_failing' ? [subject] : [],
      );
    await eventually(async () =>
      expect(await failingIn()).toEqual(expect.arrayContaining([workflowId, 'other'])),
    );
    for (const { workflowId: id } of failing) await client.workflow.getHandle(id).terminate();
    // Nobody takes the tasks of the next run, so that none of them fails.
    const next = await client.workflow.start(ORDER_WORKFLOW, {
      workflowId,
      taskQueue: `${taskQueue}-nobody`,
      args: [],
    });
    expect(new Set(await failingIn())).toEqual(new Set([workflowId, 'other']));
    await next.terminate();
    for (const { workflowId: id, firstExecutionRunId: runId } of [...failing, next])
      await client.workflowService.deleteWorkflowExecution({
        namespace: options.namespace,
        workflowExecution: { workflowId: id, runId },
      });
    await clean();
  });

  it('tells workflow tasks that nobody completes in time from those that fail', async () => {
    const workflowId = `order-ord_${'1'.repeat(32)}`;
    const { client } = faulty.shop.temporal;
    const taskQueue = `${faulty.shop.taskQueue}-late`;
    const handle = await client.workflow.start(ORDER_WORKFLOW, {
      workflowId,
      taskQueue,
      args: [],
      workflowTaskTimeout: '1s',
    });
    // A worker that takes the task, and is not heard of again.
    await client.withDeadline(Date.now() + 30_000, () =>
      client.workflowService.pollWorkflowTaskQueue({
        namespace: options.namespace,
        taskQueue: { name: taskQueue },
      }),
    );
    await eventually(async () => {
      const found = await audit({ ...options, taskQueue });
      const tasks = found.filter(({ kind }) => kind.startsWith('workflow_task'));
      expect(tasks).toMatchObject([
        { kind: 'workflow_task_late', subject: workflowId, found: { attempt: 2 } },
      ]);
    });
    await handle.terminate();
    await client.workflowService.deleteWorkflowExecution({
      namespace: options.namespace,
      workflowExecution: { workflowId },
    });
    await clean();
  });

  it('finds a workflow that runs though its order is closed', async () => {
    const { orderId } = saga('cancelled');
    const left = await startNobodys(`closed-order-${orderId}`);
    await eventually(async () => {
      const found = await audit({ ...options, taskQueue: left.taskQueue });
      expect(found.map(({ kind, subject }) => ({ kind, subject }))).toEqual([
        { kind: 'workflow_left_over', subject: left.workflowId },
      ]);
    });
    await left.remove();
  });

  it('finds a workflow that has failed', async () => {
    const failing = await startNobodys(`order-ord_${'2'.repeat(32)}`);
    const { client } = faulty.shop.temporal;
    const { workflowService } = client;
    const { namespace } = options;
    const { taskToken } = await client.withDeadline(Date.now() + 30_000, () =>
      workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: failing.taskQueue } }),
    );
    await workflowService.respondWorkflowTaskCompleted({
      namespace,
      taskToken,
      commands: [
        {
          commandType: temporal.api.enums.v1.CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
          failWorkflowExecutionCommandAttributes: { failure: { message: 'It was not meant to.' } },
        },
      ],
    });
    await eventually(async () => {
      const found = await audit({ ...options, taskQueue: failing.taskQueue });
      expect(found).toMatchObject([{ kind: 'workflow_failed', found: 'It was not meant to.' }]);
    });
    await failing.remove();
  });

  /** Starts a workflow that no worker takes. */
  async function startNobodys(workflowId: string) {
    const { client } = faulty.shop.temporal;
    const taskQueue = `${faulty.shop.taskQueue}-nobodys`;
    const handle = await client.workflow.start(ORDER_WORKFLOW, { workflowId, taskQueue, args: [] });
    return {
      taskQueue,
      workflowId,
      async remove() {
        await handle.terminate().catch(() => undefined); // it may have ended
        await client.workflowService.deleteWorkflowExecution({
          namespace: options.namespace,
          workflowExecution: { workflowId },
        });
        await clean();
      },
    };
  }

  it('finds an activity that keeps failing', async () => {
    let isMended = false;
    const failing = await beginSaga(
      faulty,
      SCENARIOS.find(({ name }) => name === 'cancelled')!,
    );
    failing.inject('voidPayment', async (_, effect) => {
      if (!isMended) throw new Error('The line is dead.');
      return effect();
    });
    await failing.make(0);
    void failing.make(1);
    await eventually(async () => {
      const kinds = (await audit(options)).map(({ kind }) => kind);
      expect(kinds).toEqual(expect.arrayContaining(['activity_failing', 'order_unsettled']));
    });
    isMended = true;
    await clean();
  });
});

/** What clients were told. */
describe('with the log of clients', () => {
  interface Event {
    object: string;
    version: number;
    order: Parameters<typeof visibleOf>[0];
  }
  /** The calls that have placed all orders, and all about one that was fulfilled and refunded. */
  let log: CallRecord[];
  let events: Map<string, Event[]>;
  let orderId: string;
  const seenAt = (id: string, version: number): OrderSeen => {
    const { history: _, ...seen } = visibleOf(events.get(id)![version - 1]!.order);
    return { id, rejection: null, ...seen };
  };
  let clock = 0;
  function call(
    op: CallRecord['op'],
    id: string,
    version: number,
    fields: Partial<CallRecord> = {},
  ): CallRecord {
    return {
      id: `call-${clock}`,
      client: 'client-1',
      op,
      subject: `order:${id}`,
      key: op === 'order.read' ? null : `key-${clock}`,
      args: {},
      at: { invoked: clock++, returned: clock++ },
      process: 'api-1',
      outcome: 'ok',
      status: 200,
      order: seenAt(id, version),
      attempts: [],
      ...fields,
    };
  }

  beforeAll(async () => {
    const all = collection('events')
      .find({ order: { $exists: true } } as never)
      .sort({ version: 1 });
    events = groupBy((await all.toArray()) as unknown as Event[], ({ object }) => object);
    ({ orderId } = saga('refunded'));
    const items = [{ productId: saga('refunded').productId, quantity: 3 }];
    log = [
      ...[...events.keys()].flatMap(placing),
      call('order.fulfill', orderId, 3, { args: { items } }),
      call('order.refund', orderId, 4, { args: { amount: 1_000 } }),
      call('order.refund', orderId, 5),
      call('order.read', orderId, 5),
    ];
    await nameCommands();
  });

  /** The calls that have placed an order: one comes of a cart. */
  function placing(id: string): CallRecord[] {
    const items = seenAt(id, 1).items.map(({ productId, quantity }) => ({ productId, quantity }));
    if (id !== saga('placed').orderId) return [call('order.place', id, 1, { status: 202, args: { items } })];
    const cartId = 'cart_ordered';
    const cart = { key: null, subject: `cart:${cartId}` };
    return [
      ...items.map((line) => call('cart.put', id, 1, { ...cart, order: undefined, args: { line } })),
      call('cart.checkout', id, 1, { ...cart, args: { cartId }, status: 201 }),
    ];
  }

  /** Has the commands of the order the ids that those of the calls have, whose keys the order does not know. */
  async function nameCommands(): Promise<void> {
    const [fulfill, some, rest] = log
      .filter(({ key, op }) => key !== null && op !== 'order.place')
      .map((one) => commandIdsOf(one, orderId)[0]!) as [string, string, string];
    await collection('orders').updateOne(
      { _id: orderId },
      set({ 'fulfillments.0.id': fulfill, 'refunds.0.id': some, 'refunds.1.id': rest }),
    );
  }

  it('finds nothing if all of it is true', async () => {
    expect(await audit({ ...options, log })).toEqual([]);
  });

  const withLast = (fields: (last: CallRecord) => Partial<CallRecord>) => () => [
    ...log.slice(0, -1),
    { ...log.at(-1)!, ...fields(log.at(-1)!) },
  ];
  const withOrder = (fields: Partial<OrderSeen>) =>
    withLast(({ order }) => ({ order: { ...order!, ...fields } }));
  const and = (more: () => CallRecord) => () => [...log, more()];

  it.each<[string, () => CallRecord[], FindingKind[]]>([
    ['an order that is not there', withOrder({ id: 'ord_0', items: [] }), ['accepted_lost']],
    [
      'an order that was refused and is there',
      () =>
        log.map((one) =>
          one.op === 'order.place' ? { ...one, outcome: 'fail', code: 'out_of_stock' } : one,
        ),
      ['accepted_lost'],
    ],
    ['another amount', withOrder({ captured: 1 }), ['answer_untrue']],
    ['another ETag', withLast(() => ({ version: 4 })), ['answer_untrue']],
    ['a version that never was', withOrder({ version: 9 }), ['never_written']],
    [
      'an older version',
      and(() => call('order.read', orderId, 4)),
      ['not_linearizable', 'version_went_back'],
    ],
    [
      'a refund that was not made',
      and(() => call('order.refund', orderId, 5)),
      ['done_never', 'not_linearizable'],
    ],
    [
      'a refusal of what was done',
      () => log.map((one) => (one.op === 'order.fulfill' ? { ...one, outcome: 'fail' } : one)),
      ['done_twice', 'not_linearizable', 'refused_done'],
    ],
    [
      'a refund of another amount',
      () => log.map((one) => (one.args.amount === undefined ? one : { ...one, args: { amount: 999 } })),
      ['done_otherwise'],
    ],
    [
      'an order that is not there any more',
      and(() => call('order.read', orderId, 5, { outcome: 'fail', status: 404, order: undefined })),
      ['not_linearizable', 'not_shown'],
    ],
    ['an order by two keys', and(() => ({ ...log[0]!, id: 'again', key: 'another' })), ['key_shared']],
    [
      'two outcomes of one call',
      and(() => {
        const done = log.find(({ op }) => op === 'order.fulfill')!;
        return { ...done, id: 'again', outcome: 'fail', status: 409, order: undefined };
      }),
      ['repeat_differs'],
    ],
    [
      'fewer orders than there are',
      () => log.filter(({ order }) => order?.id !== saga('amended to more').orderId),
      ['order_unaccounted'],
    ],
    [
      'an adjustment that was not made',
      and(() => ({
        ...call('stock.adjust', orderId, 1, { args: { delta: 5 } }),
        subject: `stock:${saga('placed').productId}`,
        order: undefined,
      })),
      ['done_never'],
    ],
    [
      'a stock that never was',
      and(() => ({
        ...call('stock.read', orderId, 1, { stock: { available: 4, reserved: 1, held: 0 } }),
        subject: `stock:${saga('refunded').productId}`,
        order: undefined,
      })),
      ['not_linearizable'],
    ],
  ])('finds that clients were told of %s', async (_, told, kinds) => {
    const found = await audit({ ...options, log: told() });
    expect([...new Set(found.map(({ kind }) => kind))].sort()).toEqual(kinds);
  });
});

it('has found all that the audit can find, but a history that has too many possibilities', () => {
  // When these tests are run alone, nothing was damaged before.
  const missing = (Object.keys(FINDING_KINDS) as FindingKind[]).filter((kind) => !kindsFound.has(kind));
  expect(missing).toEqual(['history_undecided']);
});

/** Returns what is found of the damage, which is mended then. */
async function damaged({ collection: name, id, update }: Omit<Damage, 'kinds'>): Promise<Finding[]> {
  const filter = { _id: await id() };
  const whole = await collection(name).findOne(filter);
  expect(whole).not.toBeNull();
  if (update) await collection(name).updateOne(filter, update);
  else await collection(name).deleteOne(filter);
  const found = await audit(options);
  await collection(name).replaceOne(filter, whole!, { upsert: true });
  return found;
}
