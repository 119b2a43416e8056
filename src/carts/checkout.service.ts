import { requireVersion } from '../common/etag';
import { hasContentOf, isGuests, type Cart } from '../domain/cart';
import type { AddressLimit } from '../auth/address-limit';
import type { Order, OrderRequest } from '../domain/order';
import { AppError } from '../errors/app-error';
import { invalid } from '../errors/invalid';
import { cartOrderIdOf, orderRequest } from '../orders/order-request';
import type { Principal } from '../role/principal';
import { Role } from '../role/role';
import { cartOrdered, noSuchCart } from './cart-problems';
import type { CheckoutBody } from './carts.schema';
import type { CartCaller, CartService, Condition } from './carts.service';
import type { GuestRepository } from '../users/guests.repository';
import { hashCartToken, orderTokenOf } from './cart-token';

export interface CheckoutServiceDeps {
  service: Pick<CartService, 'find' | 'current'>;
  guests: Pick<GuestRepository, 'isKnown' | 'keep'>;
  /** @throws {AppError} rate_limited */
  limitGuestOrders: AddressLimit;
}

/** The order that a cart is about to become, or has become. */
export interface Checkout {
  request: OrderRequest;
  /** Whose order it is. */
  customer: Principal;
  /** What opens the order of a guest. */
  orderToken?: string;
}

export type CheckoutService = ReturnType<typeof createCheckoutService>;

export function createCheckoutService({ service, guests, limitGuestOrders }: CheckoutServiceDeps) {
  /** Keeps the guest whose order it is to be. Returns what opens the order. */
  async function keepGuest(
    cart: Cart,
    token: string,
    { email }: CheckoutBody,
    order: Order | null,
    address: string,
  ): Promise<string> {
    const orderToken = orderTokenOf(cart.id, token);
    if (order) return orderToken;
    if (email === undefined) throw invalid([{ path: 'email', message: 'is required of a guest' }]);
    if (!cart.shippingAddress) throw addressMissing();
    const { customerId: id, shippingAddress } = cart;
    if (!(await guests.isKnown(id))) await limitGuestOrders(address);
    const guest = { id, email, name: shippingAddress.name, orderTokenHash: hashCartToken(orderToken) };
    if (!(await guests.keep(guest))) throw noSuchCart();
    return orderToken;
  }

  return {
    /**
     * @param condition the versions one of which had what is ordered
     * @param sent `address` is that of the client
     * @throws {AppError} rate_limited, not_found, validation_failed, precondition_failed, cart_ordered, or invalid_transition if it cannot
     * be ordered as it is
     */
    async prepare(
      id: string,
      caller: CartCaller,
      condition: Condition,
      body: CheckoutBody,
      { requestId, address }: { requestId: string; address: string },
    ): Promise<Checkout> {
      const { cart, order } = await service.current(await service.find(id, caller));
      if (!hasContentOf(cart, condition)) {
        if (order) throw cartOrdered(order.id);
        requireVersion(condition, cart.version);
      }
      const isGuest = isGuests(cart);
      if (!isGuest && body.email !== undefined) throw emailOfUser();
      if (!order && cart.items.length === 0) throw empty();
      const orderToken = isGuest ? await keepGuest(cart, caller.token!, body, order, address) : undefined;
      const { customerId, items, note, shippingAddress, metadata, contentVersion } = cart;
      const request = orderRequest(cartOrderIdOf(cart), id, {
        customerId,
        placedBy: customerId,
        requestId,
        items: items.map(({ productServiceId, quantity }) => ({ productServiceId, quantity })),
        paymentMethod: body.paymentMethod,
        note,
        shippingAddress,
        ...(body.expectedTotal !== undefined && { expectedTotal: body.expectedTotal }),
        externalRef: body.externalRef ?? undefined,
        metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
        cart: { id, contentVersion },
      });
      const customer = isGuest ? { id: customerId, role: Role.CUSTOMER } : caller.principal!;
      return { request, customer, orderToken };
    },
  };
}

function empty(): AppError {
  return new AppError('invalid_transition', 'The cart is empty: put something into it, then order it.');
}

function addressMissing(): AppError {
  return new AppError(
    'invalid_transition',
    'A guest needs an address to order: PATCH the shippingAddress of the cart, then order it.',
  );
}

function emailOfUser(): AppError {
  return invalid([{ path: 'email', message: 'is for guests only: leave it out' }]);
}
