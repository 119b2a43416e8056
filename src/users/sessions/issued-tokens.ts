import { Role, type UserRole } from '../../role/role';
import type { AccessTokenClaims } from '../../role/principal';
import type { User } from '../users.repository';
import { encodeRefreshToken, sessionIdOf, type RefreshToken } from './refresh-token';

/** What a client gets to act for a user. */
export interface IssuedTokens {
  accessToken: string;
  refreshToken: string;
  /** Seconds until the access token expires. */
  expiresIn: number;
  /** An ADMIN who has to set up an authenticator app, and may do what CUSTOMERs may until then. */
  mustSetUpTotp?: true;
}

export interface AccessTokenIssuer {
  issue(claims: AccessTokenClaims): Pick<IssuedTokens, 'accessToken' | 'expiresIn'>;
}

/** How the user of a session has proved who they are. */
export interface SessionProof {
  /** When the user last proved to know the password. */
  authenticatedAt: Date;
  hasSecondFactor: boolean;
}

/** @param guests the ids under which the user has ordered without an account */
export type IssueTokens = (
  user: User,
  token: RefreshToken,
  proof: SessionProof,
  guests: readonly string[],
) => IssuedTokens;

/** @param isSecondFactorRequired whether ADMINs may act as such only in sessions that have a second factor */
export function createIssueTokens(jwt: AccessTokenIssuer, isSecondFactorRequired: boolean): IssueTokens {
  return ({ id, role, tokenVersion }, token, { authenticatedAt, hasSecondFactor }, guests) => {
    const lacksFactor = role === Role.ADMIN && isSecondFactorRequired && !hasSecondFactor;
    const mustSetUpTotp = lacksFactor && ({ mustSetUpTotp: true } as const);
    const acting: UserRole = lacksFactor ? Role.CUSTOMER : role;
    const { accessToken, expiresIn } = jwt.issue({
      id,
      role: acting,
      tokenVersion,
      sessionId: sessionIdOf(token),
      authenticatedAt: Math.floor(authenticatedAt.getTime() / 1_000),
      ...mustSetUpTotp,
      guests,
    });
    return { accessToken, refreshToken: encodeRefreshToken(token), expiresIn, ...mustSetUpTotp };
  };
}
