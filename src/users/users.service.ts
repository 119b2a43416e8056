import type { PasswordRules } from './passwords/password-rules';
import type { PasswordCheck } from './passwords/password-check';
import type { SessionRepository } from './sessions/sessions.repository';
import { pageOf, type Page } from '../common/pagination';
import { AppError } from '../errors/app-error';
import { invalidToken } from '../errors/unauthorized';
import type { Origin } from '../domain/audit';
import type { ReportSecurityEvent } from '../security/security-events';
import type { UserPrincipal } from '../role/principal';
import { hashPassword } from './passwords/password';
import { wrongPassword, type Proof, type Reauthentication } from './reauthentication';
import { issueTokens, type AccessTokenIssuer, type IssuedTokens } from './sessions/issued-tokens';
import { hashSecret, newSecret } from './sessions/refresh-token';
import { requireSignedIn } from './sessions/signed-in';
import { ACTOR_SIGNED_OUT, LAST_ADMIN } from './user-status';
import type { User, UserChange, UserFilter, UsersRepository } from './users.repository';
import type { ChangeProfileBody } from './users.schema';

export interface UsersServiceDeps {
  users: UsersRepository;
  sessions: Pick<SessionRepository, 'removeRevoked'>;
  checkPassword: PasswordCheck;
  passwordRules: PasswordRules;
  requireRecentSignIn: Reauthentication;
  report: ReportSecurityEvent;
  jwt: AccessTokenIssuer;
  accessTokenTtlSeconds: number;
  refreshTokenTtlSeconds: number;
}

/** A user after a change of the profile, with the session's new tokens if the password is another one. */
export interface ChangedProfile {
  user: User;
  tokens?: IssuedTokens;
}

export type UsersService = ReturnType<typeof createUsersService>;

export function createUsersService(deps: UsersServiceDeps) {
  const { users, sessions, checkPassword, passwordRules, requireRecentSignIn, report, jwt } = deps;
  const { accessTokenTtlSeconds, refreshTokenTtlSeconds } = deps;

  /** @throws {AppError} not_found */
  async function get(id: string): Promise<User> {
    return requireFound(await users.findById(id));
  }

  /** @throws {AppError} not_found, unauthorized */
  async function getSignedIn(principal: UserPrincipal): Promise<User> {
    return requireSignedIn(await get(principal.id), principal);
  }

  /**
   * Revokes all sessions of the user except for the current one, whose refresh token is replaced, since it may have been
   * copied.
   * @throws {AppError}
   */
  async function changePassword(
    principal: UserPrincipal,
    { password, currentPassword }: Required<Omit<ChangeProfileBody, 'name'>>,
    address: string,
  ): Promise<Required<ChangedProfile>> {
    const user = await getSignedIn(principal);
    const attempt = { sessionId: principal.sessionId, address, password: currentPassword };
    if (!(await checkPassword(attempt, async () => user.passwordHash))) throw wrongPassword();
    passwordRules.requireAnother(password, currentPassword);
    passwordRules.requireImpersonal(password, user);
    const passwordHash = await hashPassword(password, address);
    const secret = newSecret();
    const now = Date.now();
    const changed = await users.changePassword(user, passwordHash, {
      id: principal.sessionId,
      tokenHash: hashSecret(secret),
      accessUntil: new Date(now + accessTokenTtlSeconds * 1_000),
      othersBeganAfter: new Date(now - refreshTokenTtlSeconds * 1_000),
    });
    if (!changed) {
      const { tokenVersion } = await getSignedIn(principal);
      // The same session has changed it just now, or has ended.
      throw tokenVersion === user.tokenVersion ? invalidToken() : wrongPassword();
    }
    await sessions.removeRevoked(changed.user);
    const token = { family: Buffer.from(changed.family, 'hex'), secret };
    return { user: changed.user, tokens: issueTokens(jwt, changed.user, token, new Date(now)) };
  }

  return {
    get,

    /**
     * @param address of the client
     * @throws {AppError} validation_failed for a wrong password or a new one that is easy to guess, rate_limited
     * for too many wrong ones, unauthorized if the session has been revoked meanwhile
     */
    async changeProfile(
      principal: UserPrincipal,
      { name, password, currentPassword }: ChangeProfileBody,
      address: string,
    ): Promise<ChangedProfile> {
      const changed =
        password !== undefined && currentPassword !== undefined
          ? await changePassword(principal, { password, currentPassword }, address)
          : { user: await getSignedIn(principal) };
      if (name === undefined) return changed;
      return { ...changed, user: requireFound(await users.rename(changed.user.id, name)) };
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
     * session is revoked or too old, validation_failed or rate_limited for a wrong password
     */
    async change(
      id: string,
      change: UserChange,
      actor: UserPrincipal,
      { currentPassword, ...origin }: Proof & Origin,
    ): Promise<User> {
      await requireRecentSignIn(actor, { currentPassword, address: origin.address });
      const before = await users.findById(id);
      const changed = await users.change(id, change, actor, origin);
      if (changed === ACTOR_SIGNED_OUT) throw invalidToken();
      if (changed === LAST_ADMIN) throw lastAdmin();
      const user = requireFound(changed);
      if (before && before.role !== user.role) {
        const roles = { userId: id, by: actor.id, from: before.role, to: user.role };
        report('role_changed', roles, origin.address);
      }
      await sessions.removeRevoked(user); // only tidies up: they are of no use any more
      return user;
    },
  };
}

function requireFound(user: User | null): User {
  if (user) return user;
  throw new AppError('not_found', 'User not found: check the id.');
}

function lastAdmin(): AppError {
  return new AppError(
    'invalid_transition',
    'This is the last active ADMIN: make another user an ADMIN first.',
  );
}
