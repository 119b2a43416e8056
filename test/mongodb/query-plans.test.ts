import type { Connection } from 'mongoose';
import { createApiKeyRepository } from '../../src/api-keys/api-keys.repository';
import { createAuditRepository, type AuditRepository } from '../../src/audit/audit.repository';
import { createAuditRecorder } from '../../src/audit/recorder';
import { createAttemptRepository } from '../../src/users/passwords/attempts.repository';
import { createAccountRepository } from '../../src/users/account/accounts.repository';
import { createSecondFactorRepository } from '../../src/users/second-factor/second-factors.repository';
import { createSessionRepository } from '../../src/users/sessions/sessions.repository';
import type { Draft } from '../../src/events/event-source';
import {
  createEventRepository,
  createRelayRepository,
  type EventRepository,
  type RelayRepository,
} from '../../src/events/events.repository';
import { cartSource } from '../../src/events/sources/carts.source';
import { orderSource } from '../../src/events/sources/orders.source';
import { createCartRepository, type CartRepository } from '../../src/carts/carts.repository';
import { newCart, withDetails } from '../../src/domain/cart';
import { ORDER_STATUSES, FULFILLMENT_STATUSES, PAYMENT_STATUSES } from '../../src/domain/order';
import { createTransact } from '../../src/mongodb/transaction';
import { sortOf, type OrderFilter } from '../../src/orders/order-filter';
import { createOrderRepository } from '../../src/orders/orders.repository';
import { createPaymentActionRepository } from '../../src/payments/actions.repository';
import {
  createPersonalDataRepository,
  type PersonalDataRepository,
} from '../../src/personal-data/personal-data.repository';
import { createDeclineRepository } from '../../src/payments/declines/declines.repository';
import { createPaymentEventRepository } from '../../src/payments/stripe/events.repository';
import { createSandboxRepository, type SandboxPayment } from '../../src/payments/sandbox/repository';
import { createStripePaymentRepository } from '../../src/payments/stripe/repository';
import { createProductServiceRepository } from '../../src/product-service/product-service.repository';
import { createStockAdjustmentRepository } from '../../src/product-service/stock-adjustments.repository';
import { createStockQueue } from '../../src/product-service/stock-queue';
import { createStockRepository } from '../../src/product-service/stock.repository';
import {
  createSystemStateRepository,
  type SystemStateRepository,
} from '../../src/telemetry/system-state.repository';
import { createDataKeyRepository, type DataKeyRepository } from '../../src/temporal/data-keys/repository';
import { createEndedSessionsRepository } from '../../src/users/sessions/ended-sessions.repository';
import { createRevokedTokensRepository } from '../../src/users/sessions/revoked-tokens.repository';
import { createGuestRepository, type GuestRepository } from '../../src/users/guests.repository';
import { createUsersRepository, type User } from '../../src/users/users.repository';
import { createDeliveryRepository, type DeliveryRepository } from '../../src/webhooks/deliveries.repository';
import { begun, newDelivery } from '../../src/webhooks/delivery';
import { createEndpointRepository, type EndpointRepository } from '../../src/webhooks/endpoints.repository';
import { answered, orderIn } from '../domain/fixtures';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { TEST_ORIGIN } from '../support/origin';
import { storedEndpoint } from '../support/webhook-endpoint';
import { entryOf } from '../support/shop';

let db: TestDatabase;
beforeEach(async () => {
  db = await openTestDatabase({ own: true });
  await fill();
});
afterEach(() => db.drop());

/**
 * Adds documents that no call asks for. A query that examines all of them is too slow for a shop with
 * millions.
 */
