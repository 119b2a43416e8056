import { validSecrets } from '../domain/webhook';
import type { Delivery } from './deliveries.repository';
import type { Endpoint } from './endpoints.repository';
import type { ReplayDocument } from './webhooks.model';
import type { DeliveryView, EndpointView, ReplayView } from './webhooks.schema';

export function presentEndpoint(endpoint: Endpoint): EndpointView {
  const lives = endpoint.secrets.map(({ expiresAt }) => ({ expiresAt: expiresAt?.getTime() ?? null }));
  const old = validSecrets(lives, Date.now()).find(({ expiresAt }) => expiresAt !== null);
  return {
    id: endpoint.id,
    url: endpoint.url,
    description: endpoint.description,
    types: endpoint.types,
    status: endpoint.disabledReason === null ? 'enabled' : 'disabled',
    disabledReason: endpoint.disabledReason,
    disabledAt: timeOf(endpoint.disabledAt),
    failingSince: timeOf(endpoint.failingSince),
    replay: endpoint.replay && presentReplay(endpoint.replay),
    oldSecretUntil: old ? new Date(old.expiresAt!).toISOString() : null,
    version: endpoint.version,
    createdBy: endpoint.createdBy,
    createdAt: endpoint.createdAt.toISOString(),
    updatedAt: endpoint.updatedAt.toISOString(),
  };
}

export function presentReplay({ from, to, startedAt, completedAt }: ReplayDocument): ReplayView {
  return {
    from: from.toISOString(),
    to: to.toISOString(),
    startedAt: startedAt.toISOString(),
    completedAt: timeOf(completedAt),
  };
}

export function presentDelivery(delivery: Delivery): DeliveryView {
  return {
    id: delivery.id,
    endpointId: delivery.endpointId,
    eventId: delivery.eventId,
    type: delivery.type,
    status: delivery.status,
    attempts: delivery.attempts,
    lastAttemptAt: timeOf(delivery.lastAttemptAt),
    lastStatus: delivery.lastStatus,
    lastError: delivery.lastError,
    nextAttemptAt: timeOf(delivery.nextAttemptAt),
    createdAt: delivery.createdAt.toISOString(),
    completedAt: timeOf(delivery.completedAt),
  };
}

function timeOf(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}
