/** What a 401 must carry (RFC 6750, 3). */
export const WWW_AUTHENTICATE = {
  'WWW-Authenticate': 'Bearer realm="orders-management-system"',
} as const;