async function fill(): Promise<void> {
  for (const collection of await db.connection.db!.collections()) {
    const others = Array.from({ length: OTHERS }, (_, n) => {
      const [text, time] = [`other-${n}`, new Date(n)];
      const operations = [{ key: text }];
      const unique = {
        operations,
        email: text,
        confirmedEmail: text,
        tokenHash: text,
        sku: text,
        skuKey: text,
        day: text,
        position: n,
        keyHash: text,
        key: text,
        reference: text,
        number: text,
        createdAt: time,
        updatedAt: time,
      };
      const half = n % 2 === 1;
      const live = collection.collectionName === 'users' ? 'active' : 'confirmed';
      const archived = n % 4 === 3 ? { archivedAt: time } : {};
      const entry = { kind: 'product', currency: 'EUR', isActive: true };
      const state = { status: half ? live : text, ...entry, ...archived };
      const owner = { userId: text, customerId: half ? 'usr_1' : text, role: half ? 'ADMIN' : text };
      // Several each, since MongoDB plans otherwise while no document of an index has a list.
      const lists = {
        items: [{ sku: text }, { sku: 'OTHER' }],
        fulfillments: [{ trackingNumber: text }, { trackingNumber: null }],
        metadata: [`channel=${text}`, 'colour=blue'],
        searchTerms: ['ca', 'cafe', half ? 'od' : 'ev'],
      };
      return { _id: text as never, externalRef: text, ...lists, ...owner, ...unique, ...state };
    });
    await collection.insertMany(others);
  }
}

/** A call of every method of a repository. A missing one does not compile. */
type Calls<Repository> = { [Method in keyof Repository]: () => unknown };

const OTHERS = 200;
const NOW = new Date();
const KEY = { name: 'Warehouse', scopes: [], createdBy: 'usr_1', start: 'oms_1234', createdAt: NOW };
const ACTOR = { id: 'usr_1', tokenVersion: 0, sessionId: 'session' };
const ENDLESS = { expiresAt: null, revokedAt: null, lastUsedAt: null };
const PAGE = { limit: 20, after: 'zzz' };

function apiKeyCalls(connection: Connection): Calls<ReturnType<typeof createApiKeyRepository>> {
  const keys = createApiKeyRepository(connection);
  return {
    insert: () =>
      keys.insert(
        { id: 'key_1', keyHash: 'hash', sessionId: 'session', ...KEY, ...ENDLESS },
        ACTOR,
        TEST_ORIGIN,
      ),
    findByHash: () => keys.findByHash('hash'),
    async list() {
      for (const filter of [{}, { createdBy: 'usr_1' }]) await keys.list(filter, PAGE);
    },
    revoke: () => keys.revoke('key_1', TEST_ORIGIN),
    recordUse: () => keys.recordUse('key_1', NOW),
    watchRevocations: () => keys.watchRevocations().close(),
  };
}

function attemptCalls(connection: Connection): Calls<ReturnType<typeof createAttemptRepository>> {
  const attempts = createAttemptRepository(connection);
  const delays = { free: 1, firstMs: 1, mostMs: 8, forgetMs: 60_000 };
  return {
    add: () => attempts.add('someone', 60_000),
    addDelayed: () => attempts.addDelayed('someone', delays),
    takeBack: () => attempts.takeBack('someone'),
    takeBackDelayed: () => attempts.takeBackDelayed('someone', 'id'),
    clear: () => attempts.clear('someone'),
  };
}

function sessionCalls(connection: Connection): Calls<ReturnType<typeof createSessionRepository>> {
  const sessions = createSessionRepository(connection);
  const session = {
    userId: 'usr_1',
    family: 'family',
    tokenHash: 'one',
    tokenVersion: 0,
    createdAt: NOW,
    accessUntil: NOW,
    usedFrom: 'somewhere',
    hasSecondFactor: false,
    expiresAt: new Date(Date.now() + 60_000),
  };
  return {
    insert: () => sessions.insert({ id: 'session', ...session }),
    find: () => sessions.find('session'),
    rotate: () => sessions.rotate('session', { from: 'one', to: 'two', accessUntil: NOW, usedFrom: 'x' }),
    removeRevoked: () => sessions.removeRevoked({ id: 'usr_1', tokenVersion: 1, keptSessionId: null }),
    isUsedFrom: () => sessions.isUsedFrom('somewhere'),
    list: () => sessions.list({ id: 'usr_1', tokenVersion: 0, keptSessionId: null }, 100),
    end: () => sessions.end('session'),
    endOwn: () => sessions.endOwn('usr_1', 'session', TEST_ORIGIN),
    endOthers: () => sessions.endOthers('usr_1', 'session', TEST_ORIGIN),
    endStolen: () => sessions.endStolen('session', TEST_ORIGIN),
  };
}

