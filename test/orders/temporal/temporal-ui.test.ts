import type { WorkflowExecutionInfo } from '@temporalio/client';
import { pendingCompensations, unsettled } from '../../../src/domain/compensation';
import {
  FULFILLMENT_STATUSES,
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  type Order,
  type OrderRequest,
} from '../../../src/domain/order';
import { isClosed } from '../../../src/domain/order-transitions';
import { waitingSince } from '../../../src/domain/overdue';
import { isBeingPlaced } from '../../../src/domain/paying';
import { newId } from '../../../src/common/ids';
import { closedOrderWorkflowId, orderWorkflowId } from '../../../workflows/contract';
import { activitiesOn } from '../../support/activities';
import { eventually } from '../../support/eventually';
import { lines } from '../../support/order-api';
import { savedViews } from '../../support/saved-views';
import { openShop, orderRequest, type Shop } from '../../support/shop';
import { customerOf, type Customer } from '../../workflows/saga/commands';

/** How many orders there are of each kind. */
const OF_EACH = 11;
/** A total above what docs/temporal-ui.md calls big, in units of a product. */
const MANY = 50;
/** The ids of orders that the payment service does not void. */
const unvoidable = new Set<string>();

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ own: true });
  await shop.startWorker(
    {
      provider: (provider) => ({
        ...provider,
        async void(key, payment) {
          if (unvoidable.has(payment.orderId)) throw new Error('The payment service is unavailable.');
          return provider.void(key, payment);
        },
      }),
    },
    undefined,
    { PAYMENT_RETRY_WINDOW: '1h' },
  );
});
afterAll(() => shop.close());

interface Kind {
  request?: Partial<OrderRequest>;
  quantity?: number;
  /** What happens to it once it is placed. */
  then?(customer: Customer, productId: string, request: OrderRequest): Promise<unknown>;
}

const shipped = (customer: Customer, productServiceId: string, quantity = 3) =>
  customer.fulfill(`ful-${quantity}`, [{ productServiceId, quantity }]);
async function delivered(customer: Customer, productId: string): Promise<void> {
  await shipped(customer, productId);
  await customer.deliver('ful-3');
}
const terminated = ({ orderId }: OrderRequest) =>
  shop.temporal.client.workflow.getHandle(orderWorkflowId(orderId)).terminate();

const KINDS: Readonly<Record<string, Kind>> = {
  rejected: { request: lines([newId('ps'), 1]) },
  confirmed: {},
  'confirmed, and big': { quantity: MANY },
  'amended to more': {
    then: (customer, productServiceId) => customer.amend({ items: [{ productServiceId, quantity: 4 }] }),
  },
  'shipped in part': { then: (customer, productId) => shipped(customer, productId, 1) },
  shipped: { then: (customer, productId) => shipped(customer, productId) },
  'shipped, and lost': {
    async then(customer, productId) {
      await shipped(customer, productId);
      await customer.undo('ful-3', false);
    },
  },
  'shipped, and refunded in part': {
    async then(customer, productId) {
      await shipped(customer, productId);
      await customer.refund('ref-1', 100);
    },
  },
  delivered: { then: delivered },
  'refunded when delivered': {
    async then(customer, productId) {
      await delivered(customer, productId);
      await customer.refund('ref-1', 100);
      await customer.refund('ref-2', null);
    },
  },
  'refunded in part when delivered': {
    async then(customer, productId) {
      await delivered(customer, productId);
      await customer.refund('ref-1', 100);
    },
  },
  cancelled: { then: (customer) => customer.cancel() },
  'cancelled, and not voided': {
    then(customer, _productId, { orderId }) {
      unvoidable.add(orderId);
      return customer.cancel();
    },
  },
  'to be confirmed at the bank': { request: { paymentMethod: 'pm_card_threeDSecure2Required' } },
  declined: { request: { paymentMethod: 'pm_card_chargeDeclined' } },
  lapsed: { then: (customer) => customer.lapse() },
  overdue: {
    async then(customer, productId, { orderId, requestId }) {
      const order = (await shipped(customer, productId, 1)) as Order;
      // As the workflow does when its timer fires; then it learns of it by the next command.
      await activitiesOn(shop.db).markOverdue({ orderId, requestId }, waitingSince(order)!);
      await customer.amend({ note: 'Where is it?' });
    },
  },
  'terminated, and resumed': {
    async then(customer, _productId, request) {
      await terminated(request);
      await customer.amend({ note: 'Where is it?' });
    },
  },
  terminated: { then: (_customer, _productId, request) => terminated(request) },
};

