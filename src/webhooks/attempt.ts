import { trace } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { SecretBox } from '../common/secret-box';
import { readRetryAfter, retryDelayMs, validSecrets, verdictOf, type Verdict } from '../domain/webhook';
import type { EventPresenter } from '../events/events.presenter';
import type { EventRepository } from '../events/events.repository';
import { Role } from '../role/role';
import type { AttemptOutcome, Delivery, DeliveryRepository } from './deliveries.repository';
import { FIRST_ROUND, PING_TYPE } from './delivery';
import type { Endpoint, EndpointRepository } from './endpoints.repository';
import { RefusedAddress, type Answer, type Post } from './post';
import { signedHeaders } from './signing';
import type { PingView } from './webhooks.schema';

/** Who sends; receivers may let it through their firewalls. */
const USER_AGENT = 'orders-management-system-webhooks';

export interface AttemptDeps {
  endpoints: Pick<EndpointRepository, 'find' | 'recordVerdict'>;
  deliveries: Pick<DeliveryRepository, 'find' | 'record'>;
  feed: Pick<EventRepository, 'find'>;
  present: EventPresenter;
  secrets: SecretBox;
  post: Post;
  /** Whether only https is allowed. */
  isSecure: boolean;
  logger: Pick<Logger, 'warn'>;
  /** Called after each attempt, to count it. */
  onAttempt?(report: AttemptReport): void;
}

export interface AttemptReport {
  status: Delivery['status'];
  /** How long after the event this was attempted, in milliseconds; null if it is not the first time, or there is no event. */
  firstAfterMs: number | null;
}

/** A round of attempts to deliver something. */
export interface DeliveryRound {
  deliveryId: string;
  round: string;
}

export type Attempt = ReturnType<typeof createAttempt>;

/** Creates what makes one attempt of a round. It may run twice, or twice at once: receivers know the event by its id. */
export function createAttempt(deps: AttemptDeps) {
  const { endpoints, deliveries, feed, present, secrets, post, isSecure, logger, onAttempt } = deps;

  /** Returns what to send; null if there is no such event any more. */
  async function contentOf({ eventId, endpointId, ping }: Delivery): Promise<Content | null> {
    if (ping) return { body: pingBody(eventId, endpointId, ping) };
    const event = await feed.find(eventId);
    return event && { body: JSON.stringify(present(event, { role: Role.ADMIN })), happenedAt: event.at };
  }

  /** @returns what the receiver has answered, or why it has not */
  async function send({ id, url, secrets: stored }: Endpoint, eventId: string, body: string, at: Date) {
    if (isSecure && !url.startsWith('https:')) return new RefusedAddress('The URL is not https.');
    const known = stored.map((secret) => ({ ...secret, expiresAt: secret.expiresAt?.getTime() ?? null }));
    const opened = validSecrets(known, at.getTime()).map(({ sealed }) => secrets.open(sealed, id));
    const headers = {
      'content-type': 'application/json',
      'user-agent': USER_AGENT,
      ...signedHeaders(opened, { id: eventId, body, at }),
    };
    return post(url, headers, body).catch((error: Error) => error);
  }

  async function recordVerdict(endpoint: Endpoint, verdict: Verdict, at: Date): Promise<void> {
    const disabled = await endpoints.recordVerdict(endpoint.id, verdict, at);
    if (!disabled) return;
    const { id: endpointId, disabledReason: reason } = disabled;
    logger.warn({ endpointId, reason }, 'webhook endpoint disabled');
  }

  /** Returns after how many milliseconds the next attempt is to be made; null if there is none. */
  return async ({ deliveryId, round }: DeliveryRound): Promise<number | null> => {
    const delivery = await deliveries.find(deliveryId);
    if (delivery?.round !== round || delivery.status !== 'pending') return null;
    const at = new Date();
    const early = delivery.nextAttemptAt!.getTime() - at.getTime();
    if (early > 0) return early;
    const giveUp = (lastError: string) =>
      deliveries
        .record(delivery, { ...untouched(delivery), status: 'failed', lastError, completedAt: at })
        .then(() => null);
    tellTrace(delivery);
    const endpoint = await endpoints.find(delivery.endpointId);
    if (!endpoint) return giveUp('The endpoint was deleted.');
    // A ping tries it before it is enabled.
    if (endpoint.disabledReason !== null && !delivery.ping) return giveUp('The endpoint was disabled.');
    const content = await contentOf(delivery);
    if (content === null) return giveUp('The event is not kept any more.');
    const answer = await send(endpoint, delivery.eventId, content.body, at);
    const { outcome, verdict, delayMs } = outcomeOf(delivery, answer, at);
    await deliveries.record(delivery, outcome);
    await recordVerdict(endpoint, verdict, at);
    onAttempt?.({ status: outcome.status, firstAfterMs: firstAfterMs(delivery, content, at) });
    return delayMs;
  };
}

