import { Client, Connection } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type { OrderView } from '../../../src/orders/order-view';
import { createCaller, type Call, type Caller } from '../clients/caller';
import { calls, openLines } from '../clients/calls';
import { openShop, type Shop } from '../clients/shop';
import { handsOn, isMade, type Done, type Hand } from '../hands';
import { judge } from '../judge';
import { showsNothing } from '../history';
import { openCallLog, readCallLog, type CallRecord } from '../log';
import { randomOf } from '../random';
import { callsOf, messagesOf, type Finding, type Run } from '../report';
import type { Rig } from '../rig/rig';
import { settle } from '../settle';
import { onRig, type Scenario, type ScenarioOptions } from './scenario';

/** How many orders live at a time. */
const LANES = 4;
const UNITS = 100_000;
const MOST_DELAY_MS = 300;
const SETTLED_MS = 180_000;
/** What the system resumes of its own accord is resumed so long after it was left. */
const JANITOR_AFTER = '5s';
const JANITOR_PAUSE_MS = 6_000;
const JANITOR = 'orders-janitor';

/** Makes the call that takes an order to its next state; undefined if there is none. */
type Step = (shop: Shop, order: OrderView) => Call | undefined;

/** A state in which an order can be when the hand comes. */
interface State {
  name: string;
  card: string;
  /** What brings a placed order there. */
  path: readonly Step[];
  /** What its people ask for next. */
  next: Step;
  /** It is placed while the hand comes: it was accepted, and nobody waits for it. */
  isBeingPlaced?: true;
  /** Its own workflow has ended: what is asked for next is done by another one, to which the hand comes. */
  isOver?: true;
}

const amend: Step = ({ customers, products: [, other] }, { id, version }) =>
  calls.amend(customers[0]!, id, [{ productId: other!.id, quantity: 4 }], version);
const fulfill =
  (most: number): Step =>
  ({ admin }, order) => {
    const lines = openLines(order).map(({ productId, quantity }) => ({
      productId,
      quantity: Math.min(most, quantity),
    }));
    return lines.length > 0 ? calls.fulfill(admin, order.id, lines) : undefined;
  };
const deliver: Step = ({ admin }, { id, fulfillments }) => {
  const sent = fulfillments.find(({ deliveredAt }) => deliveredAt === null);
  return sent && calls.deliver(admin, id, sent.id);
};
const refund =
  (amount?: number): Step =>
  ({ admin }, { id }) =>
    calls.refund(admin, id, amount);
const cancel: Step = ({ admin }, { id }) => calls.cancel(admin, id);

const VISA = 'pm_card_visa';
/** Its first attempts fail, so that its payment takes seconds. */
const FLAKY = 'pm_sandbox_flaky';
const ALL = Infinity;

const STATES: readonly State[] = [
  { name: 'is being placed', card: VISA, path: [], next: cancel, isBeingPlaced: true },
  { name: 'waits for the payment service', card: FLAKY, path: [], next: fulfill(ALL), isBeingPlaced: true },
  { name: 'is confirmed', card: VISA, path: [], next: amend },
  { name: 'is about to be captured', card: FLAKY, path: [], next: fulfill(1) },
  { name: 'is fulfilled in part', card: VISA, path: [fulfill(1)], next: cancel },
  { name: 'is fulfilled', card: VISA, path: [fulfill(ALL)], next: refund(500) },
  { name: 'is delivered', card: VISA, path: [fulfill(ALL)], next: deliver },
  { name: 'is completed', card: FLAKY, path: [fulfill(ALL), deliver], next: refund(), isOver: true },
  { name: 'is about to be voided', card: FLAKY, path: [], next: cancel },
  { name: 'waits for its customer', card: 'pm_card_threeDSecure2Required', path: [], next: cancel },
  { name: 'is rejected', card: 'pm_card_chargeDeclined', path: [], next: cancel },
];

/** One order, one hand. */
interface Trial {
  state: State;
  hand: string;
  /** The hand comes while the next call is under way, or before it. */
  isDuring: boolean;
  /** Tells it from the others. */
  number: number;
  /** How long after that call. */
  delayMs: number;
}

