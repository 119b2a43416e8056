import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { createKeyedHash } from '../common/keyed-hash';
import { clientAddress } from '../rate-limit/client-address';
import type { UserRole } from '../role/role';
import type { Scope } from '../role/scope';

/** What may be an attack, or gives power, by its name in the log. */
export interface SecurityEvents {
  /** A wrong password, also for an account that does not exist, or a wrong code of an authenticator app. */
  login_failed: Account;
  /** An attempt that was turned down unseen, since there were too many wrong ones. */
  login_locked: Account;
  /** A refresh token that was used before: it was copied, and the session has ended. */
  refresh_reused: { userId: string };
  role_changed: { userId: string; by: string; from: UserRole; to: UserRole };
  key_created: { apiKeyId: string; by: string; scopes: readonly Scope[] };
  /** Events are sent to another URL than before, or to one more. */
  webhook_url_set: { endpointId: string; by: string };
  /** An API key that has expired or was revoked. */
  key_used_after_end: { apiKeyId: string };
  /** Payloads of Temporal were decrypted or encrypted. */
  codec_used: { userId: string; operation: 'decode' | 'encode'; payloads: number };
}

/** Whose password it was to be: the e-mail address of an account, which the log has as a keyed hash, or a session's user. */
type Account = { email: string } | { sessionId: string };

export type SecurityEventName = keyof SecurityEvents;

export const SECURITY_EVENT_NAMES = Object.keys({
  login_failed: 0,
  login_locked: 0,
  refresh_reused: 0,
  role_changed: 0,
  key_created: 0,
  webhook_url_set: 0,
  key_used_after_end: 0,
  codec_used: 0,
} satisfies Record<SecurityEventName, 0>) as SecurityEventName[];

/** @param from the network address of the client, if it is known, which the log has as a keyed hash */
export type ReportSecurityEvent = <Name extends SecurityEventName>(
  name: Name,
  details: SecurityEvents[Name],
  from?: string,
) => void;

export interface SecurityEventsOptions {
  logger: Logger;
  /** The hashes are made with it: the same for all API processes, so that the log shows what belongs together. */
  secret: KeyObject;
  /** Called for each event, to count it. */
  onEvent?(name: SecurityEventName): void;
}

const PURPOSE = 'accounts and addresses of security events';

/** Creates a function that writes one log line for each event: `securityEvent` is its name. */
export function createSecurityEvents({
  logger,
  secret,
  onEvent = () => undefined,
}: SecurityEventsOptions): ReportSecurityEvent {
  const hash = createKeyedHash(secret, PURPOSE);
  return (name, details, from) => {
    onEvent(name);
    const { email, ...shown } = details as { email?: string };
    const line = {
      securityEvent: name,
      ...shown,
      ...(email !== undefined && { accountHash: hash('account', email) }),
      ...(from !== undefined && { addressHash: hash('address', clientAddress(from)) }),
    };
    logger.warn(line, 'security event');
  };
}
