import type { JsonWebKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { ID_PATTERNS } from '../common/ids';
import type { Config } from '../config';
import { SECRET_KID, type JwtKey } from '../config/jwt-keys';
import { USER_ROLES, type UserRole } from '../role/role';

/** What an access token says. */
export interface AccessTokenClaims {
  /** The user's. */
  id: string;
  role: UserRole;
  /** Of the user when it was issued; raised by whatever ends the tokens of before. */
  tokenVersion: number;
  /** Absent in tokens of before there were sessions. */
  sessionId?: string;
}

export interface Jwt {
  /** A new access token, and how many seconds it is good for. */
  issue(claims: AccessTokenClaims): { accessToken: string; expiresIn: number };
  /** Null for whatever is not a valid access token of ours. */
  verify(token: string): AccessTokenClaims | null;
  /** The public keys, as a JWK Set (RFC 7517). Secrets have none. */
  publicKeys(): { keys: JsonWebKey[] };
}

export function createJwt({ keys, issuer, audience, accessTokenTtlSeconds: expiresIn }: Config['jwt']): Jwt {
  const [signer] = keys as [JwtKey];
  const byKid = new Map(keys.map((key) => [key.kid, key]));

  /** The key decides on the algorithm, never the token. */
  function verify(token: string): AccessTokenClaims | null {
    try {
      const key = byKid.get(kidOf(token));
      if (!key) return null;
      const { algorithm, verificationKey } = key;
      return claimsOf(jwt.verify(token, verificationKey, { algorithms: [algorithm], issuer, audience }));
    } catch {
      return null; // the reason would only help a forger
    }
  }

  return {
    issue({ id, role, tokenVersion, sessionId }) {
      const claims = { role, ver: tokenVersion, ...(sessionId !== undefined && { sid: sessionId }) };
      const options = { keyid: signer.kid, algorithm: signer.algorithm, subject: id } as const;
      const accessToken = jwt.sign(claims, signer.signingKey!, { ...options, issuer, audience, expiresIn });
      return { accessToken, expiresIn };
    },
    verify,
    publicKeys: () => ({ keys: keys.flatMap(publicKeyOf) }),
  };
}

function kidOf(token: string): string {
  const header = Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString();
  const { kid = SECRET_KID, crit } = JSON.parse(header) as { kid?: unknown; crit?: unknown };
  if (crit !== undefined) throw new Error('There is no extension that we know (RFC 7515, 4.1.11).');
  return String(kid);
}

function claimsOf(payload: unknown): AccessTokenClaims | null {
  const { sub, role, ver = 0, sid, exp } = payload as Record<string, unknown>;
  const isOurs = typeof sub === 'string' && ID_PATTERNS.usr.test(sub) && typeof exp === 'number';
  if (!isOurs || !USER_ROLES.includes(role as UserRole) || !Number.isSafeInteger(ver)) return null;
  return {
    id: sub,
    role: role as UserRole,
    tokenVersion: ver as number,
    ...(typeof sid === 'string' && { sessionId: sid }),
  };
}

function publicKeyOf({ kid, algorithm, verificationKey }: JwtKey): JsonWebKey[] {
  if (verificationKey.type === 'secret') return [];
  const jwk = verificationKey.export({ format: 'jwk' });
  return [{ ...jwk, kid, alg: algorithm, use: 'sig' }];
}