/** People with access to Temporal do what they can to orders in every state. */
export const operator: Scenario = {
  name: 'operator',
  about:
    'workflows are cancelled, terminated, deleted, reset, paused and sent nonsense in every state of an order',
  run: (options) => onRig('operator', options, { env: { JANITOR_AFTER } }, (rig) => disturb(rig, options)),
};

async function disturb(rig: Rig, options: ScenarioOptions): Promise<Run> {
  const { seed, minutes, output, progress, signal } = options;
  const endAt = performance.now() + minutes * 60_000;
  const logFile = join(rig.folder, 'calls.jsonl');
  const log = openCallLog(logFile);
  const badAnswers: string[] = [];
  const onFault = (fault: string): void => void badAnswers.push(fault);
  // Nothing is waited for without end: what has no outcome then, never has one.
  const deadline = (): number => (minutes + 3) * 60_000;
  const shop = await openShop(rig);
  const owner = createCaller({ client: 'owner', apis: rig.apis, log, deadline, onFault });
  for (const { id } of shop.products) await owner.call(calls.adjustStock(shop.admin, id, UNITS));
  const connection = await Connection.connect({ address: rig.temporalAddress });
  const client = new Client({ connection, namespace: rig.namespace });
  const hands = handsOn(client);
  const trials = trialsOf(seed, Object.keys(hands));
  output.line(
    `${trials.length} trials: ${STATES.length} states, ${Object.keys(hands).length} hands, at rest or not`,
  );

  const findings: Finding[] = [];
  const faults: Run['faults'] = [];
  const orders: string[] = [];
  let begun = 0;
  async function lane(name: string): Promise<void> {
    const [caller, other] = [name, `${name}-staff`].map((one) =>
      createCaller({ client: one, apis: rig.apis, log, deadline, onFault }),
    ) as [Caller, Caller];
    for (let trial = trials[begun++]; trial && performance.now() < endAt; trial = trials[begun++]) {
      signal.throwIfAborted();
      progress.show(begun / trials.length, titleOf(trial));
      const { orderId, ...tried } = await attempt({
        trial,
        shop,
        caller,
        other,
        hand: hands[trial.hand]!,
      });
      if (orderId !== undefined) orders.push(orderId);
      faults.push({
        atS: log.now() / 1_000,
        text: `${titleOf(trial)}: ${tried.what}`,
        isMade: isMade(tried),
      });
      if (tried.failed !== undefined)
        findings.push({
          kind: 'hand_failed',
          means: 'What an operator can do has failed, or a running workflow has not answered it',
          subject: orderId ?? titleOf(trial),
          expected: 'to be done, or to be refused for the state that the workflow is in',
          found: `${titleOf(trial)}: ${tried.failed}`,
        });
      for (const found of tried.accepted ?? [])
        findings.push({
          kind: 'nonsense',
          means: 'A workflow has accepted what no API sends',
          subject: orderId!,
          expected: 'to be turned down',
          found,
        });
    }
  }
  try {
    await Promise.all(Array.from({ length: LANES }, (_, n) => lane(`lane-${n + 1}`)));
  } finally {
    progress.end();
  }
  output.line(`${faults.length} of ${trials.length} trials were made; the system resumes what was left`);
  await delay(JANITOR_PAUSE_MS);
  await client.schedule.getHandle(JANITOR).trigger();
  const settlement = await settle(rig, orders, { limitMs: SETTLED_MS, signal });
  await connection.close();
  for (const { id } of shop.products) await owner.call(calls.readStock(shop.admin, id));
  await log.close();
  const records = await readCallLog(logFile);
  findings.push(...(await judge(rig, { log: withoutForgotten(records), settlement, badAnswers })));
  return {
    seed,
    minutes,
    faults,
    calls: callsOf(records),
    messages: messagesOf(rig.network),
    settledS: settlement.seconds,
    findings,
    figures: { trials: faults.length, 'of them possible': faults.filter((fault) => fault.isMade).length },
  };
}

/**
 * Returns the calls without reads of orders that were not there, and that nobody had seen stored: until an order is stored,
 * only its workflow knows of it, which the operator deletes.
 */
