export const Role = {
  PUBLIC: 'PUBLIC',
  CUSTOMER: 'CUSTOMER',
  ADMIN: 'ADMIN',
} as const;
export type Role = (typeof Role)[keyof typeof Role];

/** The roles of users; only a route can be PUBLIC. */
export type UserRole = Exclude<Role, 'PUBLIC'>;
export const USER_ROLES: readonly UserRole[] = [Role.CUSTOMER, Role.ADMIN];

const RANK: Readonly<Record<Role, number>> = {
  PUBLIC: 0,
  CUSTOMER: 1,
  ADMIN: 2,
};

/**
 * Returns whether the role `actual` may do what needs `required`. An ADMIN may do everything that a CUSTOMER
 * may.
 */
export function allows(required: Role, actual: UserRole): boolean {
  return RANK[actual] >= RANK[required];
}
