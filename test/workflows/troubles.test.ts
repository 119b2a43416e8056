import type { Order } from '../../src/domain/order';
import { PaymentRefused } from '../../src/domain/errors';
import type { AppError } from '../../src/errors/app-error';
import { createOrderService } from '../../src/orders/orders.service';
import { orderWorkflowId } from '../../workflows/contract';
import { currentDetailsOf } from '../support/current-details';
import { recordHistory } from '../support/histories';
import { eventually } from '../support/eventually';
import { deferred } from './saga/deferred';
import { PASSING_FAULTS, failingForGood } from './saga/faults';
import { SCENARIOS, type Scenario } from './saga/scenarios';
import { beginSaga, openFaultyShop, outcomeOf, type Saga, type FaultyShop } from './saga/saga';
import type { Fault } from './saga/fault-injector';

/** Orders in trouble, and how each ends: every way is one of the recorded histories. */
let faulty: FaultyShop;
beforeAll(async () => {
  faulty = await openFaultyShop();
  await faulty.startWorker();
});
afterAll(() => faulty.shop.close());

const scenarioOf = (name: string): Scenario => SCENARIOS.find((scenario) => scenario.name === name)!;
const ADMIN = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;
const STEP = 'voidPayment-1';
const handleOf = ({ orderId }: Saga) =>
  faulty.shop.temporal.client.workflow.getHandle(orderWorkflowId(orderId));
const record = (name: string, saga: Saga) => recordHistory(name, handleOf(saga));

/** Fails until the outage ends. */
function outage(error: () => Error = () => new Error('It is down.')) {
  let isOver = false;
  const fault: Fault = async (_attempt, effect) => {
    if (!isOver) throw error();
    return effect();
  };
  return { fault, end: () => void (isOver = true) };
}

function resolve({ orderId }: Saga, note: string): Promise<unknown> {
  const service = createOrderService(faulty.shop);
  return service.resolveCompensation(orderId, ADMIN, { step: STEP, note });
}

const retry = ({ orderId }: Saga): Promise<Order> =>
  createOrderService(faulty.shop).retryCompensation(orderId, ADMIN, { step: STEP });

const outcomeOrProblem = (command: Promise<unknown>): Promise<string> =>
  command.then(
    () => 'done',
    (error: AppError) => `${error.code}: ${error.message}`,
  );

async function begun(name: string, moves = 1): Promise<Saga> {
  const saga = await beginSaga(faulty, scenarioOf(name));
  for (let move = 0; move < moves; move++) await saga.make(move);
  return saga;
}

async function eventsOf(saga: Saga, attributes: string): Promise<number> {
  const { events } = await handleOf(saga).fetchHistory();
  return events!.filter((event) => event[attributes as keyof typeof event]).length;
}

const isShownPending = async (saga: Saga) => {
  const { typedSearchAttributes } = await handleOf(saga).describe();
  return typedSearchAttributes.getAll().some(({ key, value }) => key.name === 'CompensationPending' && value);
};

const detailsOf = (saga: Saga) => currentDetailsOf(handleOf(saga));

it.concurrent.each([
  ['placeOrder', ['placeOrder']],
  ['openOrder', ['placeOrder', 'openOrder']],
  ['authorizePayment', ['authorizePayment']],
  ['recordPayment', ['recordPayment']],
])('places an order whose %s fails at first', async (last, steps) => {
  const saga = await beginSaga(faulty, scenarioOf('placed'));
  for (const step of steps) saga.inject(step, PASSING_FAULTS['fails at first']);
  expect(outcomeOf(await saga.make(0))).toBe('confirmed');
  expect(saga.faultySteps()).toEqual(steps);
  await record(`${last}-retried`, saga);
  await saga.end();
});

it.concurrent('withdraws an amendment for which there is no stock, and voids its payment', async () => {
  const saga = await begun('amended to more');
  const items = [{ productServiceId: saga.productId, quantity: 99 }];
  expect(await saga.customer.amend({ items })).toBe('out_of_stock');
  await saga.settled();
  await record('amendment-out_of_stock', saga);
  await saga.end();
});

