const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long after the attempt before each attempt is made, as Standard Webhooks recommends. */
const ATTEMPTS_AFTER_MS = [
  0,
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;

/** How many endpoints there can be: each event is compared with all of them. */
export const MAX_ENDPOINTS = 50;

/** How many attempts are made to deliver an event. */
export const MAX_ATTEMPTS = ATTEMPTS_AFTER_MS.length;
/** The part of a delay that is added to it at most, so that what failed together is not tried again together. */
const JITTER = 0.1;
/** The longest delay that a receiver can ask for. */
const MAX_RETRY_AFTER_MS = DAY_MS;
/** An endpoint that has failed for this time without a success is disabled. */
export const FAILING_LIMIT_MS = 5 * DAY_MS;
/** How long the secret before the newest one stays valid. */
export const OLD_SECRET_MS = DAY_MS;

/**
 * Returns how long after an attempt that has failed the next one follows, in milliseconds; null if there is none.
 * @param attempts how many there were
 * @param retryAfterMs what the receiver has asked for, if it has
 * @param random from 0 to 1
 */
export function retryDelayMs(attempts: number, retryAfterMs: number | null, random: number): number | null {
  const delay = ATTEMPTS_AFTER_MS[attempts];
  if (delay === undefined) return null;
  const wanted = Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
  return Math.max(Math.round(delay * (1 + JITTER * random)), wanted);
}

const SECONDS = /^\d{1,9}$/;
/** The form of times that senders must write (RFC 9110, 5.6.7); JavaScript would read more. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Reads a Retry-After header (RFC 9110, 10.2.3); null if it says nothing. @param now in milliseconds since the epoch */
export function readRetryAfter(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  if (SECONDS.test(header)) return Number(header) * 1_000;
  const at = HTTP_DATE.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** What a receiver has said of an event. */
export type Verdict = 'accepted' | 'gone' | 'failed';

/** A redirect is a failure: its target was not checked when the endpoint was made. @param status of the HTTP response */
export function verdictOf(status: number): Verdict {
  if (status >= 200 && status < 300) return 'accepted';
  return status === 410 ? 'gone' : 'failed';
}

/** Why an endpoint gets nothing. */
export type DisabledReason = 'by_admin' | 'gone' | 'failing';

/** How an endpoint has fared lately. */
export interface EndpointHealth {
  disabledReason: DisabledReason | null;
  /** When the first attempt since the last success has failed, in milliseconds since the epoch; null if none has. */
  failingSince: number | null;
}

/** Returns how an endpoint fares after an attempt. @param at in milliseconds since the epoch */
export function healthAfter(health: EndpointHealth, verdict: Verdict, at: number): EndpointHealth {
  if (health.disabledReason !== null) return health;
  if (verdict === 'accepted') return { ...health, failingSince: null };
  const failingSince = health.failingSince ?? at;
  if (verdict === 'gone') return { failingSince, disabledReason: 'gone' };
  return { failingSince, disabledReason: at - failingSince >= FAILING_LIMIT_MS ? 'failing' : null };
}

/** A secret that signs; null until it is replaced. Times are in milliseconds since the epoch. */
export interface SecretLife {
  expiresAt: number | null;
}

/** Returns the secrets that still sign, newest first. */
export function validSecrets<T extends SecretLife>(secrets: readonly T[], now: number): T[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
}

/** Adds a secret. The one before it stays valid for a day, and none that is older: replacing it twice ends one at once. */
export function replaceSecret<T extends SecretLife>(secrets: readonly T[], added: T, now: number): T[] {
  return [added, { ...secrets[0]!, expiresAt: now + OLD_SECRET_MS }];
}
