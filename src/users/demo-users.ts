import { Role, type UserRole } from '../role/role';

/** The password of the demo users. It is published, so nobody signs in with it in production. */
export const DEMO_PASSWORD = 'orders-demo-2026';

export const DEMO_ADMIN = 'admin@example.com';
export const DEMO_CUSTOMER = 'alice@example.com';

/** The users that `seed` adds in development, with fixed ids for the examples of the API description. */
export const DEMO_USERS: readonly { _id: string; email: string; name: string; role: UserRole }[] = [
  { _id: 'usr_01HZX000000000000000ADM1N0', email: DEMO_ADMIN, name: 'Admin', role: Role.ADMIN },
  { _id: 'usr_01HZX000000000000000A11CE0', email: DEMO_CUSTOMER, name: 'Alice', role: Role.CUSTOMER },
  { _id: 'usr_01HZX0000000000000000B0B00', email: 'bob@example.com', name: 'Bob', role: Role.CUSTOMER },
];
