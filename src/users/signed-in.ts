import { tokenEnded } from '../jwt/challenge';
import type { Principal } from '../jwt/principal';
import { isEndedBy } from './token-end';
import type { UserDocument } from './users.model';

type StoredUser = Pick<UserDocument, 'status' | 'tokenVersion' | 'keptSessionId'>;

/**
 * Whether the access token is still good by what is stored of its user, which is newer than what a process has heard of.
 * What gives somebody access for longer than a token lives asks this, and not the guard alone.
 */
export function isSignedIn<U extends StoredUser>(
  user: U | null,
  { tokenVersion = 0, sessionId }: Principal,
): user is U {
  return user !== null && user.status === 'active' && !isEndedBy(user, { tokenVersion, sessionId });
}

/** @throws {AppError} unauthorized */
export function requireSignedIn<U extends StoredUser>(user: U | null, principal: Principal): U {
  if (!isSignedIn(user, principal)) throw tokenEnded();
  return user;
}
