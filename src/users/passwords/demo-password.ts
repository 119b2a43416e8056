import type { Logger } from 'pino';
import type { Config } from '../../config';
import { DEMO_PASSWORD } from '../demo-users';
import { canonical } from './password';

export const HOW_TO_DISABLE_DEMO_USERS =
  'disable admin, alice and bob at example.com (PATCH /users/{id} with the status "disabled"), as an ADMIN whom ' +
  'create-admin has created.';

export function isDemoPassword(password: string): boolean {
  return canonical(password) === DEMO_PASSWORD;
}

/** Creates a test of passwords that returns false, and logs what to do, for the demo password in production. */
export function createDemoPasswordGuard(env: Config['env'], logger: Logger): (password: string) => boolean {
  return (password) => {
    const isRejected = env === 'production' && isDemoPassword(password);
    if (isRejected)
      logger.warn(
        'Rejected a sign-in with the demo password, which production does not accept. If the demo users exist, ' +
          HOW_TO_DISABLE_DEMO_USERS,
      );
    return !isRejected;
  };
}
