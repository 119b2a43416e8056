/** What an API key may be allowed to do. Routes that name no scope are for people alone. */
export const SCOPES = [
  'orders:read',
  'orders:write',
  'refunds:write',
  'catalogue:write',
  'users:read',
] as const;

export type Scope = (typeof SCOPES)[number];
