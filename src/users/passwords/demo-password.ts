import type { Logger } from 'pino';
import type { Config } from '../../config';
import { DEMO_PASSWORD, DEMO_USERS } from '../demo-users';
import type { User } from '../users.repository';
import { canonical, verifyPassword } from './password';

export const HOW_TO_DISABLE_DEMO_USERS = 'run `npm run user:create-admin -- --disable-demo-users`.';

function isDemoPassword(password: string): boolean {
  return canonical(password) === DEMO_PASSWORD;
}

/** Keeps the published demo password out of production; elsewhere it allows everything. */
export interface DemoPasswordGuard {
  /** Returns false for the demo password, and logs what to do if the address is that of a demo user. */
  allowsPassword(password: string, email: string): boolean;
  /** Returns false for a demo user whose password is still the published one: their sessions end too. */
  allowsUser(user: Pick<User, 'email' | 'passwordHash'>): Promise<boolean>;
}

export function createDemoPasswordGuard(env: Config['env'], logger: Logger): DemoPasswordGuard {
  if (env !== 'production') return { allowsPassword: () => true, allowsUser: async () => true };
  return {
    allowsPassword(password, email) {
      if (!isDemoPassword(password)) return true;
      if (isDemoUser(email))
        logger.warn(
          { remedy: `If this demo user exists, ${HOW_TO_DISABLE_DEMO_USERS}` },
          'demo password rejected',
        );
      return false;
    },
    allowsUser: async ({ email, passwordHash }) =>
      !isDemoUser(email) || !(await verifyPassword(passwordHash, DEMO_PASSWORD)),
  };
}

function isDemoUser(address: string): boolean {
  return DEMO_USERS.some(({ email }) => email === address);
}
