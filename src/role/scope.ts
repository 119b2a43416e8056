/** What an API key may be allowed to do. Routes without a scope are for users only. */
export const SCOPES = [
  'orders:read',
  'orders:write',
  'refunds:write',
  'catalogue:write',
  'users:read',
  'events:read',
  'webhooks:write',
] as const;

export type Scope = (typeof SCOPES)[number];
