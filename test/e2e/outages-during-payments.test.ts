import { join } from 'node:path';
import pino from 'pino';
import { startServer, type RunningServer } from '../../src/api-server';
import { freePorts } from '../../tools/devstack/ports';
import { JWT_SECRET, testConfig } from '../support/config';
import { createGates, openOutages, type Moment, type Outages } from '../support/outages';
import { answerOf, createPayingCustomer, type PayingCustomer } from '../support/paying-customer';
import { spawnNode, type NodeProcess } from '../support/process';
import { sample } from '../support/sample';
import type { Shop } from '../support/shop';
import { taskQueueEnv } from '../support/task-queues';
import type { TestWorker } from '../support/worker';

const SERVER = join(__dirname, '..', '..', 'dist', 'src', 'server.js');
const WORKER = join(__dirname, '..', 'support', 'crashing-worker.ts');
const UNLIMITED = String(24 * 60 * 60 * 1_000);
const [GOOD, OTHER_GOOD] = ['pm_card_visa', 'pm_card_mastercard'];
const [DECLINED, OTHER_DECLINED] = ['pm_card_chargeDeclined', 'pm_card_chargeDeclinedInsufficientFunds'];
const [ASKS, OTHER_ASKS] = ['pm_card_threeDSecure2Required', 'pm_card_authenticationRequired'];

/** What is killed; clients are connected to the API process. */
type Victim = 'api' | 'worker' | 'temporal' | 'mongodb';

/**
 * How an order is worked on: workers of orders call the payment service themselves, or leave that to the queue of payments,
 * or do so for customers who have only a second.
 */
type Way = 'inline' | 'queued' | 'hasty';

interface Case {
  way: Way;
  /** The card of the order, with which it is placed before something is killed unless `send` does that. */
  card: string;
  send?(customer: PayingCustomer): Promise<unknown>;
  /** Where the order is when something is killed; absent if it waits for its customer. */
  at?: Moment;
  /** Asserts the end, whatever response the client got; repeats get the answer. */
  after(customer: PayingCustomer): Promise<void>;
}

const before = (step: Moment['step']): Moment => ({ step, moment: 'before' });
const after = (step: Moment['step']): Moment => ({ step, moment: 'after' });
const place = (customer: PayingCustomer) => customer.place();
const payWith = (card: string) => (customer: PayingCustomer) => customer.pay(card);
const actionIn = ({ body }: { body: { data: { paymentAction: { redirectUrl: string } } } }) =>
  body.data.paymentAction;

const PAID = { status: 'confirmed', paymentStatus: 'authorized' } as const;
const ASKED = { status: 202, body: { data: { paymentStatus: 'action_required' } } };

/** The client hears that the bank asks the customer, who authorises the payment. */
const authorisedAfter = (send: (customer: PayingCustomer) => ReturnType<PayingCustomer['place']>) =>
  async function authorised(customer: PayingCustomer): Promise<void> {
    const asked = await answerOf(() => send(customer));
    expect(asked).toMatchObject({ ...ASKED, isReplay: true });
    expect(await customer.answer('authorise', actionIn(asked))).toMatch(/have authorised/);
    await customer.expectEnd(PAID);
    expect(await answerOf(() => send(customer))).toMatchObject({ status: 201, isReplay: true });
  };

async function confirmed(customer: PayingCustomer): Promise<void> {
  expect(await answerOf(customer.confirm)).toMatchObject({ status: 201 });
  await customer.expectEnd(PAID);
  expect(await answerOf(customer.place)).toMatchObject({ status: 201, isReplay: true });
}

async function paidWith(customer: PayingCustomer, card: string): Promise<void> {
  expect(await answerOf(() => customer.pay(card))).toMatchObject({ status: 201, body: { data: PAID } });
  await customer.expectEnd(PAID);
  expect(await answerOf(() => customer.pay(card))).toMatchObject({ status: 201, isReplay: true });
}

const rejectedWith = (code: string) =>
  async function rejected(customer: PayingCustomer): Promise<void> {
    await customer.expectEnd({ status: 'rejected', paymentStatus: 'declined', reservation: 'released' });
    const { orderId } = customer;
    const told = { status: 402, isReplay: true, body: { code, orderId } };
    expect(await answerOf(customer.place)).toMatchObject(told);
  };
const notConfirmed = rejectedWith('payment_action_expired');

const confirming = {
  card: ASKS,
  async send(customer: PayingCustomer) {
    await customer.authorise();
    return customer.confirm();
  },
  after: confirmed,
};
const answering = (what: 'authorise' | 'fail') => async (customer: PayingCustomer) =>
  customer.answer(what, actionIn(await customer.read()));

