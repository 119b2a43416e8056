import { isIP } from 'node:net';
import { requireVersion } from '../common/etag';
import { newId } from '../common/ids';
import { pageOf, type Page } from '../common/pagination';
import type { SecretBox } from '../common/secret-box';
import type { Origin } from '../domain/audit';
import { MAX_ENDPOINTS, replaceSecret } from '../domain/webhook';
import { AppError } from '../errors/app-error';
import type { EventRepository } from '../events/events.repository';
import { invalid } from '../errors/invalid';
import { hashOfKey } from '../common/idempotency-key';
import type { Principal, UserPrincipal } from '../role/principal';
import type { ReportSecurityEvent } from '../security/security-events';
import type { Proof, Reauthentication } from '../users/reauthentication';
import { hasAllowedPort, type IsAllowedAddress } from './addresses';
import type { Delivery, DeliveryRepository } from './deliveries.repository';
import { begun, newPing, newRound } from './delivery';
import type { Endpoint, EndpointRepository } from './endpoints.repository';
import { replayRequest } from './dispatch';
import { newSecret } from './signing';
import type { DeliveryStarts } from './starts';
import type { DeliveryStatus, ReplayDocument, StoredSecret } from './webhooks.model';
import type { ChangeEndpointBody, CreateEndpointBody, ReplayBody } from './webhooks.schema';

export interface WebhookServiceDeps {
  endpoints: Pick<EndpointRepository, 'find' | 'list' | 'insert' | 'change' | 'remove' | 'beginReplay'>;
  deliveries: Pick<DeliveryRepository, 'find' | 'list' | 'insert' | 'restart'>;
  feed: Pick<EventRepository, 'latest'>;
  starts: DeliveryStarts;
  secrets: SecretBox;
  requireRecentSignIn: Reauthentication;
  report: ReportSecurityEvent;
  isAllowed: IsAllowedAddress;
  /** Whether only https is allowed. */
  isSecure: boolean;
}

/** The versions one of which must be the current one; null for any. */
type Versions = readonly number[] | null;

export type WebhookService = ReturnType<typeof createWebhookService>;

