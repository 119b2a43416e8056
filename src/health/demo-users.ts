import { DEMO_PASSWORD, DEMO_USERS } from '../users/demo-users';
import { HOW_TO_DISABLE_DEMO_USERS } from '../users/passwords/demo-password';
import { verifyPassword } from '../users/passwords/password';
import type { User, UsersRepository } from '../users/users.repository';
import type { Check } from './health';

/**
 * Creates a check that fails while an active demo user has the demo password. Verifying a password takes some 35 ms of
 * processor time, so it is done when the check first runs, and again only for a user whose password has changed.
 */
export function createDemoUsersCheck(users: Pick<UsersRepository, 'findByEmail'>): Check {
  const verified = new Map<string, { passwordHash: string; isDemo: boolean }>();

  async function hasDemoPassword({ id, passwordHash }: User): Promise<boolean> {
    const last = verified.get(id);
    if (last?.passwordHash === passwordHash) return last.isDemo;
    const isDemo = await verifyPassword(passwordHash, DEMO_PASSWORD);
    verified.set(id, { passwordHash, isDemo });
    return isDemo;
  }

  return async () => {
    const found = await Promise.all(DEMO_USERS.map(({ email }) => users.findByEmail(email)));
    const active = found.filter((user) => user?.status === 'active');
    const results = await Promise.all(active.map((user) => hasDemoPassword(user!)));
    if (results.includes(true))
      throw new Error(`An active demo user has the published password: ${HOW_TO_DISABLE_DEMO_USERS}`);
  };
}