interface Content {
  body: string;
  /** When the event happened; a ping is none. */
  happenedAt?: Date;
}

function firstAfterMs({ round, attempts }: Delivery, { happenedAt }: Content, at: Date): number | null {
  const isFirst = round === FIRST_ROUND && attempts === 0;
  return isFirst && happenedAt ? Math.max(0, at.getTime() - happenedAt.getTime()) : null;
}

/** The trace of a delivery is its own, and leads to the order by the attribute that the traces of the order have. */
function tellTrace({ eventId, type }: Delivery): void {
  const orderId = /^evt_(ord_[0-9a-f]{32})_/.exec(eventId)?.[1];
  trace.getActiveSpan()?.setAttributes({
    'webhook.event.id': eventId,
    'webhook.event.type': type,
    ...(orderId !== undefined && { 'order.id': orderId }),
  });
}

function untouched(delivery: Delivery): AttemptOutcome {
  const { status, attempts, lastAttemptAt, lastStatus, lastError, completedAt } = delivery;
  return { status, attempts, lastAttemptAt, lastStatus, lastError, completedAt, nextAttemptAt: null };
}

function outcomeOf(
  { attempts: before, ping }: Delivery,
  answer: Answer | Error,
  at: Date,
): { outcome: AttemptOutcome; verdict: Verdict; delayMs: number | null } {
  const verdict = 'status' in answer ? verdictOf(answer.status) : 'failed';
  const attempts = before + 1;
  const now = Date.now();
  const retryAfterMs = 'status' in answer ? readRetryAfter(answer.retryAfter, now) : null;
  // Who pings looks at what came of it.
  const isLast = verdict !== 'failed' || ping !== undefined;
  const delayMs = isLast ? null : retryDelayMs(attempts, retryAfterMs, Math.random());
  return {
    verdict,
    delayMs,
    outcome: {
      status: verdict === 'accepted' ? 'succeeded' : delayMs === null ? 'failed' : 'pending',
      attempts,
      lastAttemptAt: at,
      lastStatus: 'status' in answer ? answer.status : null,
      lastError: verdict === 'accepted' ? null : reasonOf(answer),
      nextAttemptAt: delayMs === null ? null : new Date(now + delayMs),
      completedAt: delayMs === null ? new Date(now) : null,
    },
  };
}

/** Says why an attempt has failed, without what the receiver, or anything before it, has sent. */
function reasonOf(answer: Answer | Error): string {
  if ('status' in answer) {
    if (answer.status === 410) return 'The receiver wants no more events (410).';
    if (answer.status >= 300 && answer.status < 400)
      return `The receiver answered ${answer.status}, and redirects are not followed: enter the new URL.`;
    return `The receiver answered ${answer.status}.`;
  }
  if (answer instanceof RefusedAddress) return answer.message;
  if (answer.name === 'AbortError' || answer.name === 'TimeoutError')
    return 'The receiver did not answer within 15 s.';
  const { code } = answer as NodeJS.ErrnoException;
  return `The receiver cannot be reached${code ? ` (${code})` : ''}.`;
}

function pingBody(id: string, endpointId: string, at: Date): string {
  const ping: PingView = {
    id,
    type: PING_TYPE,
    types: [PING_TYPE],
    at: at.toISOString(),
    object: endpointId,
    version: 1,
    follows: null,
    data: { id: endpointId },
  };
  return JSON.stringify(ping);
}
