import { setTimeout as delay } from 'node:timers/promises';
import type { OrderView } from '../../../src/orders/order-view';
import type { CallLog, Line } from '../log';
import { randomOf, type Random } from '../random';
import type { Rig } from '../rig/rig';
import { createCaller, type Call } from './caller';
import { calls, openLines } from './calls';
import type { Answer } from './http';
import { make, mannerOf } from './repeats';
import { STOCKED, type Shop } from './shop';

export interface ClientsOptions {
  rig: Pick<Rig, 'apis'>;
  shop: Shop;
  log: CallLog;
  seed: number;
  customers: number;
  staff: number;
  /** What their names begin with; the keys of their requests follow from these. */
  prefix?: string;
  onFault: (fault: string) => void;
}

export interface Clients {
  /** Lets all clients make calls until they are told to stop. */
  start(): void;
  /** Has them begin no other call, and waits for the outcomes of those under way until the limit. */
  finish(limitMs: number): Promise<void>;
  /** Has them begin nothing more, and repeat nothing, for a run that comes to no end. */
  stop(): void;
  /** What they have seen last of each order that was accepted. */
  accepted: ReadonlyMap<string, OrderView>;
  /** How many calls have an outcome. */
  readonly done: number;
}

const CARDS = [
  ...Array.from({ length: 12 }, () => 'pm_card_visa'),
  'pm_card_chargeDeclined',
  'pm_card_credit_disableEnterpriseCardFeatures',
  'pm_sandbox_flaky',
  'pm_sandbox_lost_reply',
];
const MOST_PAUSE_MS = 400;
/** So many of the latest orders are changed: so clients meet at the same ones. */
const RECENT = 12;

/** What a client wishes to do next. Each takes as many numbers from its seed, whatever has become of the ones before. */
function wishOf(random: Random) {
  return {
    what: random.next(),
    which: random.next(),
    part: random.next(),
    pauseMs: random.between(0, MOST_PAUSE_MS),
    card: random.pick(CARDS),
    isAsync: random.chance(0.2),
    lines: random.shuffled(STOCKED.map((_units, index) => index)),
    lineCount: random.between(1, 3),
    quantities: STOCKED.map(() => random.between(1, 3)),
    delta: random.between(-3, 8) || 1,
    manner: mannerOf(random.next()),
  };
}

type Wish = ReturnType<typeof wishOf>;