export function withoutForgotten(records: readonly CallRecord[]): CallRecord[] {
  const storedAt = new Map<string, number>();
  for (const { order, at } of records)
    if (order && order.version > 0 && at.returned !== null)
      storedAt.set(order.id, Math.min(storedAt.get(order.id) ?? Infinity, at.returned));
  return records.filter((call) => {
    const orderId = call.subject?.replace(/^order:/, '') ?? '';
    return !showsNothing(call) || (storedAt.get(orderId) ?? Infinity) < call.at.invoked;
  });
}

/** Returns all trials in an order, and with moments, that depend on the seed alone, whichever lane makes them. */
export function trialsOf(seed: number, hands: readonly string[]): Trial[] {
  const random = randomOf(seed, 'trials');
  const trials = STATES.flatMap((state) =>
    hands.flatMap((hand) => [
      { state, hand, isDuring: true },
      // An order at rest has no activity.
      ...(hand.endsWith('an activity') ? [] : [{ state, hand, isDuring: false }]),
    ]),
  );
  return random.shuffled(trials).map((trial, index) => ({
    ...trial,
    number: index + 1,
    delayMs: random.between(0, MOST_DELAY_MS),
  }));
}

function titleOf({ state, hand, isDuring }: Trial): string {
  return `an order ${state.name}${isDuring ? ', and is being changed' : ''}: an operator ${hand}`;
}

interface AttemptContext {
  trial: Trial;
  shop: Shop;
  caller: Caller;
  /** Calls while the other one does. */
  other: Caller;
  hand: Hand;
}

/** Lives one life: brings an order to the state, lets the hand come, asks for the next change, and ends the order. */
async function attempt({
  trial,
  shop,
  caller,
  other,
  hand,
}: AttemptContext): Promise<Done & { orderId?: string }> {
  const { state, isDuring, number, delayMs } = trial;
  const items = [{ productId: shop.products[0]!.id, quantity: 3 }];
  const key = `operator-${number}`;
  const placing = {
    ...calls.place(shop.customers[0]!, items, state.card, state.isBeingPlaced ?? false),
    key,
  };
  const placed = await caller.call(placing);
  const orderId = placed.order?.id ?? placed.answer.orderId;
  if (orderId === undefined) {
    const failed = `not placed: ${placed.answer.status} ${placed.answer.code}`;
    return { what: failed, failed };
  }
  let order = placed.order ?? (await read(caller, shop, orderId))!;
  for (const step of state.path) {
    const call = step(shop, order);
    if (call) order = (await caller.call(call)).order ?? order;
  }
  const call = state.next(shop, order);
  const next = isDuring && call ? other.call(call) : undefined;
  if (isDuring) await delay(delayMs);
  const made = await hand(state.isOver ? `closed-order-${orderId}` : `order-${orderId}`);
  if (next) await next;
  else if (call) await caller.call(call);
  // Until an order is stored, only its workflow knows of it: without that, its customer asks for it again.
  if (!(await isStored(caller, shop, orderId))) await caller.call(placing);
  await end(caller, shop, orderId);
  return { orderId, ...made };
}

async function isStored(caller: Caller, shop: Shop, orderId: string): Promise<boolean> {
  for (let n = 0; n < MOST_READS; n++) {
    const order = await read(caller, shop, orderId);
    if (order && order.version > 0) return true;
    await delay(READ_PAUSE_MS);
  }
  return false;
}

async function read(caller: Caller, shop: Shop, orderId: string): Promise<OrderView | undefined> {
  return (await caller.call(calls.read(shop.admin, orderId))).order;
}

const MOST_READS = 20;
const READ_PAUSE_MS = 250;
const MOST_STEPS = 60;
const CLOSED = new Set(['completed', 'cancelled', 'rejected']);

/** Ends an order as its staff would: what is not sent is cancelled, and what is sent is delivered. */
async function end(caller: Caller, shop: Shop, orderId: string): Promise<void> {
  for (let n = 0; n < MOST_STEPS; n++) {
    const order = await read(caller, shop, orderId);
    if (order && CLOSED.has(order.status)) return;
    const call = order && (openLines(order).length > 0 ? cancel(shop, order) : deliver(shop, order));
    const outcome = call && (await caller.call(call)).outcome;
    if (outcome !== 'ok') await delay(READ_PAUSE_MS);
  }
}
