import type { UserRole } from './role';
import type { Scope } from './scope';

/** The caller of a request, according to its access token or API key; no database read per request. */
export interface Principal {
  /** The id of a user or of an API key. */
  id: string;
  role: UserRole;
  /** Everything that an API key may do. Absent for a user, who may do everything that the role allows. */
  scopes?: readonly Scope[];
  /** An ADMIN who acts as a CUSTOMER until an authenticator app is set up. */
  mustSetUpTotp?: true;
  /** The ids under which the user has ordered without an account: those orders are theirs as well. */
  guests?: readonly string[];
}

/** Returns whether orders of that customer are the caller's own. */
export function isCustomer({ id, guests = [] }: Principal, customerId: string): boolean {
  return id === customerId || guests.includes(customerId);
}

/** A user, according to the access token. */
export interface UserPrincipal extends Principal {
  /** The version of the user when the token was issued; a higher one has revoked the token. */
  tokenVersion: number;
  /** The session in which the token was issued. */
  sessionId: string;
  /** When the user proved who they are, by signing in, in seconds since the epoch: refreshing does not renew it. */
  authenticatedAt: number;
  /** When the token expires, in seconds since the epoch. */
  expiresAt: number;
  scopes?: undefined;
}

/** What an access token says about its user. */
export type AccessTokenClaims = Omit<UserPrincipal, 'expiresAt' | 'scopes'>;
