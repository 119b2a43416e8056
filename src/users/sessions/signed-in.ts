import { invalidToken } from '../../errors/unauthorized';
import type { UserDocument } from '../users.model';

/** What is issued to a user when signing in: a session and its access tokens. */
export interface Issued {
  /** The user's version at that time. */
  tokenVersion: number;
  sessionId: string;
}

/**
 * A change of a user revokes everything issued at a lower version, except for the one session that it keeps.
 */
export function isRevokedBy(
  { tokenVersion, keptSessionId }: Pick<UserDocument, 'tokenVersion' | 'keptSessionId'>,
  issued: Issued,
): boolean {
  return issued.tokenVersion < tokenVersion && issued.sessionId !== keptSessionId;
}

type StoredUser = Pick<UserDocument, 'status' | 'tokenVersion' | 'keptSessionId'>;

/**
 * Returns whether a token or session is still valid according to the stored user, which may be newer than
 * this process's cache. Whatever gives access for longer than a token lives has to check this in addition to
 * the guard.
 */
export function isSignedIn<U extends StoredUser>(user: U | null, issued: Issued): user is U {
  return user !== null && user.status === 'active' && !isRevokedBy(user, issued);
}

/** @throws {AppError} unauthorized */
export function requireSignedIn<U extends StoredUser>(user: U | null, issued: Issued): U {
  if (!isSignedIn(user, issued)) throw invalidToken();
  return user;
}
