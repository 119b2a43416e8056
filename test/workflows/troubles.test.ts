import type { Order } from '../../src/domain/order';
import { PaymentRefused } from '../../src/domain/errors';
import type { AppError } from '../../src/errors/app-error';
import { createOrderService } from '../../src/orders/orders.service';
import { orderWorkflowId } from '../../workflows/contract';
import { recordHistory } from '../support/histories';
import { eventually } from '../support/eventually';
import { deferred } from './saga/deferred';
import { PASSING_FAULTS, sayingNo } from './saga/faults';
import { LIVES, type Life } from './saga/lives';
import { beginSaga, openSpoiledShop, wordOf, type Saga, type SpoiledShop } from './saga/saga';
import type { Fault } from './saga/saboteur';

/** What orders get into, and how they get out of it: each way is one of the recorded histories. */
let spoiled: SpoiledShop;
beforeAll(async () => {
  spoiled = await openSpoiledShop();
  await spoiled.startWorker();
});
afterAll(() => spoiled.shop.close());

const lifeOf = (name: string): Life => LIVES.find((life) => life.name === name)!;
const ADMIN = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;
const STEP = 'voidPayment-1';
const handleOf = ({ orderId }: Saga) =>
  spoiled.shop.temporal.client.workflow.getHandle(orderWorkflowId(orderId));
const record = (name: string, saga: Saga) => recordHistory(name, handleOf(saga));

/** Fails until it is told to work. */
function outage(error: () => Error = () => new Error('It is down.')) {
  let isOver = false;
  const fault: Fault = async (_attempt, effect) => {
    if (!isOver) throw error();
    return effect();
  };
  return { fault, end: () => void (isOver = true) };
}

function resolve({ orderId }: Saga, note: string): Promise<unknown> {
  const service = createOrderService(spoiled.shop);
  return service.resolveCompensation(orderId, ADMIN, { step: STEP, note });
}

const retry = ({ orderId }: Saga): Promise<Order> =>
  createOrderService(spoiled.shop).retryCompensation(orderId, ADMIN, { step: STEP });

const told = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'done',
    (error: AppError) => `${error.code}: ${error.message}`,
  );

