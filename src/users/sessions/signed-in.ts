import { tokenEnded } from '../../errors/unauthorized';
import { isEndedBy, type Issued } from './token-end';
import type { UserDocument } from '../users.model';

type StoredUser = Pick<UserDocument, 'status' | 'tokenVersion' | 'keptSessionId'>;

/**
 * Whether an access token, or the session behind it, is still good by what is stored of its user, which is newer than what a process has heard of.
 * What gives somebody access for longer than a token lives asks this, and not the guard alone.
 */
export function isSignedIn<U extends StoredUser>(
  user: U | null,
  { tokenVersion = 0, sessionId }: Partial<Issued>,
): user is U {
  return user !== null && user.status === 'active' && !isEndedBy(user, { tokenVersion, sessionId });
}

/** @throws {AppError} unauthorized */
export function requireSignedIn<U extends StoredUser>(user: U | null, issued: Partial<Issued>): U {
  if (!isSignedIn(user, issued)) throw tokenEnded();
  return user;
}
