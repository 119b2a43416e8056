import { etagOf } from '../common/etag';
import type { Context } from '../http/context';
import { sendData } from '../http/respond';
import { route, type Route } from '../http/route';
import type { Principal } from '../role/principal';
import { Role } from '../role/role';
import { presentCart, presentQuote } from './carts.presenter';
import * as schema from './carts.schema';
import type { CartCaller, CartService, QuotedCart } from './carts.service';

const TAG = 'Carts';
const ETAG = { ETag: 'The version of the cart. Prices and availability are of this moment and have none' };
/** What is open to guests and to users who are signed in. */
export const FOR_ALL = { role: Role.PUBLIC, optionalSignIn: true, tag: TAG } as const;

export function cartRoutes(service: CartService): Route[] {
  return [
    createCartRoute(service),
    readCartRoute(service),
    putLineRoute(service),
    changeCartRoute(service),
    removeCartRoute(service),
    mergeCartRoute(service),
    holdCartRoute(service),
    calculateRoute(service),
  ];
}

function createCartRoute(service: CartService): Route {
  return route({
    ...FOR_ALL,
    method: 'post',
    path: '/carts',
    operationId: 'createCart',
    summary: 'Make a cart',
    description:
      'A guest gets a new cart and the `token` that opens it, which is shown once. A user who is signed in gets their open ' +
      'cart, if there is one. After too many carts of guests from one address within an hour the response is 429 ' +
      '(`MAX_GUEST_CARTS_PER_ADDRESS`).',
    responses: {
      200: { description: 'The open cart of the user', data: schema.cartSchema, headers: ETAG },
      201: {
        description: 'The new cart',
        data: schema.cartSchema,
        example: schema.EXAMPLE_NEW_CART,
        headers: { ...ETAG, Location: 'The path of the cart' },
      },
    },
    errors: [],
    async handler(ctx, { principal }) {
      const { isNew, token, ...quoted } = await service.create(principal, ctx.ip);
      if (isNew) ctx.set('Location', `${ctx.path.replace(/\/+$/, '')}/${quoted.cart.id}`);
      sendCart(ctx, isNew ? 201 : 200, quoted, token);
    },
  });
}

function readCartRoute(service: CartService): Route {
  return route({
    ...FOR_ALL,
    method: 'get',
    path: '/carts/:id',
    operationId: 'getCart',
    summary: 'Read a cart',
    description:
      'Prices, availability and warnings are of this moment: nothing is reserved, and nothing promised. The cart of a guest ' +
      'is deleted 30 days after its last change, that of a user after 90.',
    params: schema.cartParams,
    headers: schema.cartHeaders,
    responses: { 200: { description: 'The cart', data: schema.cartSchema, headers: ETAG } },
    errors: ['not_found', 'amount_too_large'],
    async handler(ctx, { params: { id }, headers, principal }) {
      sendCart(ctx, 200, await service.read(id, callerOf(principal, headers)));
    },
  });
}

function putLineRoute(service: CartService): Route {
  return route({
    ...FOR_ALL,
    method: 'put',
    path: '/carts/:id/items/:productServiceId',
    operationId: 'putCartItem',
    summary: 'Put a product into a cart, or take it out',
    description:
      'Says how many units are to be in the cart then, so that repeating it is harmless. A cart has at most 100 lines, all ' +
      'in one currency.',
    params: schema.cartLineParams,
    headers: schema.cartHeaders,
    ifMatch: 'optional',
    body: schema.putLineBody,
    responses: { 200: { description: 'The cart', data: schema.cartSchema, headers: ETAG } },
    errors: [
      'not_found',
      'cart_ordered',
      'invalid_transition',
      'unknown_product',
      'mixed_currencies',
      'amount_too_large',
    ],
    async handler(ctx, { params: { id, productServiceId }, body, headers, ifMatch, principal }) {
      const line = { productServiceId, quantity: body.quantity };
      sendCart(ctx, 200, await service.putLine(id, callerOf(principal, headers), ifMatch, line));
    },
  });
}

