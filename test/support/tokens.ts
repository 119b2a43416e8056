import { newId } from '../../src/common/ids';
import type { Config } from '../../src/config';
import { createJwt } from '../../src/jwt/jwt';
import type { UserRole } from '../../src/role/role';

export const SESSION_ID = '5e55'.repeat(8);

/** An access token of a user who need not be in the database. */
export function tokenFor({ jwt }: Pick<Config, 'jwt'>, role: UserRole, id = newId('usr')): string {
  const authenticatedAt = Math.floor(Date.now() / 1_000);
  return createJwt(jwt).issue({ id, role, tokenVersion: 0, sessionId: SESSION_ID, authenticatedAt })
    .accessToken;
}
