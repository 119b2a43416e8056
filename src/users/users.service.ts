import type { PasswordCheck } from './passwords/password-check';
import type { SessionRepository } from './sessions/sessions.repository';
import { pageOf, type Page } from '../common/pagination';
import { invalid } from '../http/validate';
import { AppError } from '../errors/app-error';
import { tokenEnded } from '../errors/unauthorized';
import type { Principal } from '../role/principal';
import { hashPassword } from './passwords/password';
import { requireSignedIn } from './sessions/signed-in';
import { ACTOR_ENDED, LAST_ADMIN } from './user-status';
import type { User, UserChange, UserFilter, UsersRepository } from './users.repository';
import type { ChangeProfileBody } from './users.schema';

export interface UsersServiceDeps {
  users: UsersRepository;
  sessions: Pick<SessionRepository, 'removeEnded'>;
  checkPassword: PasswordCheck;
}

export type UsersService = ReturnType<typeof createUsersService>;

export function createUsersService({ users, sessions, checkPassword }: UsersServiceDeps) {
  /** @throws {AppError} not_found */
  async function get(id: string): Promise<User> {
    return requireFound(await users.findById(id));
  }

  /** @throws {AppError} not_found, unauthorized */
  async function getSignedIn(principal: Principal): Promise<User> {
    return requireSignedIn(await get(principal.id), principal);
  }

  /** Ends all sessions of the user but the one in which it is done. @throws {AppError} */
  async function changePassword(
    principal: Principal,
    { password, currentPassword }: Required<Omit<ChangeProfileBody, 'name'>>,
    address: string,
  ): Promise<User> {
    const user = await getSignedIn(principal);
    const attempt = { email: user.email, address, password: currentPassword };
    if (!(await checkPassword(attempt, async () => user.passwordHash))) throw wrongPassword();
    const passwordHash = await hashPassword(password);
    const changed = await users.changePassword(user, passwordHash, principal.sessionId ?? null);
    if (!changed) {
      await getSignedIn(principal);
      throw wrongPassword(); // it was changed just now, in this session
    }
    await sessions.removeEnded(changed);
    return changed;
  }

  return {
    get,

    /**
     * @param address of the client
     * @throws {AppError} validation_failed for a wrong password, rate_limited for too many of them, unauthorized when
     * the session was ended meanwhile
     */
    async changeProfile(
      principal: Principal,
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
     * Whoever is changed is signed out everywhere.
     * @throws {AppError} not_found, invalid_transition for the last ADMIN, unauthorized for an actor who is none any more
     */
    async change(id: string, change: UserChange, actor: Principal): Promise<User> {
      const changed = await users.change(id, change, actor);
      if (changed === ACTOR_ENDED) throw tokenEnded();
      if (changed === LAST_ADMIN) throw lastAdmin();
      const user = requireFound(changed);
      await sessions.removeEnded(user); // they are of no use any more; this tidies up
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
