import { requireVersion } from '../common/etag';
import { newId } from '../common/ids';
import {
  availableTo,
  hasContentOf,
  isGuests,
  mergedAway,
  newCart,
  quoteCart,
  quoteOrder,
  withDetails,
  withHold,
  withLine,
  withMerged,
  type Cart,
  type CartDetails,
  type CartEntry,
  type Quote,
} from '../domain/cart';
import { BusinessError, InvalidTransition, OrderRejected } from '../domain/errors';
import type { Order, OrderLine } from '../domain/order';
import { idsOf } from '../domain/pricing';
import { REJECTION_CODES } from '../domain/rejection';
import { AppError } from '../errors/app-error';
import { cartOrderIdOf } from '../orders/order-request';
import type { Principal } from '../role/principal';
import { cartOrdered, mergedWithItself, noHolds, noSuchCart, notHeld } from './cart-problems';
import { hashCartToken, isToken, newCartToken } from './cart-token';
import type { CartChange, CartRepository } from './carts.repository';

/** Who asks for a cart: a user who is signed in, or a guest who has the token of the cart. */
export interface CartCaller {
  principal: Principal | undefined;
  token: string | undefined;
}

/** A cart, and what is in it costs now. */
export interface QuotedCart {
  cart: Cart;
  quote: Quote;
}

export interface CartServiceDeps {
  carts: CartRepository;
  orders: { findById(id: string): Promise<Order | null> };
  catalogue: {
    /** Returns retired entries as well. */
    findByIds(ids: string[]): Promise<CartEntry[]>;
    findActiveByIds(ids: string[]): Promise<CartEntry[]>;
  };
  /** How long goods can be held for a cart, in milliseconds; 0 if they cannot. */
  holdMs: number;
  /** Limits how many carts guests make from one address. */
  limitGuests(address: string): Promise<void>;
}

export type CartService = ReturnType<typeof createCartService>;

/** The versions of which the cart must have one; null for any. */
export type Condition = readonly number[] | null;

