import fc from 'fast-check';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pLimit from 'p-limit';
import { findingsOf } from '../../../src/domain/findings';
import type { Order } from '../../../src/domain/order';
import { isBeingChanged } from '../../../src/domain/reconciling';
import type { PaymentProvider } from '../../../src/payments/payment-provider';
import { paymentRoutes } from '../../../src/payments/payments.routes';
import { createPaymentEventRepository } from '../../../src/payments/stripe/events.repository';
import { createStripeProvider } from '../../../src/payments/stripe/provider';
import { createStripePaymentRepository } from '../../../src/payments/stripe/repository';
import { createStripeWebhookService } from '../../../src/payments/stripe/webhook';
import type { OrderService } from '../../../src/orders/orders.service';
import { eventually } from '../../support/eventually';
import { openApiOf } from '../../support/order-api';
import { sample } from '../../support/sample';
import { openShop, orderRequest, type Shop } from '../../support/shop';
import { deferred, type Deferred } from '../../workflows/saga/deferred';
import { EVENT_CASES, type Command, type EventCase, type Start } from './event-cases';
import { startFakeStripe, type FakeStripe } from './fake-stripe';
import type { FakeEvent, FakeIntent } from './fake-stripe-state';

const SECRET = 'whsec_test';
const STOCK = 10;
const PRICE = 1_000;
const ASKING = 'pm_card_threeDSecure2Required';

/** Holds the calls of an order to the payment service until they may continue. */
interface Hold {
  when: EventCase['when'];
  isReached: Deferred;
  mayGoOn: Deferred;
  /** What was answered before that, by the key of the call. */
  answers: Map<string, Promise<PromiseSettledResult<unknown>>>;
}

let shop: Shop;
let fake: FakeStripe;
let stripe: PaymentProvider;
let service: OrderService;
let server: Server;
let webhook: { url: string; secret: string };
let closeApi: () => Promise<void>;
const holds = new Map<string, Hold>();

