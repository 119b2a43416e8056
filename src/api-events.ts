import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import type { Route } from './http/route';
import type { Config } from './config';
import type { MongoDb } from './mongodb/mongodb';
import { createOrderPresenter, orderLinksOf } from './orders/orders.presenter';
import { identifyByOrderToken } from './orders/routes/order-token';
import type { OrderService } from './orders/orders.service';
import { createEventPresenter } from './events/events.presenter';
import { createEventRepository } from './events/events.repository';
import { eventRoutes } from './events/events.routes';
import { createEventService } from './events/events.service';
import { createEventWatch } from './events/event-watch';
import type { TemporalClient } from './temporal/client';
import type { ReportSecurityEvent } from './security/security-events';
import { createSecretBox } from './common/secret-box';
import { createGuestRepository } from './users/guests.repository';
import type { Reauthentication } from './users/reauthentication';
import { createAddressFilter } from './webhooks/addresses';
import { createDeliveryRepository } from './webhooks/deliveries.repository';
import { createEndpointRepository } from './webhooks/endpoints.repository';
import { SECRETS_PURPOSE } from './webhooks/signing';
import { createDeliveryStarts } from './webhooks/starts';
import { webhookRoutes } from './webhooks/webhooks.routes';
import { createWebhookService } from './webhooks/webhooks.service';

export interface FeedRoutesDeps {
  config: Config;
  mongodb: Pick<MongoDb, 'connection' | 'connected'>;
  logger: Logger;
  /** Aborts when the process is about to stop. */
  draining: AbortSignal;
  orders: OrderService;
}

/** Creates the routes of what happens in the shop. */
export function feedRoutes({
  config,
  mongodb: { connection, connected },
  logger,
  draining,
  orders,
}: FeedRoutesDeps): Route[] {
  const feed = createEventRepository(connection);
  const watch = createEventWatch({ feed, connected, logger, draining });
  return eventRoutes({
    service: createEventService({ feed, watch, draining }),
    orders,
    present: createEventPresenter(createOrderPresenter(orderLinksOf(config))),
    guests: identifyByOrderToken(createGuestRepository(connection)),
  });
}

export interface OutgoingRoutesDeps {
  connection: Connection;
  temporal: TemporalClient;
  requireRecentSignIn: Reauthentication;
  report: ReportSecurityEvent;
}

/** Creates the routes of those to whom events are sent. */
export function outgoingRoutes(
  { temporal: { eventsTaskQueue }, webhooks, payloadKeys, env }: Config,
  { connection, temporal, requireRecentSignIn, report }: OutgoingRoutesDeps,
): Route[] {
  const service = createWebhookService({
    endpoints: createEndpointRepository(connection),
    deliveries: createDeliveryRepository(connection),
    feed: createEventRepository(connection),
    starts: createDeliveryStarts(temporal, eventsTaskQueue),
    secrets: createSecretBox(payloadKeys, SECRETS_PURPOSE),
    requireRecentSignIn,
    report,
    isAllowed: createAddressFilter(webhooks.allowedNetworks),
    isSecure: env === 'production',
  });
  return webhookRoutes(service);
}
