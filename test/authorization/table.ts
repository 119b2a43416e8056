import type { Scope } from '../../src/role/scope';

/** The callers. Orders belong to Alice; the disabled user was an ADMIN. */
export const CALLERS = ['anonymous', 'alice', 'bob', 'admin', 'disabled', 'keyWith', 'keyWithout'] as const;
export type Caller = (typeof CALLERS)[number];

export interface Row {
  expected: Record<Caller, number>;
  /**
   * The scope that `keyWith` has, and that `keyWithout` lacks. Null: rejects every key, whatever its scopes.
   */
  scope: Scope | null;
}

function row(
  scope: Scope | null,
  ...statuses: [number, number, number, number, number, number, number]
): Row {
  const entries = CALLERS.map((caller, n) => [caller, statuses[n]!]);
  return { scope, expected: Object.fromEntries(entries) as Record<Caller, number> };
}

const open = (status: number) => row(null, status, status, status, status, status, status, status);

/** Every operation of the API, and the status that each caller gets. */
export const TABLE: Readonly<Record<string, Row>> = {
  //                                             anon alice  bob admin disabled key+ key-
  live: open(200),
  ready: open(200),
  health: open(200),
  register: open(201),
  login: open(200),
  refresh: open(200),
  logout: open(204),
  // Only the token in the mail counts, not the caller.
  confirmAddress: open(204),
  forgotPassword: open(202),
  resetPassword: open(204),
  // Only the challenge counts, which is not valid.
  showCode: open(401),
  listProductServices: open(200),
  getProductService: open(200),
  getProfile: row(null, /*                        */ 401, 200, 200, 200, 401, 403, 403),
  listSessions: row(null, /*                      */ 401, 200, 200, 200, 401, 403, 403),
  endOtherSessions: row(null, /*                  */ 401, 204, 204, 204, 401, 403, 403),
  // Each session is the admin's.
  endSession: row(null, /*                        */ 401, 404, 404, 204, 401, 403, 403),
  beginTotp: row(null, /*                         */ 401, 201, 201, 201, 401, 403, 403),
  // The token is not the one of the mail, and nobody has an app.
  confirmTotp: row(null, /*                       */ 401, 400, 400, 400, 401, 403, 403),
  removeTotp: row(null, /*                        */ 401, 404, 404, 404, 401, 403, 403),
  changeProfile: row(null, /*                     */ 401, 200, 200, 200, 401, 403, 403),
  listUsers: row('users:read', /*                 */ 401, 403, 403, 200, 401, 200, 403),
  getUser: row('users:read', /*                   */ 401, 403, 403, 200, 401, 200, 403),
  changeUser: row(null, /*                        */ 401, 403, 403, 200, 401, 403, 403),
  exportUser: row(null, /*                        */ 401, 200, 404, 200, 401, 403, 403),
  // An order is open, so authorized callers get 409.
  eraseUser: row(null, /*                         */ 401, 409, 404, 409, 401, 403, 403),
  createApiKey: row(null, /*                      */ 401, 403, 403, 201, 401, 403, 403),
  listApiKeys: row(null, /*                       */ 401, 403, 403, 200, 401, 403, 403),
  revokeApiKey: row(null, /*                      */ 401, 403, 403, 204, 401, 403, 403),
  createProductService: row('catalogue:write', /* */ 401, 403, 403, 201, 401, 201, 403),
  changeProductService: row('catalogue:write', /* */ 401, 403, 403, 200, 401, 200, 403),
  retireProductService: row('catalogue:write', /* */ 401, 403, 403, 204, 401, 204, 403),
  restoreProductService: row('catalogue:write', /**/ 401, 403, 403, 200, 401, 200, 403),
  listStockAdjustments: row('catalogue:write', /* */ 401, 403, 403, 200, 401, 200, 403),
  adjustStock: row('catalogue:write', /*          */ 401, 403, 403, 201, 401, 201, 403),
  countStock: row('catalogue:write', /*           */ 401, 403, 403, 200, 401, 200, 403),
  // Alice's cart, or a guest's, which only its token opens. API keys do not go shopping.
  createCart: row(null, /*                        */ 201, 200, 201, 201, 401, 403, 403),
  getCart: row(null, /*                           */ 404, 200, 404, 404, 401, 403, 403),
  putCartItem: row(null, /*                       */ 404, 200, 404, 404, 401, 403, 403),
  changeCart: row(null, /*                        */ 404, 200, 404, 404, 401, 403, 403),
  deleteCart: row(null, /*                        */ 404, 204, 404, 404, 401, 403, 403),
  mergeCarts: row(null, /*                        */ 404, 200, 404, 404, 401, 403, 403),
  // Carts hold nothing unless that is switched on.
  holdCart: row(null, /*                          */ 404, 409, 404, 404, 401, 403, 403),
  // Alice's cart is empty.
  checkOut: row(null, /*                          */ 404, 409, 404, 404, 401, 403, 403),
  calculateOrder: open(200),
  placeOrder: row('orders:write', /*              */ 401, 201, 201, 201, 401, 201, 403),
  listOrders: row('orders:read', /*               */ 401, 200, 200, 200, 401, 200, 403),
  exportOrders: row('orders:read', /*             */ 401, 403, 403, 200, 401, 200, 403),
  // A stream is another form of the same.
  listOrderEvents: row('orders:read', /*          */ 401, 200, 404, 200, 401, 200, 403),
  getOrder: row('orders:read', /*                 */ 401, 200, 404, 200, 401, 200, 403),
  amendOrder: row('orders:write', /*              */ 401, 200, 404, 200, 401, 200, 403),
  cancelOrder: row('orders:write', /*             */ 401, 200, 404, 200, 401, 200, 403),
  archiveOrder: row('orders:write', /*            */ 401, 403, 403, 204, 401, 204, 403),
  fulfillOrder: row('orders:write', /*            */ 401, 403, 403, 201, 401, 201, 403),
  undoFulfillment: row('orders:write', /*         */ 401, 403, 403, 200, 401, 200, 403),
  correctFulfillment: row('orders:write', /*      */ 401, 403, 403, 200, 401, 200, 403),
  deliverFulfillment: row('orders:write', /*      */ 401, 403, 403, 200, 401, 200, 403),
  refundOrder: row('refunds:write', /*            */ 401, 403, 403, 201, 401, 201, 403),
  confirmPayment: row('orders:write', /*          */ 401, 201, 404, 201, 401, 201, 403),
  // There is nothing to pay, so authorized callers get 409.
  payOrder: row('orders:write', /*                */ 401, 409, 404, 409, 401, 409, 403),
  // There is nothing to retry or to resolve, so authorized callers get 404.
  retryCompensation: row('orders:write', /*       */ 401, 403, 403, 404, 401, 404, 403),
  resolveCompensation: row('refunds:write', /*    */ 401, 403, 403, 404, 401, 404, 403),
  listEvents: row('events:read', /*               */ 401, 403, 403, 200, 401, 200, 403),
  createWebhookEndpoint: row('webhooks:write', /* */ 401, 403, 403, 201, 401, 201, 403),
  listWebhookEndpoints: row('webhooks:write', /*  */ 401, 403, 403, 200, 401, 200, 403),
  getWebhookEndpoint: row('webhooks:write', /*    */ 401, 403, 403, 200, 401, 200, 403),
  changeWebhookEndpoint: row('webhooks:write', /* */ 401, 403, 403, 200, 401, 200, 403),
  deleteWebhookEndpoint: row('webhooks:write', /* */ 401, 403, 403, 204, 401, 204, 403),
  rotateWebhookSecret: row('webhooks:write', /*   */ 401, 403, 403, 200, 401, 200, 403),
  pingWebhookEndpoint: row('webhooks:write', /*   */ 401, 403, 403, 202, 401, 202, 403),
  replayWebhookEvents: row('webhooks:write', /*   */ 401, 403, 403, 202, 401, 202, 403),
  listWebhookDeliveries: row('webhooks:write', /* */ 401, 403, 403, 200, 401, 200, 403),
  redeliverWebhook: row('webhooks:write', /*      */ 401, 403, 403, 202, 401, 202, 403),
  listAudit: row(null, /*                         */ 401, 403, 403, 200, 401, 403, 403),
  // Only Stripe's signature counts, not the caller.
  receiveStripeEvent: open(400),
  openCodecSession: row(null, /*                  */ 401, 403, 403, 204, 401, 403, 403),
  decodePayloads: row(null, /*                    */ 401, 403, 403, 200, 401, 403, 403),
  encodePayloads: row(null, /*                    */ 401, 403, 403, 200, 401, 403, 403),
  getPaymentSandbox: row(null, /*                 */ 401, 403, 403, 200, 401, 403, 403),
  // Only the address and the nonce of the page count, not the caller.
  showSandboxAction: open(404),
  answerSandboxAction: open(404),
  listSandboxPayments: row(null, /*               */ 401, 403, 403, 200, 401, 403, 403),
  operateSandboxPayment: row(null, /*             */ 401, 403, 403, 200, 401, 403, 403),
  setPaymentSandbox: row(null, /*                 */ 401, 403, 403, 200, 401, 403, 403),
};
