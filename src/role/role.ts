export const Role = {
  PUBLIC: 'PUBLIC',
  CUSTOMER: 'CUSTOMER',
  ADMIN: 'ADMIN',
} as const;
export type Role = (typeof Role)[keyof typeof Role];

/** The roles a user can have; PUBLIC is what a route may be, never a person. */
export type UserRole = Exclude<Role, 'PUBLIC'>;
export const USER_ROLES: readonly UserRole[] = [Role.CUSTOMER, Role.ADMIN];

const RANK: Readonly<Record<Role, number>> = {
  PUBLIC: 0,
  CUSTOMER: 1,
  ADMIN: 2,
};

/** Whether someone with the role `actual` may do what `required` is asked for. ADMIN may do all that CUSTOMER may. */
export function allows(required: Role, actual: UserRole): boolean {
  return RANK[actual] >= RANK[required];
}
