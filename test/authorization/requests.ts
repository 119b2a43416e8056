import { randomUUID } from 'node:crypto';
import { type OrderApi, type OrderBody, lines } from '../support/order-api';
import { mailedToken, PASSWORD, person, signIn, type Person } from '../support/signed-in-users';
import type { Caller } from './table';

export interface World {
  api: OrderApi;
  alice: Person;
  productId: string;
  admin: Person;
}

export interface TestRequest {
  path: string;
  body?: object;
  headers?: Record<string, string>;
}

/** The id of an action that does not exist. */
const ACTION = 'a'.repeat(48);
const NEW_ENTRY = { name: 'A thing', description: '', kind: 'product', unitPrice: 100, currency: 'EUR' };

/** Places an order of Alice's for a request that changes it. */
async function order({ api, alice, productId }: World): Promise<OrderBody> {
  return api.placed(alice.accessToken, [productId, 1]);
}

async function fulfilled(world: World): Promise<OrderBody> {
  const { id } = await order(world);
  const { body } = await world.api.fulfill(id, [[world.productId, 1]]).expect(201);
  return body.data;
}

async function cancelled(world: World): Promise<OrderBody> {
  const { id } = await order(world);
  const { api, alice } = world;
  return (await api.call('post', `/orders/${id}/cancel`, alice.accessToken).send({}).expect(200)).body.data;
}

async function idOf(world: World, path: string, body: object): Promise<string> {
  const { api, admin } = world;
  return (await api.call('post', path, admin.accessToken).send(body).expect(201)).body.data.id;
}

/** Returns the path of Alice's open cart. */
async function cart({ api, alice }: World): Promise<string> {
  return `/carts/${(await api.call('post', '/carts', alice.accessToken)).body.data.id}`;
}

async function emptyCart(world: World): Promise<string> {
  await world.api.call('delete', await cart(world), world.alice.accessToken).expect(204);
  return cart(world);
}

/** Nobody listens there. */
const NEW_ENDPOINT = { url: 'https://example.invalid/', types: ['order.*'] };

/** Makes an endpoint, and returns its path; only so many can be there at a time. */
async function endpoint({ api, admin }: World): Promise<string> {
  const { body } = await api.call('get', '/webhook-endpoints', admin.accessToken).expect(200);
  for (const { id } of body.data as { id: string }[])
    await api.call('delete', `/webhook-endpoints/${id}`, admin.accessToken).expect(204);
  const made = await api.call('post', '/webhook-endpoints', admin.accessToken).send(NEW_ENDPOINT).expect(201);
  return `/webhook-endpoints/${made.body.data.id}`;
}

const entry = (world: World) => idOf(world, '/product-services', { ...NEW_ENTRY, sku: randomUUID() });
const newAccount = () => ({ email: `${randomUUID()}@example.com`, password: PASSWORD, name: 'X' });

/** A valid request for each operation, so that only the caller decides on the response. */
export const REQUESTS: Readonly<
  Record<string, (world: World, caller: Caller) => TestRequest | Promise<TestRequest>>
