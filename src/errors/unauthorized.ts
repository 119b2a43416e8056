import { AppError } from './app-error';

const REALM = 'Bearer realm="orders-management-system"';

/** The header that every 401 must carry (RFC 6750, 3). */
export const WWW_AUTHENTICATE = { 'WWW-Authenticate': REALM } as const;

const INVALID_TOKEN = { 'WWW-Authenticate': `${REALM}, error="invalid_token"` } as const;

/** The error for a request without a principal: a token that it carries is invalid (RFC 6750, 3.1). */
export function unauthorized(authorization: string): AppError {
  return /^Bearer +\S/i.test(authorization) ? invalidToken() : challenge(WWW_AUTHENTICATE);
}

/** The error for a token that is invalid, or no longer valid. */
export function invalidToken(): AppError {
  return challenge(INVALID_TOKEN);
}

/**
 * The error for a valid token whose user signed in too long ago for what is asked (RFC 9470).
 * @param maxAgeSeconds how long ago the sign-in may have been
 */
export function signInTooOld(maxAgeSeconds: number): AppError {
  return new AppError(
    'unauthorized',
    'This needs your password, since you did not sign in during the last five minutes: send it as currentPassword, or ' +
      'log in again.',
    {
      headers: {
        'WWW-Authenticate': `${REALM}, error="insufficient_user_authentication", max_age="${maxAgeSeconds}"`,
      },
    },
  );
}

/**
 * One problem for a token that is missing, malformed, expired or forged: the reason would only help a forger.
 */
function challenge(headers: Record<'WWW-Authenticate', string>): AppError {
  return new AppError(
    'unauthorized',
    'This needs a valid access token: log in, then send "Authorization: Bearer <accessToken>".',
    { headers },
  );
}