export function createClients({
  rig,
  shop,
  log,
  seed,
  customers,
  staff,
  prefix = '',
  onFault,
}: ClientsOptions): Clients {
  const accepted = new Map<string, OrderView>();
  const owners = new Map<string, string>();
  const carts = new Map<string, { id: string; isEmpty: boolean }>();
  let isStopping = false;
  let deadline = Infinity;
  let done = 0;
  const running: Promise<void>[] = [];

  /** What ends one client in an error ends all of them, and is thrown when they are waited for. */
  function run(life: Promise<void>): void {
    running.push(life);
    life.catch(stop);
  }

  function stop(): void {
    isStopping = true;
    deadline = 0;
  }

  /** An order is first seen by the customer who has placed it. */
  function see(order: OrderView, { request }: Call): void {
    if (!owners.has(order.id)) owners.set(order.id, request.token!);
    const known = accepted.get(order.id);
    if (!known || known.version < order.version) accepted.set(order.id, order);
  }

  async function live(client: string, choose: (wish: Wish) => Call | undefined): Promise<void> {
    const random = randomOf(seed, client);
    const callerOf = (name: string) =>
      createCaller({ client: name, apis: rig.apis, log, deadline: () => deadline, onFault });
    const [caller, twin] = [callerOf(client), callerOf(`${client}-twin`)];
    let keys = 0;
    while (!isStopping) {
      const wish = wishOf(random);
      const call = choose(wish);
      if (call) {
        const key = `chaos-${client}-own-${++keys}`;
        const { result, repeats } = await make(call, wish.manner, { caller, twin, key });
        for (const { order } of [result, ...repeats]) if (order) see(order, call);
        done += 1 + repeats.length;
        const next = follow(call, result.answer);
        const ordered = next && (await caller.call(next)).order;
        if (ordered) see(ordered, next);
      }
      await delay(wish.pauseMs);
    }
  }

  /** Keeps in mind what has become of a cart. Returns the call that reads its order, if nobody has been told of it. */
  function follow({ op, request }: Call, { status, data, orderId }: Answer): Call | undefined {
    const token = request.token!;
    const isDone = status !== null && status < 300;
    if (op === 'cart.create' && isDone) carts.set(token, { id: (data as { id: string }).id, isEmpty: true });
    if (op === 'cart.put') {
      const cart = carts.get(token);
      if (isDone && cart) carts.set(token, { ...cart, isEmpty: false });
      else carts.delete(token);
    }
    if (op !== 'cart.checkout') return undefined;
    carts.delete(token);
    return isDone || orderId === undefined ? undefined : calls.read(token, orderId);
  }

  function withCart(token: string, wish: Wish): Call {
    const cart = carts.get(token);
    if (!cart) return calls.createCart(token);
    return cart.isEmpty
      ? calls.putIntoCart(token, cart.id, linesOf(wish)[0]!)
      : calls.checkOut(token, cart.id, wish.card);
  }

  const chosen = ({ which }: Wish, among: readonly OrderView[]): OrderView | undefined =>
    among.slice(-RECENT)[Math.floor(which * Math.min(RECENT, among.length))];

  const linesOf = ({ lines, lineCount, quantities }: Wish): Line[] =>
    lines.slice(0, lineCount).map((index) => ({
      productId: shop.products[index]!.id,
      quantity: quantities[index]!,
    }));

  function asCustomer(token: string, wish: Wish): Call | undefined {
    const own = [...accepted.values()].filter(({ id }) => owners.get(id) === token);
    const order = chosen(wish, own);
    const { what, card, isAsync } = wish;
    if (what < 0.12) return withCart(token, wish);
    if (what < 0.45 || !order) return calls.place(token, linesOf(wish), card, isAsync);
    if (what < 0.7) return calls.read(token, order.id);
    if (what < 0.75) return calls.list(token);
    if (what < 0.9) return calls.amend(token, order.id, linesOf(wish), order.version);
    return calls.cancel(token, order.id);
  }

  function asStaff(token: string, wish: Wish): Call | undefined {
    const order = chosen(wish, [...accepted.values()]);
    const product = shop.products[wish.lines[0]!]!;
    const { what, part } = wish;
    if (what < 0.1) return calls.readStock(token, product.id);
    if (what < 0.2) return calls.adjustStock(token, product.id, wish.delta);
    if (!order) return undefined;
    const open = openLines(order);
    const some = open.slice(0, 1).map((line) => ({ ...line, quantity: Math.ceil(line.quantity * part) }));
    if (what < 0.5)
      return open.length > 0 ? calls.fulfill(token, order.id, part < 0.5 ? some : open) : undefined;
    if (what < 0.65) {
      const sent = order.fulfillments.find(({ deliveredAt }) => deliveredAt === null);
      return sent && calls.deliver(token, order.id, sent.id);
    }
    if (what < 0.8) {
      const left = order.captured - order.refunded;
      return calls.refund(token, order.id, part < 0.3 ? undefined : Math.max(1, Math.floor(left * part)));
    }
    if (what < 0.9) return calls.cancel(token, order.id, some.length > 0 ? some : undefined);
    return calls.read(token, order.id);
  }

  return {
    accepted,
    stop,
    get done() {
      return done;
    },
    start() {
      for (let n = 0; n < customers; n++) {
        const token = shop.customers[n % shop.customers.length]!;
        run(live(`${prefix}customer-${n + 1}`, (wish) => asCustomer(token, wish)));
      }
      for (let n = 0; n < staff; n++)
        run(live(`${prefix}staff-${n + 1}`, (wish) => asStaff(shop.admin, wish)));
    },
    async finish(limitMs) {
      if (!isStopping) deadline = log.now() + limitMs;
      isStopping = true;
      await Promise.all(running);
    },
  };
}