function accountCalls(connection: Connection): Calls<ReturnType<typeof createAccountRepository>> {
  const accounts = createAccountRepository(connection);
  const user = { id: 'usr_accounts', email: 'alice@example.com', tokenVersion: 0 };
  const token = 'x'.repeat(43);
  /** Returns a token of a user who exists. */
  const sent = async (purpose: 'confirm' | 'reset') => {
    const { tokenVersion, ...fields } = user;
    await createUsersRepository(connection).insert({
      ...fields,
      name: 'Alice',
      role: 'CUSTOMER',
      passwordHash: 'x',
    });
    return (await accounts.issueToken(purpose, user, user.email)) ?? token;
  };
  return {
    issueToken: () => accounts.issueToken('reset', user, user.email),
    issueChallenge: () => accounts.issueChallenge(user),
    findByToken: () => accounts.findByToken('reset', token),
    useChallenge: () => accounts.useChallenge(token),
    confirmAddress: async () => accounts.confirmAddress(await sent('confirm'), TEST_ORIGIN),
    resetPassword: async () =>
      accounts.resetPassword(await sent('reset'), {
        passwordHash: 'x',
        origin: TEST_ORIGIN,
        sessionsBeganAfter: NOW,
      }),
  };
}

function secondFactorCalls(connection: Connection): Calls<ReturnType<typeof createSecondFactorRepository>> {
  const factors = createSecondFactorRepository(connection);
  const user = { id: 'usr_1', tokenVersion: 0 };
  const activation = { user, sessionId: 'session', secret: 'secret', step: 1, recoveryCodes: ['a'] };
  const token = async () =>
    (await createAccountRepository(connection).issueToken('totp', user, 'alice@example.com')) ?? 'x';
  return {
    find: () => factors.find('usr_1'),
    begin: () => factors.begin('usr_1', 'secret'),
    turnOn: async () => factors.turnOn({ ...activation, token: await token() }, TEST_ORIGIN),
    useStep: () => factors.useStep('usr_1', 2),
    useRecoveryCode: () => factors.useRecoveryCode('usr_1', 'a'),
    remove: () => factors.remove('usr_1', TEST_ORIGIN),
  };
}

function userCalls(connection: Connection): Calls<ReturnType<typeof createUsersRepository>> {
  const users = createUsersRepository(connection);
  const user = {
    id: 'usr_1',
    email: 'alice@example.com',
    confirmedEmail: 'alice@example.com',
    name: 'Alice',
    role: 'ADMIN',
    passwordHash: 'x',
  } as const;
  return {
    insert: () => users.insert(user),
    findById: () => users.findById(user.id),
    findByEmail: () => users.findByEmail(user.email),
    findUnconfirmed: () => users.findUnconfirmed(user.email),
    standingOf: () => users.standingOf(user.id),
    isSetUp: () => users.isSetUp(),
    async list() {
      const filters = [{}, { role: user.role }, { email: user.email }, { status: 'erased' as const }];
      for (const filter of filters) await users.list(filter, PAGE);
    },
    rename: () => users.rename({ ...user, tokenVersion: 0 } as User, 'Bob', TEST_ORIGIN),
    changePassword: () =>
      users.changePassword(
        { ...user, tokenVersion: 0 } as User,
        { passwordHash: 'y' },
        { id: 'session', tokenHash: 'two', accessUntil: NOW, othersBeganAfter: NOW },
        TEST_ORIGIN,
      ),
    change: () => users.change(user.id, { role: 'CUSTOMER' }, ACTOR),
    erase: () => users.erase(user.id, TEST_ORIGIN),
  };
}

function revokedTokensCalls(connection: Connection): Calls<ReturnType<typeof createRevokedTokensRepository>> {
  const revoked = createRevokedTokensRepository(connection);
  return { findSince: () => revoked.findSince(NOW), watch: () => revoked.watch().close() };
}