beforeAll(async () => {
  // The queue of payments waits longer for a call that is held than the step of an order does.
  const policy = { inlinePayments: false };
  [shop, fake] = await Promise.all([openShop({ own: true, policy }), startFakeStripe()]);
  const payments = createStripePaymentRepository(shop.db.connection);
  stripe = createStripeProvider({ stripe: fake.client, payments, multicapture: true });
  await shop.startWorker({ provider: () => holding(stripe) }, undefined, { PAYMENT_RETRY_WINDOW: '15m' });
  const more = () => {
    const events = createPaymentEventRepository(shop.db.connection);
    const lookAgain: OrderService['lookAgain'] = (event) => service.lookAgain(event);
    return paymentRoutes({
      webhook: createStripeWebhookService({ secret: SECRET, events, payments, lookAgain }),
    });
  };
  const opened = await openApiOf(shop, { RATE_LIMIT_MAX: '100000' }, more);
  ({ service } = opened);
  closeApi = opened.api.close;
  const handle = opened.api.app.callback();
  server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${opened.api.config.http.prefix}/payments/stripe/webhook`;
  webhook = { url, secret: SECRET };
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await closeApi();
  await shop.close();
  await fake.close();
});

/** Returns the payment service, which waits with a call of an order while it is held. */
function holding(provider: PaymentProvider): PaymentProvider {
  async function held<T>(orderId: string, key: string, call: () => Promise<T>): Promise<T> {
    const hold = holds.get(orderId);
    const isHeld = hold && (!hold.mayGoOn.isResolved() || hold.answers.has(key));
    if (isHeld && hold.when === 'before its answer') {
      // Temporal repeats a call that is held for long: by then, another answer would tell what has happened meanwhile.
      const answer = hold.answers.get(key) ?? Promise.allSettled([call()]).then(([settled]) => settled);
      hold.answers.set(key, answer);
      const result = await answer;
      await reach(hold);
      if (result.status === 'rejected') throw result.reason;
      return result.value as T;
    }
    if (isHeld) await reach(hold);
    return call();
  }
  const reach = ({ isReached, mayGoOn }: Hold) => {
    isReached.resolve();
    return mayGoOn.promise;
  };
  return {
    ...provider,
    authorize: (payment) => held(payment.orderId, payment.key, () => provider.authorize(payment)),
    capture: (key, payment, capture) =>
      held(payment.orderId, key, () => provider.capture(key, payment, capture)),
    release: (key, payment) => held(payment.orderId, key, () => provider.release(key, payment)),
    void: (key, payment) => held(payment.orderId, key, () => provider.void(key, payment)),
    refund: (key, payment, amount) => held(payment.orderId, key, () => provider.refund(key, payment, amount)),
  };
}

/** One order in the midst of whose command something happens at Stripe. */
class Life {
  private readonly caller = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;
  private request!: ReturnType<typeof orderRequest>;
  private productId!: string;

  constructor(readonly one: EventCase) {}

  private get customer() {
    return { ...this.caller, principal: { id: this.request.customerId, role: 'CUSTOMER' } } as const;
  }

  async open(): Promise<void> {
    const product = await shop.sell({ available: STOCK, unitPrice: PRICE, taxRateBps: 0 });
    this.productId = product.id;
    const paymentMethod = this.one.command === 'place' ? this.one.card : CARDS[this.one.start];
    this.request = orderRequest({ items: this.items(3), paymentMethod });
    if (this.one.start === 'not placed') return;
    await shop.place(this.request);
    await PREPARE[this.one.start]?.(this);
  }

  items(quantity: number) {
    return [{ productServiceId: this.productId, quantity }];
  }

  get id(): string {
    return this.request.orderId;
  }

  order(): Promise<Order> {
    return shop.orders.findById(this.id) as Promise<Order>;
  }

  /** The intents of the order, oldest first. */
  intents(): FakeIntent[] {
    return [...fake.intents.values()].filter(({ metadata }) => metadata.orderId === this.id);
  }

  /** All events about the order. */
  events(): FakeEvent[] {
    const ids = new Set(this.intents().map(({ id }) => id));
    return fake.events.filter(({ data }) => {
      const { id, payment_intent: intent } = data.object as { id: string; payment_intent?: string };
      return ids.has(id) || ids.has(intent ?? '');
    });
  }

  /** Carries out the command, whatever becomes of it. */
  carryOut(command: Command): Promise<unknown> {
    const { id, caller } = this;
    const keyed = { ...caller, idempotencyKey: command };
    switch (command) {
      case 'place':
        return shop.place(this.request);
      case 'amend':
        return service.amend(id, caller, { items: this.items(4) });
      case 'cancel':
        return service.cancel(id, caller, { reason: 'No' });
      case 'fulfill':
        return service.fulfill(id, keyed, {
          items: this.items(this.one.start === 'authorised' ? 1 : 2),
          carrier: null,
          trackingNumber: null,
        });
      case 'refund':
        return service.refund(id, keyed, { amount: 2 * PART, reason: 'Sorry' });
      case 'pay':
        return service.pay(
          id,
          { ...this.customer, idempotencyKey: command },
          { paymentMethod: this.one.card ?? 'pm_2' },
        );
    }
  }

  async send(): Promise<void> {
    const sent = { items: this.items(1), carrier: null, trackingNumber: null };
    const keyed = { ...this.caller, idempotencyKey: 'first' };
    // A machine that is slow enough does not answer within the time that the API has for it.
    await eventually(() => service.fulfill(this.id, keyed, sent));
  }

  async refundPart(): Promise<void> {
    const keyed = { ...this.caller, idempotencyKey: 'first' };
    await eventually(() => service.refund(this.id, keyed, { amount: PART, reason: 'Late' }));
  }

  /** Tells the order of all events, and waits until it rests. */
  async tell(events: readonly FakeEvent[]): Promise<void> {
    for (const event of events) {
      await eventually(async () => expect((await fake.send(event, webhook)).status).toBe(200));
      expect(await isTickedOff(event)).toBe(isEventOfOthers(event));
    }
  }

  /** Waits until nothing is under way but what the payment service has refused. */
  async atRest(): Promise<void> {
    await eventually(async () => {
      const order = await this.order();
      expect(isBeingChanged(order)).toBe(false);
      expect(order.compensations.filter(({ state }) => state === 'owed')).toEqual([]);
    });
  }

  /**
   * Has the command carried out, and what happens in its midst.
   * @param inTheMiddle is called then, with the events of what has happened
   */
  async live(inTheMiddle: (events: FakeEvent[]) => Promise<void>): Promise<void> {
    await this.open();
    const { when } = this.one;
    const hold: Hold = { when, isReached: deferred(), mayGoOn: deferred(), answers: new Map() };
    holds.set(this.id, hold);
    const done = this.carryOut(this.one.command).catch((error: unknown) => error);
    await hold.isReached.promise;
    const before = this.events().length;
    this.one.happen(fake, this.intents().at(-1)!);
    await inTheMiddle(this.events().slice(before)).finally(() => hold.mayGoOn.resolve());
    await done;
    await this.atRest();
  }

  /** Fails unless order, payments and stock agree. */
  async expectToAgree(): Promise<void> {
    const order = await this.order();
    for (const { id, metadata } of this.intents()) {
      const { amount, currency } = order.payment!;
      const ref = {
        orderId: this.id,
        key: metadata.key!,
        reference: id,
        paymentMethod: '',
        amount,
        currency,
      };
      const differences = findingsOf(order, await stripe.find(ref)).map(({ kind }) => kind);
      // What was captured in the dashboard has to be sent or refunded by a person.
      expect(differences.filter((kind) => kind !== 'capture_without_shipment')).toEqual([]);
    }
    const { items, reservation } = order;
    const { quantity, fulfilledQuantity: sent, cancelledQuantity } = items[0]!;
    const reserved = reservation === 'held' ? quantity - sent - cancelledQuantity : 0;
    expect(await shop.stockOf(this.productId)).toEqual({ available: STOCK - reserved - sent, reserved });
  }
}

const PART = 100;
const CARDS: Partial<Record<Start, string>> = { asking: ASKING, declined: 'pm_card_chargeDeclined' };
const PREPARE: Partial<Record<Start, (life: Life) => Promise<void>>> = {
  async lapsed(life) {
    fake.elsewhere.expire(life.intents()[0]!.id);
    await life.tell(life.events());
  },
  'sent in part': (life) => life.send(),
  async 'refunded in part'(life) {
    await life.send();
    await life.refundPart();
  },
  async 'disputed in part'(life) {
    await life.send();
    fake.elsewhere.dispute(life.intents()[0]!.id, { amount: PART });
    await life.tell(life.events());
  },
};

const isEventOfOthers = ({ request }: FakeEvent) => request.idempotency_key === null;
const isTickedOff = async ({ id }: FakeEvent) =>
  (await shop.db.connection.collection('payment_events').countDocuments({ _id: id as never })) > 0;

/** What an order is, without when and under which names it learned of what. */
function essenceOf({
  status,
  paymentStatus,
  fulfillmentStatus,
  reservation,
  captured,
  refunded,
  ...order
}: Order) {
  const money = (some: readonly { amount: number; status: string; by?: string }[]) =>
    some.map(({ amount, status: state, by }) => `${by} ${amount} ${state}`).sort();
  return {
    status,
    paymentStatus,
    fulfillmentStatus,
    reservation,
    captured,
    refunded,
    items: order.items.map(({ quantity, fulfilledQuantity, cancelledQuantity }) => [
      quantity,
      fulfilledQuantity,
      cancelledQuantity,
    ]),
    fulfillments: order.fulfillments.length,
    isClosed: order.payment?.isClosed ?? false,
    rejection: order.rejection?.code,
    refunds: money(order.refunds),
    disputes: money(order.disputes),
    attempts: order.attempts.map(({ outcome }) => outcome),
    compensations: order.compensations.map(({ kind, state }) => [kind, state]),
  };
}

/** Returns all events of an order twice, in any order. */
function shuffledTwice(events: FakeEvent[], title: string): FakeEvent[] {
  const twice = [...events, ...events];
  const seed = Number(process.env.TEST_SEED) + title.length;
  return fc.sample(fc.shuffledSubarray(twice, { minLength: twice.length }), { numRuns: 1, seed })[0]!;
}

/** Sends what has happened in the midst of a command, latest first: it is not ticked off before it was applied. */
async function deliverEarly(life: Life, events: FakeEvent[]): Promise<void> {
  for (const event of [...events.toReversed(), ...events]) {
    const order = await shop.orders.findById(life.id);
    const isBusy = !order || isBeingChanged(order);
    const { status } = await fake.send(event, webhook);
    expect({ event: event.type, status }).toEqual({ event: event.type, status: isBusy ? 503 : 200 });
    expect(await isTickedOff(event)).toBe(!isBusy);
  }
}

const limit = pLimit(10);
const cases = sample('payments/stripe/events: happenings in the midst of commands', EVENT_CASES, {
  groupOf: ({ command }) => command,
});

it.concurrent.each(cases)('$title', (one) =>
  limit(async () => {
    const [told, early] = [new Life(one), new Life(one)];
    await told.live(async () => undefined);
    await told.tell(told.events());
    await early.live((events) => deliverEarly(early, events));
    await early.tell(shuffledTwice(early.events(), one.title));
    for (const life of [told, early]) {
      await life.atRest();
      await life.expectToAgree();
    }
    expect(essenceOf(await early.order())).toEqual(essenceOf(await told.order()));
  }),
);