export function createWebhookService(deps: WebhookServiceDeps) {
  const { endpoints, deliveries, feed, starts, secrets, isAllowed, isSecure } = deps;
  const { requireRecentSignIn, report } = deps;

  /** @throws {AppError} validation_failed for a URL of which it is known now that nothing would be sent to it */
  function checkUrl(url: string | undefined): void {
    if (url === undefined) return;
    const target = new URL(url);
    const { protocol, hostname } = target;
    if (isSecure && protocol !== 'https:')
      throw invalid([{ path: 'url', message: 'must begin with https://' }]);
    if (!hasAllowedPort(target))
      throw invalid([{ path: 'url', message: 'must have the port 80 or 443, or one from 1024 on' }]);
    const literal = hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !isAllowed(literal))
      throw invalid([{ path: 'url', message: 'must lead to an address of the public internet' }]);
  }

  /**
   * Who chooses where events are sent to reads all of them for longer than the session lasts.
   * @throws {AppError} unauthorized if a user signed in too long ago, validation_failed for a wrong password
   */
  async function requireProof(principal: Principal, { currentPassword, address }: Proof): Promise<void> {
    if (isUser(principal)) await requireRecentSignIn(principal, { currentPassword, address });
  }

  function sealed(secret: string, endpointId: string, createdAt: Date): StoredSecret {
    return { sealed: secrets.seal(secret, endpointId), createdAt, expiresAt: null };
  }

  /** @throws {AppError} not_found */
  async function read(id: string): Promise<Endpoint> {
    return found(await endpoints.find(id));
  }

  return {
    read,

    async list({ limit, after }: { limit: number; after?: string }): Promise<Page<Endpoint>> {
      return pageOf(await endpoints.list({ limit: limit + 1, after }), limit);
    },

    /**
     * Returns the secret as well, which cannot be read again.
     * @throws {AppError} validation_failed, unauthorized, rate_limited for too many wrong passwords, invalid_transition if
     * there are too many
     */
    async create(
      { url, description, types, currentPassword }: CreateEndpointBody,
      principal: Principal,
      origin: Origin & { address: string },
    ): Promise<{ endpoint: Endpoint; secret: string }> {
      checkUrl(url);
      await requireProof(principal, { currentPassword, address: origin.address });
      const now = new Date();
      const id = newId('whe', now);
      const secret = newSecret();
      const endpoint: Endpoint = {
        id,
        url,
        description: description || null,
        types,
        secrets: [sealed(secret, id, now)],
        disabledReason: null,
        disabledAt: null,
        failingSince: null,
        replay: null,
        after: await feed.latest(),
        version: 1,
        createdBy: origin.by,
        createdAt: now,
        updatedAt: now,
      };
      if (!(await endpoints.insert(endpoint, origin))) throw tooMany();
      report('webhook_url_set', { endpointId: id, by: origin.by }, origin.address);
      return { endpoint, secret };
    },

    /** @throws {AppError} not_found, precondition_failed, validation_failed; for another URL also as for a new endpoint */
    async change(
      id: string,
      { url, description, types, status, currentPassword }: ChangeEndpointBody,
      { versions, principal }: { versions: Versions; principal: Principal },
      origin: Origin & { address: string },
    ): Promise<Endpoint> {
      checkUrl(url);
      if (url !== undefined) await requireProof(principal, { currentPassword, address: origin.address });
      const latest = await feed.latest();
      const change = (endpoint: Endpoint): Endpoint => {
        requireVersion(versions, endpoint.version);
        return {
          ...endpoint,
          ...(url !== undefined && url !== endpoint.url && { url, failingSince: null }),
          ...(description !== undefined && { description: description || null }),
          ...(types && { types }),
          ...statusOf(endpoint, status, latest),
        };
      };
      const changed = found(await endpoints.change(id, change, { action: 'change', origin }));
      if (url !== undefined) report('webhook_url_set', { endpointId: id, by: origin.by }, origin.address);
      return changed;
    },

    /** @throws {AppError} not_found, precondition_failed */
    async remove(id: string, versions: Versions, origin: Origin): Promise<void> {
      const check = ({ version }: Endpoint) => requireVersion(versions, version);
      if (!(await endpoints.remove(id, check, origin))) throw noSuchEndpoint();
    },

    /**
     * Makes a new secret, beside which the one before it stays valid for a day.
     * @throws {AppError} not_found, precondition_failed
     */
    async rotateSecret(
      id: string,
      versions: Versions,
      origin: Origin,
    ): Promise<{ endpoint: Endpoint; secret: string }> {
      const secret = newSecret();
      const now = new Date();
      const added = sealed(secret, id, now);
      const change = (endpoint: Endpoint): Endpoint => {
        requireVersion(versions, endpoint.version);
        const known = endpoint.secrets.map((one) => {
          return { ...one, expiresAt: one.expiresAt?.getTime() ?? null };
        });
        const replaced = replaceSecret(known, { ...added, expiresAt: null }, now.getTime());
        return {
          ...endpoint,
          secrets: replaced.map((one) => {
            return { ...one, expiresAt: one.expiresAt === null ? null : new Date(one.expiresAt) };
          }),
        };
      };
      const endpoint = found(await endpoints.change(id, change, { action: 'rotate_secret', origin }));
      return { endpoint, secret };
    },

    /** Has something sent that tries the endpoint, also one that is disabled. @throws {AppError} not_found */
    async ping(id: string): Promise<Delivery> {
      const { id: endpointId } = await read(id);
      const delivery = newPing(endpointId, new Date());
      await deliveries.insert([delivery]);
      await starts.deliver(delivery).catch(unavailable);
      return delivery;
    },

    /** @throws {AppError} not_found */
    async listDeliveries(
      endpointId: string,
      { status, limit, after }: { status?: DeliveryStatus; limit: number; after?: string },
    ): Promise<Page<Delivery>> {
      await read(endpointId);
      return pageOf(await deliveries.list({ endpointId, status }, { limit: limit + 1, after }), limit);
    },

    /**
     * Delivers an event again at once, whatever became of it.
     * @param key the same one does so once
     * @throws {AppError} not_found, invalid_transition
     */
    async redeliver(id: string, key: string | undefined, origin: Origin): Promise<Delivery> {
      const known = await deliveries.find(id);
      if (!known) throw noSuchDelivery();
      const round = roundOf(id, key);
      if (known.round !== round && !known.ping) requireEnabled(await read(known.endpointId));
      const delivery = known.round === round ? known : begun(known, round);
      if (delivery !== known) await deliveries.restart(known, delivery, origin);
      await starts.deliver(delivery, true).catch(unavailable);
      return delivery;
    },

    /**
     * Begins to deliver the events of a period again, one period at a time.
     * @param key the same one does so once
     * @throws {AppError} not_found, validation_failed, invalid_transition, idempotency_key_reused
     */
    async replay(
      id: string,
      { from, to }: ReplayBody,
      key: string | undefined,
      origin: Origin,
    ): Promise<ReplayDocument> {
      const now = new Date();
      const wanted = { from: new Date(from), to: to === undefined ? now : new Date(to) };
      if (wanted.from >= wanted.to)
        throw invalid([{ path: 'from', message: 'must be before to, and in the past' }]);
      const round = roundOf(id, key);
      const begin = ({ replay: known, ...endpoint }: Endpoint): ReplayDocument => {
        if (known?.round === round) {
          const isSame = +known.from === +wanted.from && (to === undefined || +known.to === +wanted.to);
          if (!isSame) throw keyReused();
          return known;
        }
        requireEnabled(endpoint);
        if (known?.completedAt === null) throw beingReplayed(known);
        return { round, ...wanted, startedAt: now, completedAt: null };
      };
      const replay = await endpoints.beginReplay(id, begin, origin);
      if (!replay) throw noSuchEndpoint();
      if (replay.completedAt === null) await starts.replay(replayRequest(id, replay)).catch(unavailable);
      return replay;
    },
  };
}