function endedSessionsCalls(connection: Connection): Calls<ReturnType<typeof createEndedSessionsRepository>> {
  const ended = createEndedSessionsRepository(connection);
  return { findKnown: () => ended.findKnown(), watch: () => ended.watch().close() };
}

/** Each filter on its own, of all states and of one customer, and those that are used together. */
function orderFilters(): OrderFilter[] {
  const own = { customerId: 'usr_1' };
  const metadata = { channel: 'web' };
  const single: OrderFilter[] = [
    {},
    own,
    { number: '7K3DQ-9QXWM' },
    { externalRef: 'PO-1' },
    { trackingNumber: '00340434161094021501' },
    { sku: 'TSHIRT-M' },
    { metadata },
    { from: NOW, to: NOW },
    { updatedFrom: NOW },
    { updatedTo: new Date(OTHERS / 4) },
    ...ORDER_STATUSES.map((status) => ({ status: [status] })),
    ...PAYMENT_STATUSES.map((status) => ({ paymentStatus: [status] })),
    ...FULFILLMENT_STATUSES.map((status) => ({ fulfillmentStatus: [status] })),
    { status: ['pending', 'rejected'] },
    { paymentStatus: ['declined', 'voided'], fulfillmentStatus: ['unfulfilled', 'delivered'] },
  ];
  const several: OrderFilter[] = [
    { sku: 'TSHIRT-M', status: ['pending', 'confirmed'], from: new Date(0) },
    { metadata: { ...metadata, shop: 'two' }, status: ['confirmed'] },
    { status: ['confirmed'], updatedFrom: NOW },
    ...PAYMENT_STATUSES.map((status) => ({ ...own, paymentStatus: [status] })),
    ...single.map((filter) => ({ ...own, ...filter })),
  ];
  return [...single, ...several].flatMap((filter) => [filter, { ...filter, archived: true }]);
}

function orderCalls(connection: Connection): Calls<ReturnType<typeof createOrderRepository>> {
  const orders = createOrderRepository(connection);
  const order = orderIn({ status: 'confirmed', paymentStatus: 'authorized' });
  return {
    insert: () => createTransact(connection)((session) => orders.insert(order, session)),
    findById: () => orders.findById(order.id),
    keepAnswer: () => orders.keepAnswer(order.id, answered('cmd_1')),
    findAnswer: () => orders.findAnswer(order.id, 'cmd_1'),
    async listUnfinished() {
      for (const which of ['pending', 'obligation'] as const) {
        await orders.listUnfinished(which, { before: NOW, limit: 20 });
        await orders.listUnfinished(which, { before: NOW, after: { at: new Date(1), id: 'x' }, limit: 20 });
      }
    },
    findByExternalRef: () => orders.findByExternalRef('usr_1', 'PO-1'),
    async list() {
      for (const filter of orderFilters()) {
        const at = sortOf(filter) === 'createdAt' ? NOW : new Date(OTHERS);
        await orders.list(filter, { limit: 20 });
        await orders.list(filter, { limit: 20, after: { at, id: order.id } });
      }
    },
    save: () => orders.save({ ...order, revision: order.revision + 1 }),
  };
}

function catalogueCalls(connection: Connection): Calls<ReturnType<typeof createProductServiceRepository>> {
  const products = createProductServiceRepository(connection, OTHERS / 5);
  const entry = { ...entryOf(5), id: 'ps_1' };
  const stored = async () => (await products.find(entry.id))!;
  return {
    insert: () => products.insert(entry, TEST_ORIGIN),
    async findPage() {
      const searches = [['ca'], ['mu'], ['cafe', 'ca', 'od', 'ev', 'mu'], ['none', 'of', 'these']];
      for (const isActive of [true, false]) {
        for (const filter of [{}, { kind: entry.kind }, { currency: 'EUR' }]) {
          await products.findPage({ isActive, ...filter, ...PAGE });
          for (const terms of searches) await products.search({ isActive, ...filter, terms, ...PAGE });
        }
      }
    },
    search: () => products.search({ isActive: true, terms: ['mu'], limit: 20 }),
    find: () => products.find(entry.id),
    findActive: () => products.findActive(entry.id),
    findByIds: () => products.findByIds([entry.id, 'ps_2']),
    findActiveByIds: () => products.findActiveByIds([entry.id, 'ps_2']),
    update: async () => products.update(await stored(), { name: 'Another' }, TEST_ORIGIN),
    retire: async () => products.retire(await stored(), TEST_ORIGIN),
    restore: async () => products.restore(await stored(), TEST_ORIGIN),
  };
}