async function begun(name: string, moves = 1): Promise<Saga> {
  const saga = await beginSaga(spoiled, lifeOf(name));
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

const detailsOf = async (saga: Saga) => {
  const query = handleOf(saga).query<{ currentDetails: string }>('__temporal_workflow_metadata');
  return (await query).currentDetails;
};

it.each(['priceOrder', 'openOrder', 'confirmOrder'])(
  'places an order whose %s fails at first',
  async (step) => {
    const saga = await beginSaga(spoiled, lifeOf('placed'));
    saga.spoil(step, PASSING_FAULTS['fails at first']);
    expect(wordOf(await saga.make(0))).toBe('confirmed');
    await record(`${step}-retried`, saga);
    await saga.end();
  },
);

it('an amendment for which there is no stock is withdrawn, and its payment given back', async () => {
  const saga = await begun('amended to more');
  const items = [{ productServiceId: saga.productId, quantity: 99 }];
  expect(await saga.customer.amend({ items })).toBe('out_of_stock');
  await saga.settled();
  await record('amendment-out_of_stock', saga);
  await saga.end();
});

it('an amendment whose payment is declined is withdrawn', async () => {
  const saga = await begun('amended to more');
  saga.spoil('authorizePayment#2', sayingNo('authorizePayment'));
  expect(await saga.make(1)).toBe('payment_declined');
  await record('amendment-payment_declined', saga);
  await saga.end();
});

it('a fulfillment whose payment cannot be captured is refused', async () => {
  const saga = await begun('refunded');
  saga.spoil('capturePayment', sayingNo('capturePayment'));
  expect(await saga.make(1)).toBe('invalid_transition');
  await record('capture-refused', saga);
  await saga.end();
});

it('what the payment service refuses to give back is asked of it again', async () => {
  const saga = await begun('cancelled');
  let attempts = 0;
  const { fault, end } = outage(() => {
    attempts++;
    return new PaymentRefused('A person has to look.');
  });
  saga.spoil('voidPayment', fault);
  expect(await saga.make(1)).toMatchObject({
    compensations: [{ step: STEP, state: 'pending', failure: 'A person has to look.' }],
  });
  // The first timer is that of the deadline.
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

it('what cannot be given back is tried four times before the order says so, and without limit from then on', async () => {
  const saga = await begun('cancelled');
  const { fault, end } = outage();
  const states: unknown[] = [];
  saga.spoil('voidPayment', async (attempt, effect) => {
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
});

it.each([
  ['cancellation-stuck', 'cancelled', 1, 'cancelOrder', 'cancelled', 4],
  ['delivery-stuck', 'refunded when completed', 2, 'deliverFulfillment', 'completed', undefined],
])(
  'what closes an order is done when MongoDB is back: %s',
  async (name, life, move, step, status, shownAfter) => {
    const saga = await begun(life, move);
    const failures: number[] = [];
    const { fault, end } = outage();
    saga.spoil(step, (attempt, effect) => {
      failures.push(attempt.number);
      return fault(attempt, effect);
    });
    const answer = saga.make(move);
    // Each of them schedules the step again when its few attempts are used up.
    await eventually(async () => {
      const { events } = await handleOf(saga).fetchHistory();
      const names = events!.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
      expect(names.filter((one) => one === step)).toHaveLength(2);
    });
    // Undoing shows from the fifth attempt on; a delivery undoes nothing.
    if (shownAfter) expect(failures.length).toBeGreaterThanOrEqual(shownAfter);
    expect(await isShownPending(saga)).toBe(shownAfter !== undefined);
    expect(await detailsOf(saga)).toContain(`\`${step}\` keeps failing (It is down.)`);
    end();
    expect(wordOf(await answer)).toBe(status);
    await handleOf(saga).result();
    await record(name, saga);
    await saga.end();
  },
);

it('an order that is cancelled in Temporal owes on, and its workflow ends when nothing is owed', async () => {
  const saga = await begun('cancelled');
  const { fault, end } = outage();
  saga.spoil('voidPayment', fault);
  await handleOf(saga).cancel();
  await eventually(async () => expect(await isShownPending(saga)).toBe(true));
  end();
  expect(await saga.customer.retry(STEP)).toMatchObject({ paymentStatus: 'voided', compensations: [] });
  await expect(handleOf(saga).result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  await record('cancelled-in-temporal-and-owing', saga);
  await saga.end();
});

it('an order whose workflow was terminated is taken up again, confirmed or owing', async () => {
  const saga = await begun('cancelled');
  await handleOf(saga).terminate();
  const { fault, end } = outage();
  saga.spoil('voidPayment', fault); // of what an amendment may have reserved
  saga.spoil('voidPayment#2', fault);
  expect((await saga.make(1)) as Order).toMatchObject({ status: 'cancelled' });
  await record('taken-up-again-and-void', saga);
  await handleOf(saga).terminate();
  end();
  expect(await retry(saga)).toMatchObject({ paymentStatus: 'voided' });
  await handleOf(saga).result();
  await record('compensation-taken-up-again', saga);
  await saga.end();
});

it('an order of which all but the last is delivered stays open', async () => {
  const saga = await begun('delivered in parts', 4);
  expect(await saga.customer.stored()).toMatchObject({ status: 'confirmed', captured: 7_136 });
  await record('delivered-but-the-last', saga);
  await saga.end();
});

it('who says that a payment was settled by hand while it is being given back is told so', async () => {
  const saga = await begun('cancelled');
  const [reached, released] = [deferred(), deferred()];
  saga.spoil('voidPayment', async ({ number }, effect) => {
    if (number <= 4) throw new Error('It is down.');
    reached.resolve();
    await released.promise;
    return effect();
  });
  await saga.make(1);
  await reached.promise;
  const resolved = told(resolve(saga, 'Paid back by bank transfer'));
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

it('the word of one of two who say that they settled a payment by hand is kept, and the other told so', async () => {
  const saga = await begun('cancelled');
  const { fault } = outage();
  saga.spoil('voidPayment', fault);
  await saga.make(1);
  const answers = await Promise.all(
    ['Paid in cash', 'Paid by bank'].map((note) => told(resolve(saga, note))),
  );
  const kept = answers.filter((answer) => answer === 'done');
  expect(kept).toHaveLength(1);
  // The second one has either come while the first was being heard, or after it.
  expect(answers.find((answer) => answer !== 'done')).toMatch(
    /^(invalid_transition: Another operator|not_found)/,
  );
  const notes = (await saga.customer.stored())!.compensations.map(({ resolution }) => resolution!.note);
  expect(notes).toEqual([['Paid in cash', 'Paid by bank'][answers.indexOf('done')]]);
});

it('a payment that is owed, and has not been seen to fail, is given back by a new workflow when told so', async () => {
  const saga = await begun('cancelled');
  const { fault, end } = outage();
  saga.spoil('voidPayment', fault);
  const cancelled = saga.make(1);
  await eventually(async () => expect(await saga.customer.stored()).toMatchObject({ status: 'cancelled' }));
  await handleOf(saga).terminate();
  await cancelled;
  end();
  expect(await saga.customer.stored()).toMatchObject({ compensations: [{ step: STEP, state: 'owed' }] });
  expect(await retry(saga)).toMatchObject({ paymentStatus: 'voided', compensations: [] });
  await handleOf(saga).result();
  await saga.end();
});
