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
 * One problem for a token that is missing, malformed, expired or forged: the reason would only help a forger.
 */
function challenge(headers: Record<'WWW-Authenticate', string>): AppError {
  return new AppError(
    'unauthorized',
    'This needs a valid access token: log in, then send "Authorization: Bearer <accessToken>".',
    { headers },
  );
}
