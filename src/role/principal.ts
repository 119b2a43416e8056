import type { Scope } from './scope';
import type { UserRole } from './role';

/** Who calls, as the access token or the API key says; no database read per request. */
export interface Principal {
  /** A user's id, or an API key's. */
  id: string;
  role: UserRole;
  /** The session that the access token was issued in. */
  sessionId?: string;
  /** Of the user, as the access token says; a higher one has ended the token. */
  tokenVersion?: number;
  /** Of an API key: all that it may do. A person has none and may do what the role may. */
  scopes?: readonly Scope[];
}
