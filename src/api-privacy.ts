import type { Connection } from 'mongoose';
import { createApiKeyRepository } from './api-keys/api-keys.repository';
import { createAuditRecorder } from './audit/recorder';
import { createAuditRepository } from './audit/audit.repository';
import type { Route } from './http/route';
import type { Config } from './config';
import { createTransact } from './mongodb/transaction';
import { createOrderPresenter, orderLinksOf } from './orders/orders.presenter';
import { allOrdersOf } from './orders/order-pages';
import { createOrderRepository } from './orders/orders.repository';
import { createErasures } from './personal-data/erasures';
import { createPersonalDataRepository } from './personal-data/personal-data.repository';
import { personalDataRoutes } from './personal-data/personal-data.routes';
import { createPersonalDataService } from './personal-data/personal-data.service';
import type { TemporalClient } from './temporal/client';
import { createGuestRepository } from './users/guests.repository';
import { createUsersRepository } from './users/users.repository';
import type { Reauthentication } from './users/reauthentication';

/** Within this time every process knows that an account is closed, and Temporal lists an order that it has taken. */
const HEARD_MS = 5_000;

export interface PrivacyRoutesDeps {
  config: Config;
  connection: Connection;
  temporal: TemporalClient;
  requireRecentSignIn: Reauthentication;
  /** For how long orders may arrive from an account that was closed, in milliseconds. */
  lateMs?: number;
}

/** Creates the routes by which people get and erase what is kept of them. */
export function privacyRoutes({
  config,
  connection,
  temporal,
  requireRecentSignIn,
  lateMs = config.orders.placeTimeoutMs + HEARD_MS,
}: PrivacyRoutesDeps): Route[] {
  const { taskQueue } = config.temporal;
  const orders = createOrderRepository(connection);
  const transact = createTransact(connection);
  const audit = createAuditRepository(connection, transact);
  const recordAudit = createAuditRecorder(connection);
  const service = createPersonalDataService({
    record: (change) => transact((session) => recordAudit(change, session)),
    users: createUsersRepository(connection),
    requireRecentSignIn,
    erasures: createErasures(temporal, { taskQueue, timeoutMs: config.orders.commandTimeoutMs, lateMs }),
    data: createPersonalDataRepository(connection, audit),
    keys: createApiKeyRepository(connection),
    audit,
    ordersOf: (customerId) => allOrdersOf(orders, customerId),
    guestsOf: createGuestRepository(connection).takenOverBy,
    present: createOrderPresenter(orderLinksOf(config)),
  });
  return personalDataRoutes(service);
}
