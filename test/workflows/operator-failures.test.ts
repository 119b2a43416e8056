import { Context } from '@temporalio/activity';
import { defaultPayloadConverter } from '@temporalio/common';
import { eventually } from '../support/eventually';
import { expectConsistency, ledgerOf } from '../support/consistency';
import { orderRequest } from '../support/shop';
import { deferred } from './saga/deferred';
import type { Fault } from './saga/fault-injector';
import { beginSaga, openFaultyShop, outcomeOf, type FaultyShop, type Saga } from './saga/saga';
import { AVAILABLE, ORDERED, SCENARIOS } from './saga/scenarios';

/** Activities that an operator fails or completes by hand: the order is carried on, or what it holds is released. */
let faulty: FaultyShop;
beforeAll(async () => {
  faulty = await openFaultyShop();
  await faulty.startWorker();
});
afterAll(() => faulty.shop.close());

type Hand = 'fails' | 'completes';

/** An activity that runs for as long as the test. */
interface Hanging {
  activityId: string;
  workflowId: string;
}

/**
 * Makes a step hang as a regular activity until an operator has ended it as often as there are hands, and then work.
 * @param effectFirst whether the step has its effect before it hangs
 */
function endedByHand(hands: readonly Hand[], { effectFirst = false } = {}) {
  const over = deferred();
  const hanging: Hanging[] = [];
  const fault: Fault = async (_attempt, effect) => {
    const { isLocal, activityId, workflowExecution } = Context.current().info;
    if (isLocal) throw new Error('The worker of this order is busy.');
    if (hanging.length === hands.length) return effect();
    if (effectFirst) await effect();
    hanging.push({ activityId, workflowId: workflowExecution!.workflowId });
    await over.promise;
    throw new Error('This attempt has ended long ago.');
  };
  return {
    fault,
    over,
    /** Ends the step each time that it hangs. */
    async endByHand(): Promise<void> {
      for (const [n, hand] of hands.entries()) {
        await eventually(async () => expect(hanging.length).toBe(n + 1));
        await end(hanging[n]!, hand);
      }
    },
  };
}

/** Does what `temporal activity fail` and `temporal activity complete` do. */
async function end({ workflowId, activityId }: Hanging, hand: Hand): Promise<void> {
  const { workflowService, options } = faulty.shop.temporal.client;
  const activity = { namespace: options.namespace, workflowId, activityId, identity: 'operator' };
  if (hand === 'fails') {
    const failure = { message: 'It takes too long.', applicationFailureInfo: { nonRetryable: true } };
    await workflowService.respondActivityTaskFailedById({ ...activity, failure });
  } else {
    const result = { payloads: [defaultPayloadConverter.toPayload({ done: 'as far as I know' })] };
    await workflowService.respondActivityTaskCompletedById({ ...activity, result });
  }
}

async function begun(name: string, moves = 0): Promise<Saga> {
  const saga = await beginSaga(
    faulty,
    SCENARIOS.find((scenario) => scenario.name === name)!,
  );
  for (let move = 0; move < moves; move++) await saga.make(move);
  return saga;
}

it.concurrent.each([
  ['openOrder', 'placed', 0],
  ['recordPayment', 'placed', 0],
  ['amendOrder', 'amended to more', 1],
  ['recordPayment#2', 'amended to more', 1],
  ['fulfillOrder', 'refunded', 1],
  ['capturePayment', 'refunded', 1],
  ['refundOrder', 'refunded', 2],
  ['refundPayment', 'refunded', 2],
  ['deliverFulfillment', 'refunded when completed', 2],
  ['cancelOrder', 'cancelled', 1],
  ['recordCompensation', 'cancelled', 1],
  ['loadOrder', 'cancelled', 2],
  ['archiveOrder', 'cancelled', 2],
])(
  'an operator who fails %s, and completes it by hand, does not change how an order is %s',
  async (step, name, move) => {
    const [undisturbed, saga] = [await begun(name, move), await begun(name, move)];
    const { fault, over, endByHand } = endedByHand(['fails', 'completes']);
    if (step === 'openOrder') saga.inject('placeOrder', async () => Promise.reject(new Error('It is down.')));
    saga.inject(step, fault);
    const [expected, outcome] = await Promise.all([undisturbed.make(move), saga.make(move), endByHand()]);
    expect(outcomeOf(outcome)).toBe(outcomeOf(expected));
    await Promise.all([undisturbed.settled(), saga.settled()]);
    expect(await saga.rest()).toEqual(await undisturbed.rest());
    over.resolve();
    await saga.end();
  },
);

it.concurrent('an operator who fails resumeOrder delays the order that is resumed', async () => {
  const saga = await begun('cancelled', 1);
  await faulty.shop.temporal.client.workflow.getHandle(`order-${saga.orderId}`).terminate();
  const { fault, over, endByHand } = endedByHand(['fails']);
  saga.inject('resumeOrder', fault);
  const [outcome] = await Promise.all([saga.make(1), endByHand()]);
  expect(outcomeOf(outcome)).toBe('cancelled');
  over.resolve();
  await saga.settled();
  await saga.end();
});