function stockAdjustmentCalls(
  connection: Connection,
): Calls<ReturnType<typeof createStockAdjustmentRepository>> {
  const adjustments = createStockAdjustmentRepository({
    connection,
    stockQueue: createStockQueue(),
    transact: createTransact(connection),
  });
  const wanted = { id: 'adj_1', fingerprint: 'x', reason: 'Found', by: 'usr_1' };
  return {
    async adjust() {
      const products = createProductServiceRepository(connection);
      const { id: productServiceId } = (await products.insert(entryOf(5), TEST_ORIGIN))!;
      for (let n = 0; n < 2; n++) {
        await adjustments.adjust({ ...wanted, productServiceId }, TEST_ORIGIN, () => 1);
      }
    },
    async findPage() {
      await adjustments.findPage('ps_1', { limit: 20 });
      await adjustments.findPage('ps_1', { limit: 20, before: 100 });
    },
  };
}

function stockCalls(connection: Connection): Calls<ReturnType<typeof createStockRepository>> {
  const stock = createStockRepository(connection);
  const moves = [{ productServiceId: 'ps_1', available: -1, reserved: 1 }];
  return {
    move: () => createTransact(connection)((session) => stock.move(moves, session)),
    available: () => stock.available(['ps_1']),
  };
}

function paymentEventCalls(connection: Connection): Calls<ReturnType<typeof createPaymentEventRepository>> {
  const events = createPaymentEventRepository(connection);
  return { add: () => events.add({ id: 'evt_1', type: 'x' }), isHandled: () => events.isHandled('evt_1') };
}

function sandboxCalls(connection: Connection): Calls<ReturnType<typeof createSandboxRepository>> {
  const sandbox = createSandboxRepository(connection);
  const operation = { key: 'capture-1', kind: 'capture', amount: 100, at: NOW };
  return {
    open: () => sandbox.open({ key: 'ord_1-1', status: 'authorized' } as SandboxPayment),
    find: () => sandbox.find('ord_1-1'),
    move: () =>
      sandbox.move('ord_1-1', {
        from: { status: 'authorized', open: 100, disputed: 0 },
        to: 'captured',
        changes: {},
        operation,
      } as never),
    findByAction: () => sandbox.findByAction('action-1'),
    ofOrder: () => sandbox.ofOrder('ord_1'),
    changedWithin: () => sandbox.changedWithin({ from: NOW, to: NOW, after: 'ord_1-1', limit: 10 }),
    countAttempt: () => sandbox.countAttempt('capture-1'),
    isAvailable: () => sandbox.isAvailable(),
    setAvailable: () => sandbox.setAvailable(true),
  };
}

function stripeCalls(connection: Connection): Calls<ReturnType<typeof createStripePaymentRepository>> {
  const payments = createStripePaymentRepository(connection);
  const named = { key: 'ord_1-1', orderId: 'ord_1' };
  return {
    claim: () => payments.claim(named, 'pi_1'),
    find: () => payments.find('ord_1-1'),
    findByReference: () => payments.findByReference('pi_1'),
    decline: () => payments.decline(named, 'No money.'),
  };
}

function actionCalls(connection: Connection): Calls<ReturnType<typeof createPaymentActionRepository>> {
  const actions = createPaymentActionRepository(connection);
  return {
    keep: () => actions.keep('ord_1-1', { type: 'use_sdk', clientSecret: 'secret' }),
    find: () => actions.find('ord_1-1'),
    remove: () => actions.remove('ord_1-1'),
  };
}

