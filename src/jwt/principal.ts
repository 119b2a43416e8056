import type { UserRole } from '../role/role';

/** Who calls, as the access token says; no database read per request. */
export interface Principal {
  id: string;
  role: UserRole;
}
