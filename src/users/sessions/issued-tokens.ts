import type { UserPrincipal } from '../../role/principal';
import type { User } from '../users.repository';
import { encodeRefreshToken, sessionIdOf, type RefreshToken } from './refresh-token';

/** What a client gets to act for a user. */
export interface IssuedTokens {
  accessToken: string;
  refreshToken: string;
  /** Seconds until the access token expires. */
  expiresIn: number;
}

export interface AccessTokenIssuer {
  issue(
    claims: Pick<UserPrincipal, 'id' | 'role' | 'tokenVersion' | 'sessionId' | 'authenticatedAt'>,
  ): Pick<IssuedTokens, 'accessToken' | 'expiresIn'>;
}

/** @param authenticatedAt when the user last proved to know the password */
export function issueTokens(
  jwt: AccessTokenIssuer,
  { id, role, tokenVersion }: User,
  token: RefreshToken,
  authenticatedAt: Date,
): IssuedTokens {
  const { accessToken, expiresIn } = jwt.issue({
    id,
    role,
    tokenVersion,
    sessionId: sessionIdOf(token),
    authenticatedAt: Math.floor(authenticatedAt.getTime() / 1_000),
  });
  return { accessToken, refreshToken: encodeRefreshToken(token), expiresIn };
}