it.concurrent('withdraws an amendment whose payment is declined', async () => {
  const saga = await begun('amended to more');
  saga.inject('authorizePayment#2', failingForGood('authorizePayment'));
  expect(await saga.make(1)).toBe('payment_declined');
  await record('amendment-payment_declined', saga);
  await saga.end();
});

it.concurrent('rejects a fulfillment whose payment cannot be captured', async () => {
  const saga = await begun('refunded');
  saga.inject('capturePayment', failingForGood('capturePayment'));
  expect(await saga.make(1)).toBe('invalid_transition');
  await record('capture-refused', saga);
  await saga.end();
});

it.concurrent('retries voiding a payment that the payment service refuses to void', async () => {
  const saga = await begun('cancelled');
  let attempts = 0;
  const { fault, end } = outage(() => {
    attempts++;
    return new PaymentRefused('A person has to look.');
  });
  saga.inject('voidPayment', fault);
  expect(await saga.make(1)).toMatchObject({
    compensations: [{ step: STEP, state: 'pending', failure: 'A person has to look.' }],
  });
  // The first timer is the one for the deadline.
  await eventually(async () => expect(await eventsOf(saga, 'timerStartedEventAttributes')).toBe(2));
  const { version } = (await saga.customer.stored())!;
  const { events } = await handleOf(saga).fetchHistory();
  const timer = events!.findLast((event) => event.timerStartedEventAttributes)!.timerStartedEventAttributes!;
  expect(Number(timer.startToFireTimeout!.seconds)).toBeLessThanOrEqual(60);
  const before = attempts;
  expect(await saga.customer.retry(STEP)).toMatchObject({ version, compensations: [{ state: 'pending' }] });
  expect(attempts).toBeGreaterThan(before);
  await record('compensation-refused-again', saga);
  end();
  expect(await saga.customer.retry(STEP)).toMatchObject({ paymentStatus: 'voided', compensations: [] });
  await handleOf(saga).result();
  await record('compensation-refused-and-retried', saga);
  await saga.end();
});

it.concurrent(
  'tries to void a payment four times before it is recorded as pending, and then without limit',
  async () => {
    const saga = await begun('cancelled');
    const { fault, end } = outage();
    const states: unknown[] = [];
    saga.inject('voidPayment', async (attempt, effect) => {
      states.push((await saga.customer.stored())!.compensations[0]?.state);
      return fault(attempt, effect);
    });
    expect(await saga.make(1)).toMatchObject({ compensations: [{ state: 'pending' }] });
    expect(states.slice(0, 4)).toEqual(['owed', 'owed', 'owed', 'owed']);
    const scheduled = 'activityTaskScheduledEventAttributes';
    await eventually(async () => expect(await eventsOf(saga, scheduled)).toBeGreaterThanOrEqual(4));
    await record('compensation-pending', saga);
    end();
    await saga.customer.retry(STEP);
    await saga.end();
  },
);

it.concurrent.each([
  ['cancellation-stuck', 'cancelled', 1, 'cancelOrder', 'cancelled', 4],
  ['delivery-stuck', 'refunded when completed', 2, 'deliverFulfillment', 'completed', undefined],
])(
  'carries out what closes an order when MongoDB is back: %s',
  async (name, scenario, move, step, status, shownAfter) => {
    const saga = await begun(scenario, move);
    const failures: number[] = [];
    const { fault, end } = outage();
    saga.inject(step, (attempt, effect) => {
      failures.push(attempt.number);
      return fault(attempt, effect);
    });
    const outcome = saga.make(move);
    // The step is scheduled again when its few attempts have failed.
    await eventually(async () => {
      const { events } = await handleOf(saga).fetchHistory();
      const names = events!.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
      expect(names.filter((one) => one === step)).toHaveLength(2);
    });
    // A cancellation is shown as pending after four attempts; a delivery is no compensation.
    if (shownAfter) expect(failures.length).toBeGreaterThanOrEqual(shownAfter);
    expect(await isShownPending(saga)).toBe(shownAfter !== undefined);
    expect(await detailsOf(saga)).toContain(`\`${step}\` keeps failing (It is down.)`);
    end();
    expect(outcomeOf(await outcome)).toBe(status);
    await handleOf(saga).result();
    await record(name, saga);
    await saga.end();
  },
);