it.concurrent('an order expires although an operator fails its cancellation', async () => {
  const { shop, injector } = faulty;
  const { id: productId } = await shop.sell({ available: AVAILABLE });
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: ORDERED }] });
  const { fault, over, endByHand } = endedByHand(['fails']);
  injector.plan(request.orderId, { faults: new Map([['cancelOrder', fault]]) });
  await shop.withPolicy({ fulfillmentDeadlineMs: 500 }).place(request);
  await endByHand();
  const { client } = shop.temporal;
  const result = client.workflow.getHandle(`order-${request.orderId}`).result();
  expect(await result).toEqual({ status: 'cancelled' });
  over.resolve();
  const order = (await shop.orders.findById(request.orderId))!;
  expect(order).toMatchObject({ paymentStatus: 'voided', compensations: [] });
  await expectConsistency(shop, { productId, initial: AVAILABLE, orders: [order] });
});

it.concurrent.each<Hand>(['fails', 'completes'])(
  'a payment is voided in the end although an operator %s voidPayment by hand',
  async (hand) => {
    const saga = await begun('cancelled', 1);
    const { fault, over, endByHand } = endedByHand([hand]);
    saga.inject('voidPayment', fault);
    const [outcome] = await Promise.all([saga.make(1), endByHand()]);
    expect(outcomeOf(outcome)).toBe('cancelled');
    over.resolve();
    expect(await saga.rest()).toMatchObject({ order: { paymentStatus: 'voided', owed: [] } });
    await saga.end();
  },
);

it.concurrent('an operator who ends voidPayment again and again can still have it retried', async () => {
  const saga = await begun('cancelled', 1);
  const { fault, over, endByHand } = endedByHand(['fails', 'fails']);
  saga.inject('voidPayment', fault);
  const [outcome] = await Promise.all([saga.make(1), endByHand()]);
  expect(outcome).toMatchObject({ compensations: [{ state: 'pending', failure: 'It takes too long.' }] });
  expect(await saga.customer.retry('voidPayment-1')).toMatchObject({ paymentStatus: 'voided' });
  over.resolve();
  await saga.settled();
  await saga.record('compensation-failed-by-hand');
  await saga.end();
});

describe('an operator who ends authorizePayment by hand', () => {
  it.concurrent.each<[Hand]>([['fails'], ['completes']])(
    'rejects the order if nothing is reserved, and nothing can be reserved later (%s)',
    async (hand) => {
      const saga = await begun('placed');
      const { fault, over, endByHand } = endedByHand([hand]);
      saga.inject('authorizePayment', fault);
      const [outcome] = await Promise.all([saga.make(0), endByHand()]);
      expect(outcome).toMatchObject({ status: 'rejected', rejection: { code: 'payment_declined' } });
      over.resolve();
      expect(await saga.rest()).toMatchObject({
        order: { paymentStatus: 'declined', reservation: 'released', owed: [] },
        workflow: 'COMPLETED',
      });
      await saga.end();
    },
  );

  it.concurrent('confirms the order if the payment is reserved', async () => {
    const saga = await begun('placed');
    const { fault, over, endByHand } = endedByHand(['fails'], { effectFirst: true });
    saga.inject('authorizePayment', fault);
    const [outcome] = await Promise.all([saga.make(0), endByHand()]);
    expect(outcomeOf(outcome)).toBe('confirmed');
    over.resolve();
    await saga.end();
  });

  it.concurrent('and the question for it rejects the order, and voids what is reserved', async () => {
    const saga = await begun('placed');
    const [authorizing, asking] = [endedByHand(['fails'], { effectFirst: true }), endedByHand(['fails'])];
    saga.inject('authorizePayment', authorizing.fault);
    saga.inject('findAuthorization', asking.fault);
    const hands = Promise.all([authorizing.endByHand(), asking.endByHand()]);
    expect(outcomeOf(await saga.make(0))).toBe('rejected');
    await hands;
    for (const { over } of [authorizing, asking]) over.resolve();
    expect(await saga.rest()).toMatchObject({ order: { paymentStatus: 'voided', owed: [] } });
    await saga.end();
  });

  it.concurrent('turns an amendment down, and keeps the order and its payment', async () => {
    const saga = await begun('amended to more', 1);
    const { fault, over, endByHand } = endedByHand(['fails']);
    saga.inject('authorizePayment#2', fault);
    const [outcome] = await Promise.all([saga.make(1), endByHand()]);
    expect(outcome).toBe('service_unavailable');
    over.resolve();
    await saga.settled();
    expect(await ledgerOf(faulty.shop, saga.orderId)).toMatchObject({ open: 7_136 });
    expect(await saga.rest()).toMatchObject({
      order: { status: 'confirmed', items: [{ ordered: 3, cancelled: 0 }] },
    });
    await saga.end();
  });
});