const CASES: Record<string, Case> = {
  'placing in one step': {
    way: 'inline',
    card: ASKS,
    send: place,
    at: after('placeOrder'),
    after: authorisedAfter(place),
  },
  'before the payment is authorised': {
    way: 'queued',
    card: ASKS,
    send: place,
    at: before('authorizePayment'),
    after: authorisedAfter(place),
  },
  'when the bank has asked': {
    way: 'queued',
    card: ASKS,
    send: place,
    at: after('authorizePayment'),
    after: authorisedAfter(place),
  },
  'when it is saved that the bank has asked': {
    way: 'queued',
    card: ASKS,
    send: place,
    at: after('recordPayment'),
    after: authorisedAfter(place),
  },
  'while the customer is asked': { way: 'inline', card: ASKS, after: authorisedAfter(place) },
  'confirming in one step': { way: 'inline', ...confirming, at: after('checkPayment') },
  'confirming, before the question': { way: 'queued', ...confirming, at: before('inspectPayment') },
  'confirming, after the question': { way: 'queued', ...confirming, at: after('inspectPayment') },
  'authorising on the page': {
    way: 'inline',
    card: ASKS,
    send: answering('authorise'),
    at: before('checkPayment'),
    after: confirmed,
  },
  'failing on the page': {
    way: 'inline',
    card: ASKS,
    send: answering('fail'),
    at: after('checkPayment'),
    async after(customer) {
      const told = { status: 402, body: { code: 'payment_action_failed' } };
      expect(await answerOf(customer.confirm)).toMatchObject(told);
      await paidWith(customer, GOOD);
    },
  },
  'paying again in one step': {
    way: 'inline',
    card: DECLINED,
    send: payWith(GOOD),
    at: after('payOrder'),
    after: (customer) => paidWith(customer, GOOD),
  },
  'paying again, when that is intended': {
    way: 'queued',
    card: DECLINED,
    send: payWith(GOOD),
    at: after('payOrder'),
    after: (customer) => paidWith(customer, GOOD),
  },
  'paying again, before the payment is authorised': {
    way: 'queued',
    card: DECLINED,
    send: payWith(GOOD),
    at: before('authorizePayment'),
    after: (customer) => paidWith(customer, GOOD),
  },
  'paying again, when the payment is authorised': {
    way: 'queued',
    card: DECLINED,
    send: payWith(GOOD),
    at: after('authorizePayment'),
    after: (customer) => paidWith(customer, GOOD),
  },
  'paying again, when that is saved': {
    way: 'queued',
    card: DECLINED,
    send: payWith(GOOD),
    at: after('recordPayment'),
    after: (customer) => paidWith(customer, GOOD),
  },
  'paying again with a card that is declined, too': {
    way: 'inline',
    card: DECLINED,
    send: payWith(OTHER_DECLINED),
    at: after('payOrder'),
    async after(customer) {
      const told = { status: 402, body: { code: 'payment_declined', orderId: customer.orderId } };
      expect(await answerOf(() => customer.pay(OTHER_DECLINED))).toMatchObject(told);
      await paidWith(customer, OTHER_GOOD);
    },
  },
  'paying again with a card whose bank asks': {
    way: 'inline',
    card: DECLINED,
    send: payWith(OTHER_ASKS),
    at: after('payOrder'),
    after: authorisedAfter(payWith(OTHER_ASKS)),
  },
  'cancelling while the customer is asked': {
    way: 'inline',
    card: ASKS,
    send: (customer) => customer.cancel(),
    at: after('cancelOrder'),
    async after(customer) {
      expect(await answerOf(customer.cancel)).toMatchObject({ status: 200 });
      const end = { status: 'cancelled', paymentStatus: 'voided', reservation: 'released' } as const;
      await customer.expectEnd(end);
      await customer.authorise(); // too late
      await customer.expectEnd(end);
    },
  },
  'when the time of the customer is over': {
    way: 'hasty',
    card: ASKS,
    send: place,
    at: before('checkPayment'),
    after: notConfirmed,
  },
  'when it is saved that the time of the customer is over': {
    way: 'hasty',
    card: ASKS,
    send: place,
    at: after('checkPayment'),
    after: notConfirmed,
  },
  'before the payment is voided that was not confirmed': {
    way: 'hasty',
    card: ASKS,
    send: place,
    at: before('voidPayment'),
    after: notConfirmed,
  },
  'when the payment is voided that was not confirmed': {
    way: 'hasty',
    card: ASKS,
    send: place,
    at: after('voidPayment'),
    after: notConfirmed,
  },
  'when no other card was tried in time': {
    way: 'hasty',
    card: DECLINED,
    send: place,
    at: after('giveUpPayment'),
    after: rejectedWith('payment_declined'),
  },
};

const gates = createGates();
const POLICIES: Record<'patient' | 'hasty', NodeJS.ProcessEnv> = {
  patient: { PAYMENT_RETRY_WINDOW: '1h' },
  hasty: { PAYMENT_ACTION_DEADLINE: '1s', PAYMENT_RETRY_WINDOW: '1s' },
};
let outages: Outages;
/** The shops whose customers have time, or have not. */
let shops: Record<'patient' | 'hasty', Shop>;
let workers: TestWorker[];
let apis: Record<Exclude<Way, 'inline'>, RunningServer>;
let api: { process: NodeProcess; env: NodeJS.ProcessEnv; url: string };