function cartCalls(connection: Connection): Calls<CartRepository> {
  const carts = createCartRepository(connection, {
    stock: createStockRepository(connection),
    stockQueue: createStockQueue(),
  });
  const cart = newCart({ id: 'cart_1', customerId: 'usr_c', tokenHash: null }, NOW.toISOString());
  const noted = withDetails(cart, { note: 'x' }, NOW.toISOString());
  const until = new Date(0).toISOString();
  return {
    insert: () => carts.insert(cart),
    find: () => carts.find('cart_1'),
    findOpen: () => carts.findOpen('usr_c'),
    write: () => carts.write({ before: cart, after: noted }),
    async releaseExpired() {
      await carts.write({ before: noted, after: { ...noted, hold: { items: [], until }, version: 3 } });
      await carts.releaseExpired(['ps_1']);
      await carts.releaseExpired();
    },
    markAbandoned: () => carts.markAbandoned(NOW),
    markOrdered: () =>
      createTransact(connection)((session) =>
        carts.markOrdered({ id: 'cart_1', contentVersion: 2 }, 'ord_1', session),
      ),
    reopen: () => createTransact(connection)((session) => carts.reopen({ id: 'cart_1' }, 'ord_1', session)),
    beginAttempt: () => carts.beginAttempt({ id: 'cart_1', attempt: 3 }),
    removeAllOf: () => carts.removeAllOf('usr_c'),
  };
}

function guestCalls(connection: Connection): Calls<GuestRepository> {
  const guests = createGuestRepository(connection);
  const guest = { id: 'usr_g', email: 'guest@example.com', name: 'Guest', orderTokenHash: 'hash' };
  return {
    keep: () => guests.keep(guest),
    isKnown: () => guests.isKnown('usr_g'),
    findByOrderToken: () => guests.findByOrderToken('hash'),
    findByEmail: () => guests.findByEmail('guest@example.com'),
    takeOver: () => guests.takeOver({ id: 'usr_1', confirmedEmail: 'guest@example.com' }),
    takenOverBy: () => guests.takenOverBy('usr_1'),
  };
}

function personalDataCalls(connection: Connection): Calls<PersonalDataRepository> {
  const audit = createAuditRepository(connection, createTransact(connection));
  const data = createPersonalDataRepository(connection, audit);
  return {
    sessionsOf: () => data.sessionsOf('usr_1', { limit: 20, after: 'a' }),
    cartsOf: () => data.cartsOf('usr_c'),
    eraseTraces: () => data.eraseTraces('ord_1'),
    eraseRest: () => data.eraseRest('usr_1'),
  };
}

function dataKeyCalls(connection: Connection): Calls<DataKeyRepository> {
  const keys = createDataKeyRepository(connection);
  const key = { wrapped: Buffer.from('key'), wrappedBy: 'old' };
  return {
    add: () => keys.add('owner', key),
    find: () => keys.find('owner'),
    wrappedByOthers: () => keys.wrappedByOthers('new', 10),
    rewrap: () => keys.rewrap('owner', key, { ...key, wrappedBy: 'new' }),
    retire: () => keys.retire('owner'),
    destroy: () => keys.destroy('owner'),
    watchEnded: () => keys.watchEnded().close(),
  };
}

function declineCalls(connection: Connection): Calls<ReturnType<typeof createDeclineRepository>> {
  const declines = createDeclineRepository(connection);
  return {
    add: () => declines.add({ _id: 'ord_1-1', by: 'usr_1' }),
    ofOrder: () => declines.ofOrder('ord_1'),
    addSource: () => declines.addSource('ord_1-1', 'hash'),
    findSince: () => declines.findSince(NOW, 10),
    watch: () => declines.watch().close(),
  };
}

