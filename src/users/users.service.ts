import type { PasswordCheck } from '../auth/password-check';
import type { SessionRepository } from '../auth/sessions.repository';
import { pageOf, type Page } from '../common/pagination';
import { invalid } from '../common/validate';
import { AppError } from '../errors/app-error';
import type { Principal } from '../jwt/principal';
import { hashPassword } from './password';
import { LAST_ADMIN } from './user-status';
import type { User, UserChange, UserFilter, UsersRepository } from './users.repository';
import type { ChangeProfileBody } from './users.schema';

export interface UsersServiceDeps {
  users: UsersRepository;
  sessions: Pick<SessionRepository, 'removeOf'>;
  checkPassword: PasswordCheck;
}

export type UsersService = ReturnType<typeof createUsersService>;

export function createUsersService({ users, sessions, checkPassword }: UsersServiceDeps) {
  /** @throws {AppError} not_found */
  async function get(id: string): Promise<User> {
    return requireFound(await users.findById(id));
  }

  /** Ends all sessions of the user but the one in which it is done. @throws {AppError} */
  async function changePassword(
    user: User,
    { password, currentPassword }: Required<Omit<ChangeProfileBody, 'name'>>,
    { sessionId = null, address }: { sessionId?: string | null; address: string },
  ): Promise<User> {
    const attempt = { email: user.email, address, password: currentPassword };
    if (!(await checkPassword(attempt, async () => user.passwordHash))) throw wrongPassword();
    const changed = await users.changePassword(user, await hashPassword(password), sessionId);
    if (!changed) throw wrongPassword(); // it was changed just now, elsewhere
    await sessions.removeOf(user.id, sessionId);
    return changed;
  }

  return {
    get,

    /**
     * @param address of the client
     * @throws {AppError} validation_failed for a wrong password, rate_limited for too many of them
     */
    async changeProfile(
      { id, sessionId }: Principal,
      { name, password, currentPassword }: ChangeProfileBody,
      address: string,
    ): Promise<User> {
      let user = await get(id);
      if (password !== undefined && currentPassword !== undefined)
        user = await changePassword(user, { password, currentPassword }, { sessionId, address });
      return name === undefined ? user : requireFound(await users.rename(id, name));
    },

    async list({
      limit,
      after,
      ...filter
    }: UserFilter & { limit: number; after?: string }): Promise<Page<User>> {
      return pageOf(await users.list(filter, { limit: limit + 1, after }), limit);
    },

    /** Who changes is signed out everywhere. @throws {AppError} not_found, invalid_transition for the last ADMIN */
    async change(id: string, change: UserChange): Promise<User> {
      const changed = await users.change(id, change);
      if (changed === LAST_ADMIN) throw lastAdmin();
      const user = requireFound(changed);
      // Their tokens are ended already; this tidies up.
      if (user.tokenVersion > 0) await sessions.removeOf(id, user.keptSessionId);
      return user;
    },
  };
}

function requireFound(user: User | null): User {
  if (user) return user;
  throw new AppError('not_found', 'There is no user with this id.');
}

function wrongPassword(): AppError {
  return invalid([{ path: 'currentPassword', message: 'is not the current password' }]);
}

function lastAdmin(): AppError {
  return new AppError(
    'invalid_transition',
    'This is the last active ADMIN: make somebody else an ADMIN first, or nobody could run the shop.',
  );
}