/** Returns what changes with the status. @param latest the position after which one that is enabled gets events */
function statusOf(
  { disabledReason }: Endpoint,
  status: ChangeEndpointBody['status'],
  latest: number,
): Partial<Endpoint> {
  if (status === 'enabled' && disabledReason !== null)
    return { disabledReason: null, disabledAt: null, failingSince: null, after: latest };
  if (status === 'disabled' && disabledReason === null)
    return { disabledReason: 'by_admin', disabledAt: new Date() };
  return {};
}

function found(endpoint: Endpoint | null): Endpoint {
  if (!endpoint) throw noSuchEndpoint();
  return endpoint;
}

/** Names a round of attempts: always the same for the same key. */
function roundOf(id: string, key: string | undefined): string {
  return key === undefined ? newRound() : hashOfKey(id, key);
}

function isUser(principal: Principal): principal is UserPrincipal {
  return principal.scopes === undefined;
}

function requireEnabled({ disabledReason }: Pick<Endpoint, 'disabledReason'>): void {
  if (disabledReason === null) return;
  throw new AppError(
    'invalid_transition',
    'The endpoint is disabled, so nothing is sent to it: ping it, and enable it with PATCH once it answers.',
  );
}

function unavailable(cause: unknown): never {
  throw new AppError(
    'service_unavailable',
    'Temporal has not confirmed that it will be sent: repeat the request. Receivers know what they get twice by its id.',
    { cause },
  );
}

function beingReplayed({ from, to }: ReplayDocument): AppError {
  return new AppError(
    'invalid_transition',
    `The events from ${from.toISOString()} to ${to.toISOString()} are being sent to it again: wait until \`replay\` of the ` +
      'endpoint has a completedAt.',
  );
}

function keyReused(): AppError {
  return new AppError(
    'idempotency_key_reused',
    'This Idempotency-Key was used for another period. Send a new key, or repeat the first request unchanged.',
  );
}

function noSuchEndpoint(): AppError {
  return new AppError('not_found', 'Webhook endpoint not found: check the id.');
}

function noSuchDelivery(): AppError {
  return new AppError(
    'not_found',
    'Webhook delivery not found: check the id. Deliveries are kept for 30 days.',
  );
}

function tooMany(): AppError {
  return new AppError(
    'invalid_transition',
    `There are ${MAX_ENDPOINTS} webhook endpoints, the most that there can be: delete one that is not needed any more.`,
  );
}
