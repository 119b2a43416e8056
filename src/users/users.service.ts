import type { PasswordCheck } from './passwords/password-check';
import type { SessionRepository } from './sessions/sessions.repository';
import { pageOf, type Page } from '../common/pagination';
import { invalid } from '../http/validate';
import { AppError } from '../errors/app-error';
import { invalidToken } from '../errors/unauthorized';
import type { UserPrincipal } from '../role/principal';
import { hashPassword } from './passwords/password';
import { requireSignedIn } from './sessions/signed-in';
import { ACTOR_SIGNED_OUT, LAST_ADMIN } from './user-status';
import type { User, UserChange, UserFilter, UsersRepository } from './users.repository';
import type { ChangeProfileBody } from './users.schema';

export interface UsersServiceDeps {
  users: UsersRepository;
  sessions: Pick<SessionRepository, 'removeRevoked'>;
  checkPassword: PasswordCheck;
}

export type UsersService = ReturnType<typeof createUsersService>;

export function createUsersService({ users, sessions, checkPassword }: UsersServiceDeps) {
  /** @throws {AppError} not_found */
  async function get(id: string): Promise<User> {
    return requireFound(await users.findById(id));
  }

  /** @throws {AppError} not_found, unauthorized */
  async function getSignedIn(principal: UserPrincipal): Promise<User> {
    return requireSignedIn(await get(principal.id), principal);
  }

  /** Revokes all sessions of the user except for the current one. @throws {AppError} */
  async function changePassword(
    principal: UserPrincipal,
    { password, currentPassword }: Required<Omit<ChangeProfileBody, 'name'>>,
    address: string,
  ): Promise<User> {
    const user = await getSignedIn(principal);
    const attempt = { email: user.email, address, password: currentPassword };
    if (!(await checkPassword(attempt, async () => user.passwordHash))) throw wrongPassword();
    const passwordHash = await hashPassword(password);
    const changed = await users.changePassword(user, passwordHash, principal.sessionId);
    if (!changed) {
      await getSignedIn(principal);
      throw wrongPassword(); // the same session has changed it just now
    }
    await sessions.removeRevoked(changed);
    return changed;
  }

  return {
    get,

    /**
     * @param address of the client
     * @throws {AppError} validation_failed for a wrong password, rate_limited for too many of them,
     * unauthorized if the session has been revoked meanwhile
     */
    async changeProfile(
      principal: UserPrincipal,
      { name, password, currentPassword }: ChangeProfileBody,
      address: string,
    ): Promise<User> {
      const user =
        password !== undefined && currentPassword !== undefined
          ? await changePassword(principal, { password, currentPassword }, address)
          : await getSignedIn(principal);
      return name === undefined ? user : requireFound(await users.rename(user.id, name));
    },

    async list({
      limit,
      after,
      ...filter
    }: UserFilter & { limit: number; after?: string }): Promise<Page<User>> {
      return pageOf(await users.list(filter, { limit: limit + 1, after }), limit);
    },

    /**
     * A change signs the user out everywhere.
     * @throws {AppError} not_found, invalid_transition for the last ADMIN, unauthorized if the actor's
     * session is revoked
     */
    async change(id: string, change: UserChange, actor: UserPrincipal): Promise<User> {
      const changed = await users.change(id, change, actor);
      if (changed === ACTOR_SIGNED_OUT) throw invalidToken();
      if (changed === LAST_ADMIN) throw lastAdmin();
      const user = requireFound(changed);
      await sessions.removeRevoked(user); // only tidies up: they are of no use any more
      return user;
    },
  };
}

function requireFound(user: User | null): User {
  if (user) return user;
  throw new AppError('not_found', 'User not found: check the id.');
}

function wrongPassword(): AppError {
  return invalid([{ path: 'currentPassword', message: 'is not the current password' }]);
}

function lastAdmin(): AppError {
  return new AppError(
    'invalid_transition',
    'This is the last active ADMIN: make another user an ADMIN first.',
  );
}