function endpointCalls(connection: Connection): Calls<EndpointRepository> {
  const endpoints = createEndpointRepository(connection);
  const secrets = [{ sealed: 'sealed', createdAt: NOW, expiresAt: null }];
  const endpoint = storedEndpoint({ secrets, createdAt: NOW });
  const replay = { round: 'one', from: NOW, to: NOW, startedAt: NOW, completedAt: null };
  const action = { action: 'change', origin: TEST_ORIGIN };
  return {
    async insert() {
      await connection.collection('webhook_endpoints').deleteMany({ url: { $exists: false } });
      await endpoints.insert(endpoint, TEST_ORIGIN);
    },
    find: () => endpoints.find('whe_1'),
    enabled: () => endpoints.enabled(),
    all: () => endpoints.all(),
    list: () => endpoints.list(PAGE),
    change: () => endpoints.change('whe_1', (before) => ({ ...before, types: ['order.*'] }), action),
    beginReplay: () => endpoints.beginReplay('whe_1', () => replay, TEST_ORIGIN),
    completeReplay: () => endpoints.completeReplay('whe_1', 'one'),
    reseal: () => endpoints.reseal('whe_1', 'sealed', 'anew'),
    recordVerdict: () => endpoints.recordVerdict('whe_1', 'failed', NOW),
    remove: () => endpoints.remove('whe_1', () => undefined, TEST_ORIGIN),
  };
}

function deliveryCalls(connection: Connection): Calls<DeliveryRepository> {
  const deliveries = createDeliveryRepository(connection);
  const event = { _id: 'evt_1_1', position: 1, types: ['order.placed' as const], recordedAt: NOW };
  const delivery = newDelivery('whe_1', event, 'first');
  const { status, lastStatus, lastError, nextAttemptAt, completedAt } = delivery;
  const outcome = {
    status,
    attempts: 1,
    lastAttemptAt: NOW,
    lastStatus,
    lastError,
    nextAttemptAt,
    completedAt,
  };
  return {
    insert: () => deliveries.insert([delivery]),
    begin: () => deliveries.begin([newDelivery('whe_1', event, 'second')]),
    find: () => deliveries.find(delivery.id),
    async list() {
      for (const status of [undefined, 'pending' as const])
        await deliveries.list({ endpointId: 'whe_1', status }, PAGE);
    },
    overdue: () => deliveries.overdue(new Date(Date.now() + 1_000), 10),
    postpone: () => deliveries.postpone([delivery], new Date(Date.now() + 1_000)),
    restart: () => deliveries.restart(delivery, begun(delivery, 'third'), TEST_ORIGIN),
    record: () => deliveries.record(delivery, outcome),
    dispatched: () => deliveries.dispatched(),
    saveDispatched: () => deliveries.saveDispatched(1),
  };
}

function auditCalls(connection: Connection): Calls<AuditRepository> {
  const transact = createTransact(connection);
  const audit = createAuditRepository(connection, transact);
  const origin = { by: 'usr_1', requestId: 'r-1', address: null };
  const change = {
    origin,
    action: 'order.amend',
    object: 'ord_1',
    subject: 'usr_1',
    changes: [],
    personal: [],
  };
  const record = createAuditRecorder(connection);
  return {
    async seal() {
      await transact((session) => record(change, session));
      await audit.seal(NOW);
    },
    async list() {
      for (const filter of [{}, { actor: 'usr_1' }, { object: 'ord_1' }, { actor: 'usr_1', from: NOW }])
        await audit.list(filter, PAGE);
    },
    ofUser: () => audit.ofUser(['usr_1', 'usr_2'], PAGE),
    removeBefore: () => audit.removeBefore(NOW),
    erasePrivateParts: () => audit.erasePrivateParts('usr_1'),
    erasePrivatePartsOfOrder: () => audit.erasePrivatePartsOfOrder('ord_1'),
  };
}

function feedCalls(connection: Connection): Calls<EventRepository> {
  const feed = createEventRepository(connection);
  return {
    async page() {
      await feed.page({ after: 0 }, 20);
      await feed.page({ after: 0, types: ['order.placed', 'order.rejected'] }, 20);
    },
    latest: () => feed.latest(),
    find: () => feed.find('evt_1'),
    brief: () => feed.brief(0, 20),
    positionBefore: () => feed.positionBefore(NOW),
    history: () => feed.history('ord_1', 0, 20),
    lastOf: () => feed.lastOf(['ord_1', 'ord_2']),
    watch: () => feed.watch(1).close(),
  };
}