beforeAll(async () => {
  outages = await openOutages();
  shops = { patient: await outages.openShop(), hasty: await outages.openShop() };
  const [port] = (await freePorts(1)) as [number];
  const url = `http://127.0.0.1:${port}/orders-management-system`;
  POLICIES.patient.PAYMENT_SANDBOX_URL = url;
  const env = { ...apiEnv(shops.patient), PORT: String(port), LOG_LEVEL: 'info' };
  api = { env, url, process: await startApi(env) };
  const queued = { PORT: '0', PAYMENTS_INLINE: 'false' };
  const logger = pino({ level: 'silent' });
  apis = {
    queued: await startServer(testConfig({ ...apiEnv(shops.patient), ...queued }), logger),
    hasty: await startServer(testConfig({ ...apiEnv(shops.hasty), ...queued }), logger),
  };
  workers = await startWorkers();
});
afterAll(async () => {
  api?.process.kill('SIGKILL');
  await Promise.all(Object.values(apis ?? {}).map((running) => running.close()));
  await outages?.close();
});

const apiEnv = ({ db, taskQueue }: Shop): NodeJS.ProcessEnv => ({
  NODE_ENV: 'test',
  WEB_CONCURRENCY: '1',
  JWT_SECRET,
  PLACE_ORDER_TIMEOUT_MS: UNLIMITED,
  ORDER_COMMAND_TIMEOUT_MS: UNLIMITED,
  MAX_DECLINES_PER_ADDRESS: '0',
  MONGODB_URI: db.uri,
  TEMPORAL_ADDRESS: outages.servers.temporal.address,
  ...taskQueueEnv(taskQueue),
});

async function startApi(env: NodeJS.ProcessEnv): Promise<NodeProcess> {
  const started = spawnNode([SERVER], env);
  await started.line(/API listening/);
  return started;
}

const POLICY_NAMES = ['patient', 'hasty'] as const;
const startWorkers = () =>
  Promise.all(POLICY_NAMES.map((name) => shops[name].startWorker(gates.sabotage, undefined, POLICIES[name])));

interface Interrupted extends Case {
  name: string;
  customer: PayingCustomer;
}

const shopOf = ({ way }: Case): 'patient' | 'hasty' => (way === 'hasty' ? way : 'patient');

async function begin([name, one]: [string, Case]): Promise<Interrupted> {
  const url = one.way === 'inline' ? api.url : apis[one.way].url;
  const customer = await createPayingCustomer(shops[shopOf(one)], url, one.card);
  if (one.send !== place) await answerOf(customer.place);
  return { name, ...one, customer };
}

/** Has all orders wait at their moments, and kills the victim then. Returns when it runs again. */
async function killDuring(victim: Victim, orders: readonly Interrupted[]): Promise<void> {
  const send = async ({ send: sent, customer }: Interrupted) => sent?.(customer).catch(() => undefined);
  if (victim === 'worker') return killWorkers(orders, send);
  const areThere = orders.map(async ({ at, customer }) => at && gates.hold(customer.orderId, at));
  const pending = orders.map(send);
  await Promise.all(areThere);
  if (victim === 'api') {
    api.process.kill('SIGKILL');
    await api.process.ended;
  } else {
    await outages.servers[victim].kill();
  }
  gates.open();
  if (victim === 'api') api.process = await startApi(api.env);
  else await outages.restart(victim);
  await Promise.all(pending);
}

/** Each queue has a worker process then, which kills itself when all of its orders are there. */
async function killWorkers(
  orders: readonly Interrupted[],
  send: (order: Interrupted) => Promise<unknown>,
): Promise<void> {
  await Promise.all(workers.map((worker) => worker.stop()));
  const doomed = POLICY_NAMES.map((name) => {
    const { db, taskQueue } = shops[name];
    const crashes = orders
      .filter((order) => order.at && shopOf(order) === name)
      .map(({ at, customer: { orderId } }) => ({ orderId, ...at }));
    return spawnNode(['--import', 'tsx', WORKER], {
      ...process.env,
      ...POLICIES[name],
      MONGODB_URI: db.uri,
      TASK_QUEUE: taskQueue,
      CRASHES: JSON.stringify(crashes),
    });
  });
  await Promise.all(doomed.map((worker) => worker.line(/worker started/)));
  const pending = orders.map(send);
  expect(await Promise.all(doomed.map((worker) => worker.ended))).toEqual(['SIGKILL', 'SIGKILL']);
  workers = await startWorkers();
  await Promise.all(pending);
}

async function expectEnd({ name, after: hold, customer }: Interrupted): Promise<void> {
  await hold(customer).catch((error: Error) => {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  });
}

const VICTIMS = ['api', 'worker', 'temporal', 'mongodb'] as const;

it.each(sample('e2e/outages-during-payments: victims', VICTIMS))(
  'when %s is killed while customers confirm payments and try other cards, nothing is lost and nothing happens twice',
  async (victim) => {
    const cases = Object.entries(CASES).filter(([, { way }]) => victim !== 'api' || way === 'inline');
    const orders = await Promise.all(cases.map(begin));
    await killDuring(victim, orders);
    const ends = await Promise.allSettled(orders.map(expectEnd));
    expect(ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []))).toEqual([]);
  },
);