function changeCartRoute(service: CartService): Route {
  return route({
    ...FOR_ALL,
    method: 'patch',
    path: '/carts/:id',
    operationId: 'changeCart',
    summary: 'Change the address, note or metadata of a cart',
    params: schema.cartParams,
    headers: schema.cartHeaders,
    ifMatch: 'optional',
    body: schema.changeCartBody,
    responses: { 200: { description: 'The cart', data: schema.cartSchema, headers: ETAG } },
    errors: ['not_found', 'cart_ordered', 'amount_too_large'],
    async handler(ctx, { params: { id }, body, headers, ifMatch, principal }) {
      const { shippingAddress, note, metadata } = body;
      const details = {
        ...(shippingAddress !== undefined && { shippingAddress }),
        ...(note !== undefined && { note: note || null }),
        ...(metadata !== undefined && { metadata: metadata ?? {} }),
      };
      sendCart(ctx, 200, await service.change(id, callerOf(principal, headers), ifMatch, details));
    },
  });
}

function removeCartRoute(service: CartService): Route {
  return route({
    ...FOR_ALL,
    method: 'delete',
    path: '/carts/:id',
    operationId: 'deleteCart',
    summary: 'Delete a cart',
    params: schema.cartParams,
    headers: schema.cartHeaders,
    ifMatch: 'optional',
    responses: { 204: { description: 'The cart is deleted' } },
    errors: ['not_found', 'cart_ordered'],
    async handler(ctx, { params: { id }, headers, ifMatch, principal }) {
      await service.remove(id, callerOf(principal, headers), ifMatch);
      ctx.status = 204;
    },
  });
}

function mergeCartRoute(service: CartService): Route {
  return route({
    ...FOR_ALL,
    method: 'post',
    path: '/carts/:id/merge',
    operationId: 'mergeCarts',
    summary: "Put what is in a guest's cart into another cart",
    description:
      'For when a guest signs in: quantities are added, and the address, note and metadata taken over if the cart has none. ' +
      "What was held for either stays held. The guest's cart is gone then. Repeating it changes nothing.",
    params: schema.cartParams,
    headers: schema.cartHeaders,
    ifMatch: 'optional',
    body: schema.mergeCartBody,
    responses: { 200: { description: 'The cart', data: schema.cartSchema, headers: ETAG } },
    errors: ['not_found', 'cart_ordered', 'invalid_transition', 'mixed_currencies', 'amount_too_large'],
    async handler(ctx, { params: { id }, body: { cartId, token }, headers, ifMatch, principal }) {
      const other = { id: cartId, token };
      sendCart(ctx, 200, await service.merge(id, callerOf(principal, headers), ifMatch, other));
    },
  });
}

function holdCartRoute(service: CartService): Route {
  return route({
    ...FOR_ALL,
    method: 'post',
    path: '/carts/:id/hold',
    operationId: 'holdCart',
    summary: 'Keep what is in a cart from others for some minutes',
    description:
      'For scarce goods: all of it or nothing, until the time in `hold`, after which others may take it. Repeating it holds ' +
      'what was put into the cart since as well, and no longer; once the time is over, it begins anew. What is taken out of ' +
      'the cart is not held any more. Ordering the cart takes what is held. 409 if the shop has not switched it on ' +
      '(`CART_HOLD`).',
    params: schema.cartParams,
    headers: schema.cartHeaders,
    ifMatch: 'optional',
    responses: { 200: { description: 'The cart', data: schema.cartSchema, headers: ETAG } },
    errors: ['not_found', 'cart_ordered', 'invalid_transition', 'out_of_stock', 'amount_too_large'],
    async handler(ctx, { params: { id }, headers, ifMatch, principal }) {
      sendCart(ctx, 200, await service.hold(id, callerOf(principal, headers), ifMatch));
    },
  });
}

function calculateRoute(service: CartService): Route {
  return route({
    method: 'post',
    path: '/orders/calculate',
    role: Role.PUBLIC,
    operationId: 'calculateOrder',
    summary: 'Calculate what an order would cost now',
    description: 'By the rules by which orders are placed, but nothing is reserved, kept or promised.',
    tag: 'Orders',
    body: schema.calculateBody,
    responses: { 200: { description: 'Prices and sums', data: schema.quoteSchema } },
    errors: ['unknown_product', 'mixed_currencies', 'amount_too_large'],
    async handler(ctx, { body: { items } }) {
      sendData(ctx, 200, presentQuote(await service.calculate(items)));
    },
  });
}

export function callerOf(principal: Principal | undefined, headers: schema.CartHeaders): CartCaller {
  return { principal, token: headers['cart-token'] };
}

function sendCart(ctx: Context, status: number, { cart, quote }: QuotedCart, token?: string): void {
  ctx.set('ETag', etagOf(cart.version));
  sendData(ctx, status, presentCart(cart, quote, token));
}
