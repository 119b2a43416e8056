import { AppError } from './app-error';

const REALM = 'Bearer realm="orders-management-system"';

/** What a 401 must carry (RFC 6750, 3). */
export const WWW_AUTHENTICATE = { 'WWW-Authenticate': REALM } as const;

const INVALID_TOKEN = { 'WWW-Authenticate': `${REALM}, error="invalid_token"` } as const;

/** For a request without a principal: a token that was sent is not valid (RFC 6750, 3.1). */
export function unauthorized(authorization: string): AppError {
  return /^Bearer +\S/i.test(authorization) ? tokenEnded() : challenge(WWW_AUTHENTICATE);
}

/** For a token that is no good, any more or at all. */
export function tokenEnded(): AppError {
  return challenge(INVALID_TOKEN);
}

/** The same problem for a token that is missing, malformed, expired or forged: the reason would only help a forger. */
function challenge(headers: Record<'WWW-Authenticate', string>): AppError {
  return new AppError(
    'unauthorized',
    'This needs a valid access token: log in, then send "Authorization: Bearer <accessToken>".',
    { headers },
  );
}