/** Places an order that nobody answers about its payment. */
async function beingPlaced(productId: string): Promise<string> {
  const nobody = shop.withPolicy({ inlinePayments: false, paymentsTaskQueue: `${shop.taskQueue}-nobody` });
  const request = orderRequest(lines([productId, 3]));
  await nobody.workflows.start(request);
  await eventually(async () => expect(await shop.orders.findById(request.orderId)).not.toBeNull());
  return request.orderId;
}

async function live({ request, quantity = 3, then }: Kind, productId: string): Promise<string> {
  const sent = orderRequest({ ...lines([productId, quantity]), ...request });
  const customer = customerOf(shop, shop, sent);
  await customer.place();
  await then?.(customer, productId, sent);
  return sent.orderId;
}

/** Returns what MongoDB says of an order, as the search attributes say it. */
function attributesFor(order: Order): Record<string, unknown> {
  // An order is placed within moments as a rule: its total comes with the first change.
  const isPriced = !isBeingPlaced(order) && order.currency !== null;
  return {
    OrderStatus: order.status,
    PaymentStatus: order.paymentStatus,
    FulfillmentStatus: order.fulfillmentStatus,
    CustomerId: order.customerId,
    ...(isPriced && { Currency: order.currency, OrderTotal: order.total }),
    CompensationPending: pendingCompensations(order).length > 0,
    Overdue: order.overdueSince !== null,
  };
}

function attributesOf({ typedSearchAttributes }: WorkflowExecutionInfo): Record<string, unknown> {
  const own = typedSearchAttributes.getAll().filter(({ key }) => !/^(Temporal|BuildIds)/.test(key.name));
  const pairs = own.map(({ key, value }) => [key.name, value] as const);
  return { CompensationPending: false, Overdue: false, ...Object.fromEntries(pairs) };
}

async function listed(query: string): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  const ownQuery = `TaskQueue = '${shop.taskQueue}' AND (${query})`;
  for await (const one of shop.temporal.client.workflow.list({ query: ownQuery })) found.push(one);
  return found;
}

/** Returns the newest run for each order, by the id of the order. */
function newestRuns(runs: readonly WorkflowExecutionInfo[]): Map<string, WorkflowExecutionInfo> {
  const newest = new Map<string, WorkflowExecutionInfo>();
  const inOrder = [...runs].sort((one, other) => one.startTime.getTime() - other.startTime.getTime());
  for (const run of inOrder) newest.set(run.workflowId.replace(/^(closed-)?order-/, ''), run);
  return newest;
}

const VIEWS = savedViews();

const isRunning = (order: Order) => !isClosed(order) || unsettled(order).length > 0;
const isToBeShipped = ({ fulfillmentStatus }: Order) =>
  fulfillmentStatus === 'unfulfilled' || fulfillmentStatus === 'partially_fulfilled';

/** Which orders a view shows, of those whose workflow has not been terminated. */
const SHOWN: Readonly<Record<string, (order: Order) => boolean>> = {
  Stuck: (order) =>
    isBeingPlaced(order) || order.overdueSince !== null || pendingCompensations(order).length > 0,
  'Compensation pending': (order) => pendingCompensations(order).length > 0,
  'Waiting for a payment': ({ paymentStatus }) => ['action_required', 'declined'].includes(paymentStatus),
  'Payment lost': ({ status, paymentStatus }) => status === 'confirmed' && paymentStatus === 'voided',
  Overdue: ({ overdueSince }) => overdueSince !== null,
  'To be shipped': (order) =>
    order.status === 'confirmed' && order.paymentStatus !== 'voided' && isToBeShipped(order),
  'On the way': ({ status, fulfillmentStatus }) =>
    status === 'confirmed' && fulfillmentStatus === 'fulfilled',
  Big: (order) => isRunning(order) && order.total! >= 100_000,
};