export function createCartService({ carts, orders, catalogue, holdMs, limitGuests }: CartServiceDeps) {
  /** @throws {AppError} not_found, also when the cart is another's */
  async function find(id: string, caller: CartCaller): Promise<Cart> {
    const cart = await carts.find(id);
    if (!cart || cart.status === 'merged' || !mayOpen(cart, caller)) throw noSuchCart();
    return cart;
  }

  /**
   * Returns the cart as it can be ordered, and its order if that is stored. After a rejected order, and only then, there is
   * another attempt, which is another order: so however many order a cart at once, all mean the same one.
   */
  async function current(cart: Cart): Promise<{ cart: Cart; order: Order | null }> {
    const order = await orders.findById(cartOrderIdOf(cart));
    if (order?.status !== 'rejected') return { cart, order };
    await carts.beginAttempt({ id: cart.id, attempt: cart.attempt + 1 });
    const next = await carts.find(cart.id);
    if (!next) throw noSuchCart();
    return current(next);
  }

  function entriesOf(lines: readonly OrderLine[]): Promise<CartEntry[]> {
    return lines.length === 0 ? Promise.resolve([]) : catalogue.findByIds(idsOf(lines));
  }

  async function quoted(cart: Cart): Promise<QuotedCart> {
    return { cart, quote: quoteCart(cart, availableTo(cart, await entriesOf(cart.items))) };
  }

  /** Returns the open cart of a user, or a new one: the same to all who ask at once. */
  async function cartOf(customerId: string): Promise<QuotedCart & { isNew: boolean }> {
    for (;;) {
      const present = await carts.findOpen(customerId);
      if (present) return { ...(await quoted(present)), isNew: false };
      const cart = newCart({ id: newId('cart'), customerId, tokenHash: null }, now());
      if (await carts.insert(cart)) return { ...(await quoted(cart)), isNew: true };
    }
  }

  /** Makes changes that hold nothing more. Returns false if another version was stored. */
  async function isWritten(...changes: CartChange[]): Promise<boolean> {
    const outcome = await carts.write(...changes);
    if (outcome === 'short')
      throw new Error(`The stock lacks what cart ${changes[0]!.before.id} holds: it was changed by hand.`);
    return outcome === 'done';
  }

  /**
   * Changes an open cart. A change that loses a race is judged again.
   * @param change returns the next version of the cart, or the same one
   */
  async function edit(
    id: string,
    caller: CartCaller,
    condition: Condition,
    change: (cart: Cart, at: string) => Cart | Promise<Cart>,
  ): Promise<QuotedCart> {
    for (;;) {
      const cart = requireOpen(await find(id, caller));
      requireVersion(condition, cart.version);
      const next = await change(cart, now());
      if (next === cart) return quoted(cart);
      if (await isWritten({ before: cart, after: next })) return quoted(next);
    }
  }

  /** Merges the cart of a guest into another one, once: both are written, or neither. */
  async function merge(id: string, caller: CartCaller, condition: Condition, other: OtherCart) {
    if (other.id === id) throw mergedWithItself();
    for (;;) {
      const cart = requireOpen(await find(id, caller));
      const source = await carts.find(other.id);
      if (!source || !isGuests(source) || !mayOpen(source, { principal: undefined, token: other.token }))
        throw noSuchCart();
      if (source.status === 'merged') {
        if (source.mergedInto !== id) throw noSuchCart();
        return quoted(cart); // a repeat of what was done before
      }
      requireOpen(source);
      requireVersion(condition, cart.version);
      const entries = await entriesOf([...cart.items, ...source.items]);
      const at = now();
      const merged = withMerged(cart, source, entries, at);
      const emptied = { before: source, after: mergedAway(source, id, at) };
      if (await isWritten({ before: cart, after: merged }, emptied)) return quoted(merged);
    }
  }

  /** Keeps the goods in the cart from others for some time. */
  async function hold(id: string, caller: CartCaller, condition: Condition): Promise<QuotedCart> {
    for (let isFreed = false; ;) {
      const cart = requireOpen(await find(id, caller));
      if (holdMs === 0) throw noHolds();
      if (!hasContentOf(cart, condition)) requireVersion(condition, cart.version);
      const next = withHold(cart, await entriesOf(cart.items), now(), holdMs);
      const outcome = await carts.write({ before: cart, after: next });
      if (outcome === 'done') return quoted(next);
      if (outcome === 'outdated') continue;
      if (isFreed || (await carts.releaseExpired(idsOf(cart.items))) === 0) throw notHeld();
      isFreed = true;
    }
  }

  return {
    find,
    current,

    /**
     * Returns the open cart of the user, or a new one. A guest gets a new one each time, with the token that opens it.
     * @param address of the client
     * @throws {AppError} rate_limited
     */
    async create(
      principal: Principal | undefined,
      address: string,
    ): Promise<QuotedCart & { isNew: boolean; token?: string }> {
      if (principal) return cartOf(principal.id);
      await limitGuests(address);
      const token = newCartToken();
      const owner = { id: newId('cart'), customerId: newId('usr'), tokenHash: hashCartToken(token) };
      const cart = newCart(owner, now());
      await carts.insert(cart);
      return { ...(await quoted(cart)), isNew: true, token };
    },

    async read(id: string, caller: CartCaller): Promise<QuotedCart> {
      return asProblem(quoted(await find(id, caller)));
    },

    /** Has so many units of the product in the cart, none with 0. */
    putLine: (id: string, caller: CartCaller, condition: Condition, line: OrderLine) =>
      asProblem(
        edit(id, caller, condition, async (cart, at) =>
          withLine(cart, line, await entriesOf([...cart.items, line]), at),
        ),
      ),

    change: (id: string, caller: CartCaller, condition: Condition, details: Partial<CartDetails>) =>
      asProblem(edit(id, caller, condition, (cart, at) => withDetails(cart, details, at))),

    merge: (id: string, caller: CartCaller, condition: Condition, other: OtherCart) =>
      asProblem(merge(id, caller, condition, other)),

    hold: (id: string, caller: CartCaller, condition: Condition) => asProblem(hold(id, caller, condition)),

    async remove(id: string, caller: CartCaller, condition: Condition): Promise<void> {
      for (;;) {
        const cart = requireOpen(await find(id, caller));
        requireVersion(condition, cart.version);
        if (await isWritten({ before: cart, after: null })) return;
      }
    },

    /** Returns what an order of these lines would cost now. */
    async calculate(lines: readonly OrderLine[]): Promise<Quote> {
      const entries = await catalogue.findActiveByIds(idsOf(lines));
      return asProblem(Promise.resolve().then(() => quoteOrder(lines, entries)));
    },
  };
}

/** A cart that is to be merged into another one. */
export interface OtherCart {
  id: string;
  token: string;
}

function now(): string {
  return new Date().toISOString();
}

/** Whether the caller may do with the cart what its customer may. */
function mayOpen({ tokenHash, customerId }: Cart, { principal, token }: CartCaller): boolean {
  return tokenHash === null ? principal?.id === customerId : isToken(token, tokenHash);
}

/** @throws {AppError} cart_ordered */
function requireOpen(cart: Cart): Cart {
  if (cart.orderId !== null) throw cartOrdered(cart.orderId);
  return cart;
}

/** @throws {AppError} for a rule of the business that says no */
async function asProblem<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof BusinessError ? cartProblem(error) : error;
  }
}

function cartProblem(error: BusinessError): unknown {
  if (error instanceof OrderRejected) return new AppError(REJECTION_CODES[error.type], error.message);
  if (error instanceof InvalidTransition) return new AppError('invalid_transition', error.message);
  return error;
}