it.concurrent(
  'keeps the workflow of an order that is cancelled in Temporal until its payment is voided',
  async () => {
    const saga = await begun('cancelled');
    const { fault, end } = outage();
    saga.inject('voidPayment', fault);
    await handleOf(saga).cancel();
    await eventually(async () => expect(await isShownPending(saga)).toBe(true));
    end();
    expect(await saga.customer.retry(STEP)).toMatchObject({ paymentStatus: 'voided', compensations: [] });
    await expect(handleOf(saga).result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    await record('cancelled-in-temporal-and-owing', saga);
    await saga.end();
  },
);

it.concurrent(
  'restarts a terminated workflow of an order that is confirmed, or has an outstanding compensation',
  async () => {
    const saga = await begun('cancelled');
    await handleOf(saga).terminate();
    const { fault, end } = outage();
    saga.inject('voidPayment', fault);
    expect((await saga.make(1)) as Order).toMatchObject({ status: 'cancelled' });
    await record('resumed-and-owing', saga);
    await handleOf(saga).terminate();
    end();
    expect(await retry(saga)).toMatchObject({ paymentStatus: 'voided' });
    await handleOf(saga).result();
    await record('compensation-resumed', saga);
    await saga.end();
  },
);

it.concurrent('keeps an order open of which all but the last fulfillment is delivered', async () => {
  const saga = await begun('delivered in parts', 4);
  expect(await saga.customer.stored()).toMatchObject({ status: 'confirmed', captured: 7_136 });
  await record('delivered-but-the-last', saga);
  await saga.end();
});

it.concurrent('rejects resolving a compensation whose payment is voided at that moment', async () => {
  const saga = await begun('cancelled');
  const [reached, released] = [deferred(), deferred()];
  saga.inject('voidPayment', async ({ number }, effect) => {
    if (number <= 4) throw new Error('It is down.');
    reached.resolve();
    await released.promise;
    return effect();
  });
  await saga.make(1);
  await reached.promise;
  const resolved = outcomeOrProblem(resolve(saga, 'Paid back by bank transfer'));
  await eventually(async () => {
    expect(await eventsOf(saga, 'workflowExecutionUpdateAcceptedEventAttributes')).toBeGreaterThanOrEqual(3);
  });
  released.resolve();
  expect(await resolved).toBe(
    'invalid_transition: The payment service has just voided or refunded this payment: do not pay the customer back again.',
  );
  expect(await saga.customer.stored()).toMatchObject({ paymentStatus: 'voided', compensations: [] });
  await handleOf(saga).result();
  await record('resolved-too-late', saga);
  await saga.end();
});

it.concurrent('keeps one of two resolutions that come at once, and rejects the other', async () => {
  const saga = await begun('cancelled');
  const { fault } = outage();
  saga.inject('voidPayment', fault);
  await saga.make(1);
  const outcomes = await Promise.all(
    ['Paid in cash', 'Paid by bank'].map((note) => outcomeOrProblem(resolve(saga, note))),
  );
  const kept = outcomes.filter((outcome) => outcome === 'done');
  expect(kept).toHaveLength(1);
  // The second one has come either while the first was being recorded, or after it.
  expect(outcomes.find((outcome) => outcome !== 'done')).toMatch(
    /^(invalid_transition: Another operator|not_found)/,
  );
  const notes = (await saga.customer.stored())!.compensations.map(({ resolution }) => resolution!.note);
  expect(notes).toEqual([['Paid in cash', 'Paid by bank'][outcomes.indexOf('done')]]);
});

it.concurrent(
  'voids a payment in a new workflow when a compensation is retried that has never failed',
  async () => {
    const saga = await begun('cancelled');
    const { fault, end } = outage();
    saga.inject('voidPayment', fault);
    const cancelled = saga.make(1);
    await eventually(async () => expect(await saga.customer.stored()).toMatchObject({ status: 'cancelled' }));
    await handleOf(saga).terminate();
    await cancelled;
    end();
    expect(await saga.customer.stored()).toMatchObject({ compensations: [{ step: STEP, state: 'owed' }] });
    expect(await retry(saga)).toMatchObject({ paymentStatus: 'voided', compensations: [] });
    await handleOf(saga).result();
    await saga.end();
  },
);