it('has the values of MongoDB in the search attributes of hundreds of orders in every state, and finds them by each saved view', async () => {
  const { id: productId } = await shop.sell({ available: 1_000_000 });
  const ids = new Map<string, string[]>();
  await Promise.all(
    Object.entries(KINDS).map(async ([name, kind]) => {
      ids.set(name, []);
      for (let n = 0; n < OF_EACH; n++) ids.get(name)!.push(await live(kind, productId));
    }),
  );
  ids.set('being placed', await Promise.all(Array.from({ length: OF_EACH }, () => beingPlaced(productId))));
  const all = [...ids.values()].flat();
  expect(all.length).toBeGreaterThan(200);

  const orders = await Promise.all(all.map(async (id) => (await shop.orders.findById(id))!));
  const expected = Object.fromEntries(orders.map((order) => [order.id, attributesFor(order)]));
  await eventually(async () => {
    const runs = newestRuns(await listed(`WorkflowType IN ('orderWorkflow', 'closedOrderWorkflow')`));
    const shown = [...runs].map(([id, run]) => [id, attributesOf(run)] as const);
    expect(Object.fromEntries(shown)).toEqual(expected);
  });
  for (const [axis, values] of [
    ['OrderStatus', ORDER_STATUSES],
    ['PaymentStatus', PAYMENT_STATUSES],
    ['FulfillmentStatus', FULFILLMENT_STATUSES],
    ['CompensationPending', [false, true]],
    ['Overdue', [false, true]],
  ] as const) {
    const seen = new Set(Object.values(expected).map((attributes) => attributes[axis]));
    expect([axis, [...seen].sort()]).toEqual([axis, [...values].sort()]);
  }

  const idsShown = async (view: string, [customer] = orders) => {
    const runs = await listed(VIEWS.get(view)!.replace('usr_…', customer!.customerId));
    return new Set(runs.map(({ workflowId }) => workflowId.replace(/^(closed-)?order-/, '')));
  };
  const ended = new Set(ids.get('terminated'));
  for (const [view, isShown] of Object.entries(SHOWN)) {
    const due = orders.filter((order) => !ended.has(order.id) && isRunning(order) && isShown(order));
    expect([view, due.length]).not.toEqual([view, 0]);
    await eventually(async () =>
      expect([view, await idsShown(view)]).toEqual([view, new Set(due.map(({ id }) => id))]),
    );
  }
  const [refunded] = ids.get('refunded when delivered')!;
  const customer = orders.filter(({ id }) => id === refunded);
  expect(await idsShown("A customer's", customer)).toEqual(new Set([refunded]));
  const stopped = await idsShown('Terminated');
  expect(ids.get('terminated')!.filter((id) => !stopped.has(id))).toEqual([]);
  expect(await idsShown('Failing workflow tasks')).toEqual(new Set());
  const tested = [...Object.keys(SHOWN), "A customer's", 'Terminated', 'Failing workflow tasks'];
  expect([...VIEWS.keys()].sort()).toEqual(tested.sort());

  // An order that was changed when it was closed is found as it is now; its own workflow has the values of its end.
  const { client } = shop.temporal;
  const own = await client.workflow.getHandle(orderWorkflowId(refunded!)).describe();
  expect(own.searchAttributes).toMatchObject({ OrderStatus: ['completed'], PaymentStatus: ['captured'] });
  const closed = client.workflow.getHandle(closedOrderWorkflowId(refunded!));
  expect(await closed.query('getOrder')).toMatchObject({
    number: customer[0]!.number,
    paymentStatus: 'refunded',
    waitsFor: null,
  });
});