/** All that the relay does again and again; what is out of stock it reads once. */
function relayCalls(connection: Connection): Calls<Omit<RelayRepository, 'availability'>> {
  const relay = createRelayRepository({ connection, transact: createTransact(connection), retentionMs: 1 });
  return {
    takeOver: () => relay.takeOver(),
    shortenExpiry: () => relay.shortenExpiry(new AbortController().signal, () => undefined),
    append: async () => relay.append(await relay.takeOver(), [], { token: null, followedAt: NOW }),
    lacking: () => relay.lacking([{ event: { _id: 'evt_1' } } as Draft]),
  };
}

function systemStateCalls(connection: Connection): Calls<SystemStateRepository> {
  const state = createSystemStateRepository(connection);
  return {
    async withStatus() {
      for (const status of ['pending', 'confirmed'] as const) await state.withStatus(status);
    },
    overdue: () => state.overdue(),
    failingCompensations: () => state.failingCompensations(),
    followedAt: () => state.followedAt(),
    pendingDeliveries: () => state.pendingDeliveries(),
    failingEndpoints: () => state.failingEndpoints(),
    unsealedAudit: () => state.unsealedAudit(),
    upkeepEnded: () => state.upkeepEnded(),
    filesystemUsed: () => state.filesystemUsed(),
  };
}

/** What looks for missing events of collections that grow with the orders. */
function missedCalls(connection: Connection): Record<string, () => unknown> {
  const sources = [orderSource(connection, createEventRepository(connection)), cartSource(connection)];
  return Object.fromEntries(
    sources.map(({ collection, missedSince }) => [
      collection,
      async () => {
        for await (const drafts of missedSince(NOW)) expect(drafts).toEqual([]);
      },
    ]),
  );
}

/** An entry of MongoDB's profiler. */
interface Profiled {
  ns: string;
  command: object;
  /** Whether the documents were sorted after they had been read. */
  hasSortStage?: boolean;
  planSummary?: string;
  /** The number of examined index entries. */
  keysExamined?: number;
}

async function plansOf(calls: Record<string, () => unknown>): Promise<Profiled[]> {
  const mongo = db.connection.db!;
  await mongo.command({ profile: 2 });
  for (const call of Object.values(calls)) await call();
  await mongo.command({ profile: 0 });
  const profile = await mongo.collection<Profiled & { _id: never }>('system.profile').find().toArray();
  return profile.filter(({ planSummary }) => planSummary !== undefined);
}

/** There are 50 endpoints at most, and a document for each regular work. */
const SMALL = /\.(webhook_endpoints|upkeep)$/;

it.each(
  Object.entries({
    apiKeyCalls,
    auditCalls,
    attemptCalls,
    sessionCalls,
    userCalls,
    guestCalls,
    cartCalls,
    accountCalls,
    secondFactorCalls,
    revokedTokensCalls,
    endedSessionsCalls,
    orderCalls,
    catalogueCalls,
    stockAdjustmentCalls,
    stockCalls,
    paymentEventCalls,
    sandboxCalls,
    actionCalls,
    personalDataCalls,
    dataKeyCalls,
    declineCalls,
    stripeCalls,
    endpointCalls,
    deliveryCalls,
    feedCalls,
    relayCalls,
    missedCalls,
    systemStateCalls,
  }),
)('no query of %s scans a whole collection or index, or sorts what it has read', async (_name, callsOn) => {
  const plans = await plansOf(callsOn(db.connection));
  expect(plans.length).toBeGreaterThan(0);
  const bad = plans.filter(
    ({ ns, planSummary, keysExamined = 0, hasSortStage = false }) =>
      (planSummary!.includes('COLLSCAN') && !SMALL.test(ns)) ||
      keysExamined >= OTHERS / 2 ||
      (hasSortStage && ns.endsWith('.orders')), // elsewhere a unique index finds one document that is sorted
  );
  expect(
    bad.map(({ command, planSummary, keysExamined, hasSortStage }) => {
      return { command, planSummary, keysExamined, hasSortStage };
    }),
  ).toEqual([]);
});
