const REALM = 'Bearer realm="orders-management-system"';

/** What a 401 must carry (RFC 6750, 3). */
export const WWW_AUTHENTICATE = { 'WWW-Authenticate': REALM } as const;

const INVALID_TOKEN = { 'WWW-Authenticate': `${REALM}, error="invalid_token"` } as const;

/** The same for a request without a principal: a token that was sent is not valid (RFC 6750, 3.1). */
export function challengeTo(authorization: string): Record<'WWW-Authenticate', string> {
  return /^Bearer +\S/i.test(authorization) ? INVALID_TOKEN : WWW_AUTHENTICATE;
}