> = {
  live: () => ({ path: '/health/live' }),
  ready: () => ({ path: '/health/ready' }),
  health: () => ({ path: '/health' }),
  register: () => ({ path: '/auth/register', body: newAccount() }),
  login: ({ alice: { email } }) => ({ path: '/auth/login', body: { email, password: PASSWORD } }),
  refresh: async ({ api }) => ({
    path: '/auth/refresh',
    body: { refreshToken: (await person(api)).refreshToken },
  }),
  logout: async ({ api }) => ({
    path: '/auth/logout',
    body: { refreshToken: (await person(api)).refreshToken },
  }),
  confirmAddress: async ({ api }) => {
    const account = newAccount();
    await api.call('post', '/auth/register').send(account).expect(201);
    return { path: '/auth/confirm', body: { token: await mailedToken(api, 'confirm', account.email) } };
  },
  forgotPassword: ({ alice: { email } }) => ({ path: '/auth/forgot', body: { email } }),
  resetPassword: async ({ api }) => {
    const { email } = await person(api);
    await api.call('post', '/auth/forgot').send({ email }).expect(202);
    const token = await mailedToken(api, 'reset', email);
    return { path: '/auth/reset', body: { token, password: 'staple battery horse' } };
  },
  showCode: () => ({ path: '/auth/totp', body: { challenge: 'x'.repeat(43), code: '123456' } }),
  listSessions: () => ({ path: '/users/me/sessions' }),
  endOtherSessions: () => ({ path: '/users/me/sessions' }),
  endSession: async ({ api, admin }) => {
    const { accessToken } = await signIn(api, admin.email);
    const { body } = await api.call('get', '/users/me/sessions', accessToken).expect(200);
    const [newest] = (body as { data: { id: string }[] }).data;
    return { path: `/users/me/sessions/${newest!.id}` };
  },
  beginTotp: () => ({ path: '/users/me/totp', body: { currentPassword: PASSWORD } }),
  confirmTotp: () => ({
    path: '/users/me/totp/confirm',
    body: { code: '123456', token: 'x'.repeat(43) },
  }),
  removeTotp: () => ({ path: '/users/me/totp', body: { code: '123456' } }),
  listProductServices: () => ({ path: '/product-services' }),
  getProductService: ({ productId }) => ({ path: `/product-services/${productId}` }),
  getProfile: () => ({ path: '/users/me' }),
  changeProfile: () => ({ path: '/users/me', body: { name: 'New name' } }),
  listUsers: () => ({ path: '/users' }),
  getUser: ({ alice }) => ({ path: `/users/${alice.id}` }),
  changeUser: async ({ api }) => ({ path: `/users/${(await person(api)).id}`, body: { role: 'ADMIN' } }),
  exportUser: ({ alice }) => ({ path: `/users/${alice.id}/export` }),
  eraseUser: async (world) => {
    await order(world);
    return { path: `/users/${world.alice.id}/erase`, body: { currentPassword: PASSWORD } };
  },
  createApiKey: () => ({ path: '/api-keys', body: { name: 'X', scopes: ['orders:read'] } }),
  listApiKeys: () => ({ path: '/api-keys' }),
  revokeApiKey: async (world) => ({
    path: `/api-keys/${await idOf(world, '/api-keys', { name: 'X', scopes: ['orders:read'] })}`,
  }),
  createProductService: () => ({ path: '/product-services', body: { ...NEW_ENTRY, sku: randomUUID() } }),
  changeProductService: async (world) => ({
    path: `/product-services/${await entry(world)}`,
    body: { name: 'Another thing' },
    headers: { 'If-Match': '*' },
  }),
  retireProductService: async (world) => ({ path: `/product-services/${await entry(world)}` }),
  restoreProductService: async (world) => {
    const path = `/product-services/${await entry(world)}`;
    await world.api.call('delete', path, world.admin.accessToken).expect(204);
    return { path: `${path}/restore` };
  },
  listStockAdjustments: async (world) => ({
    path: `/product-services/${await entry(world)}/stock-adjustments`,
  }),
  adjustStock: async (world) => ({
    path: `/product-services/${await entry(world)}/stock-adjustments`,
    body: { delta: 1, reason: 'Found' },
    headers: { 'Idempotency-Key': randomUUID() },
  }),
  countStock: async (world) => ({
    path: `/product-services/${await entry(world)}/stock`,
    body: { available: 1, reason: 'Counted' },
    headers: { 'If-Match': '*' },
  }),
  createCart: async (world, caller) => {
    if (caller === 'alice') await cart(world);
    return { path: '/carts' };
  },
  getCart: async (world) => ({ path: await cart(world) }),
  putCartItem: async (world) => ({
    path: `${await cart(world)}/items/${world.productId}`,
    body: { quantity: 1 },
  }),
  changeCart: async (world) => ({ path: await cart(world), body: { note: 'Please ring' } }),
  deleteCart: async (world) => ({ path: await cart(world) }),
  mergeCarts: async (world) => {
    const { body } = await world.api.call('post', '/carts').expect(201);
    return {
      path: `${await cart(world)}/merge`,
      body: { cartId: body.data.id, token: body.data.token },
    };
  },
  holdCart: async (world) => ({ path: `${await cart(world)}/hold` }),
  checkOut: async (world) => ({
    path: `${await emptyCart(world)}/checkout`,
    body: { paymentMethod: 'pm_card_visa' },
  }),
  calculateOrder: ({ productId }) => ({
    path: '/orders/calculate',
    body: { items: lines([productId, 1]).items },
  }),
  placeOrder: ({ productId, alice }, caller) => ({
    path: '/orders',
    body: { ...lines([productId, 1]), ...(caller.startsWith('key') && { customerId: alice.id }) },
    headers: { 'Idempotency-Key': randomUUID() },
  }),
  listOrders: () => ({ path: '/orders' }),
  exportOrders: () => ({ path: '/orders/export.csv' }),
  listOrderEvents: async (world) => ({ path: `/orders/${(await order(world)).id}/events` }),
  getOrder: async (world) => ({ path: `/orders/${(await order(world)).id}` }),
  amendOrder: async (world) => ({
    path: `/orders/${(await order(world)).id}`,
    body: { note: 'Please ring' },
    headers: { 'If-Match': '*' },
  }),
  cancelOrder: async (world) => ({ path: `/orders/${(await order(world)).id}/cancel`, body: {} }),
  archiveOrder: async (world) => ({ path: `/orders/${(await cancelled(world)).id}` }),
  fulfillOrder: async (world) => ({
    path: `/orders/${(await order(world)).id}/fulfillments`,
    body: { items: lines([world.productId, 1]).items },
    headers: { 'Idempotency-Key': randomUUID() },
  }),
  undoFulfillment: async (world) => {
    const { id, fulfillments } = await fulfilled(world);
    return {
      path: `/orders/${id}/fulfillments/${fulfillments[0].id}`,
      body: { reason: 'Lost', restock: false },
    };
  },
  correctFulfillment: async (world) => {
    const { id, fulfillments } = await fulfilled(world);
    return { path: `/orders/${id}/fulfillments/${fulfillments[0].id}`, body: { carrier: 'DHL' } };
  },
  deliverFulfillment: async (world) => {
    const { id, fulfillments } = await fulfilled(world);
    return { path: `/orders/${id}/fulfillments/${fulfillments[0].id}/deliver` };
  },
  refundOrder: async (world) => ({
    path: `/orders/${(await fulfilled(world)).id}/refunds`,
    body: { amount: 1, reason: 'A dent' },
    headers: { 'Idempotency-Key': randomUUID() },
  }),
  confirmPayment: async (world) => ({ path: `/orders/${(await order(world)).id}/payment/confirm` }),
  payOrder: async (world) => ({
    path: `/orders/${(await order(world)).id}/payment`,
    body: { paymentMethod: 'pm_card_visa' },
    headers: { 'Idempotency-Key': randomUUID() },
  }),
  retryCompensation: async (world) => ({
    path: `/orders/${(await order(world)).id}/compensations/voidPayment-1/retry`,
  }),
  resolveCompensation: async (world) => ({
    path: `/orders/${(await order(world)).id}/compensations/voidPayment-1/resolve`,
    body: { note: 'Settled' },
  }),
  listEvents: () => ({ path: '/events' }),
  createWebhookEndpoint: () => ({ path: '/webhook-endpoints', body: NEW_ENDPOINT }),
  listWebhookEndpoints: () => ({ path: '/webhook-endpoints' }),
  getWebhookEndpoint: async (world) => ({ path: await endpoint(world) }),
  changeWebhookEndpoint: async (world) => ({ path: await endpoint(world), body: { types: ['*'] } }),
  deleteWebhookEndpoint: async (world) => ({ path: await endpoint(world) }),
  rotateWebhookSecret: async (world) => ({ path: `${await endpoint(world)}/rotate-secret` }),
  pingWebhookEndpoint: async (world) => ({ path: `${await endpoint(world)}/ping` }),
  replayWebhookEvents: async (world) => ({
    path: `${await endpoint(world)}/replay`,
    body: { from: '2026-01-01T00:00:00Z' },
  }),
  listWebhookDeliveries: async (world) => ({ path: `${await endpoint(world)}/deliveries` }),
  redeliverWebhook: async (world) => {
    const { api, admin } = world;
    const { body } = await api.call('post', `${await endpoint(world)}/ping`, admin.accessToken).expect(202);
    return { path: `/webhook-deliveries/${body.data.id}/redeliver` };
  },
  listAudit: () => ({ path: '/audit' }),
  receiveStripeEvent: () => ({
    path: '/payments/stripe/webhook',
    body: { id: 'evt_1', type: 'charge.refunded' },
    headers: { 'Stripe-Signature': 't=1,v1=0' },
  }),
  openCodecSession: () => ({ path: '/codec/session' }),
  decodePayloads: () => ({ path: '/codec/decode', body: { payloads: [] } }),
  encodePayloads: () => ({ path: '/codec/encode', body: { payloads: [] } }),
  getPaymentSandbox: () => ({ path: '/payments/sandbox' }),
  showSandboxAction: () => ({ path: `/payments/sandbox/actions/${ACTION}` }),
  answerSandboxAction: () => ({
    path: `/payments/sandbox/actions/${ACTION}?answer=authorise&nonce=${ACTION}`,
  }),
  listSandboxPayments: () => ({ path: '/payments/sandbox/payments?orderId=ord_1' }),
  operateSandboxPayment: async (world) => ({
    path: `/payments/sandbox/payments/${(await order(world)).id}-1/operations`,
    body: { operation: 'capture' },
  }),
  setPaymentSandbox: () => ({ path: '/payments/sandbox', body: { available: true } }),
};
