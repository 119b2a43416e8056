import type { AccountMails } from './account/account-mails';
import type { PasswordRules } from './passwords/password-rules';
import type { ListedSession, SessionRepository } from './sessions/sessions.repository';
import { pageOf, type Page } from '../common/pagination';
import { AppError } from '../errors/app-error';
import { totpMissing } from '../errors/totp-missing';
import { invalidToken } from '../errors/unauthorized';
import type { Origin } from '../domain/audit';
import type { ReportSecurityEvent } from '../security/security-events';
import type { UserPrincipal } from '../role/principal';
import type { Sender } from '../http/origin';
import { hashPassword } from './passwords/password';
import { wrongPassword, type Proof, type Reauthentication } from './reauthentication';
import type { IssuedTokens, IssueTokens } from './sessions/issued-tokens';
import { hashSecret, newSecret } from './sessions/refresh-token';
import { requireSignedIn } from './sessions/signed-in';
import { LAST_ADMIN_STAYS } from './accounts';
import { beingChanged } from './being-changed';
import { noSuchUser } from './no-such-user';
import { ACTOR_SIGNED_OUT, ERASED_USER, GUEST_USER, LAST_ADMIN, NOT_CONFIRMED } from './user-status';
import type { User, UserChange, UserFilter, UsersRepository } from './users.repository';
import type { ChangeProfileBody } from './users.schema';

export interface UsersServiceDeps {
  users: UsersRepository;
  sessions: Pick<SessionRepository, 'removeRevoked' | 'list' | 'end' | 'endOwn' | 'endOthers'>;
  passwordRules: PasswordRules;
  requireRecentSignIn: Reauthentication;
  report: ReportSecurityEvent;
  mails: Pick<AccountMails, 'askToConfirm' | 'tellChange'>;
  issueTokens: IssueTokens;
  accessTokenTtlSeconds: number;
  refreshTokenTtlSeconds: number;
}

/** A user after a change of the profile, with the session's new tokens if the password is another one. */
export interface ChangedProfile {
  user: User;
  tokens?: IssuedTokens;
}

interface NewPassword {
  password: string;
  currentPassword: string;
  name?: string;
}

export type UsersService = ReturnType<typeof createUsersService>;

export function createUsersService(deps: UsersServiceDeps) {
  const { users, sessions, passwordRules, requireRecentSignIn } = deps;
  const { mails, issueTokens, report } = deps;
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
   * copied. A name is set in the same write, or its failure would lose the new tokens.
   * @throws {AppError}
   */
  async function changePassword(
    user: User,
    principal: UserPrincipal,
    { password, currentPassword, name }: NewPassword,
    sender: Sender,
  ): Promise<Required<ChangedProfile>> {
    passwordRules.requireAnother(password, currentPassword);
    passwordRules.requireImpersonal(password, { ...user, name: name ?? user.name });
    const passwordHash = await hashPassword(password, sender.address);
    const secret = newSecret();
    const now = Date.now();
    const kept = {
      id: principal.sessionId,
      tokenHash: hashSecret(secret),
      accessUntil: new Date(now + accessTokenTtlSeconds * 1_000),
      othersBeganAfter: new Date(now - refreshTokenTtlSeconds * 1_000),
    };
    const origin = { by: user.id, ...sender };
    const change = { passwordHash, ...(name !== undefined && { name }) };
    const changed = await users.changePassword(user, change, kept, origin);
    if (!changed) {
      const { tokenVersion } = await getSignedIn(principal);
      // The same session has changed it just now, or has ended.
      throw tokenVersion === user.tokenVersion ? invalidToken() : wrongPassword();
    }
    await sessions.removeRevoked(changed.user);
    mails.tellChange(changed.user, 'password');
    const token = { family: Buffer.from(changed.family, 'hex'), secret };
    const { hasSecondFactor } = changed;
    const proof = { authenticatedAt: new Date(now), hasSecondFactor };
    const taken = principal.guests ?? []; // the next refresh finds more
    return { user: changed.user, tokens: issueTokens(changed.user, token, proof, taken) };
  }

  /** @throws {AppError} unauthorized, invalid_transition while someone else changes the user */
  async function rename(user: User, name: string, principal: UserPrincipal, sender: Sender): Promise<User> {
    const renamed = await users.rename(user, name, { by: user.id, ...sender });
    if (renamed) return renamed;
    const { tokenVersion } = await getSignedIn(principal);
    throw tokenVersion === user.tokenVersion ? beingChanged() : invalidToken();
  }

  /** The new address takes effect when its owner confirms it. */
  function changeAddress(user: User, email: string): void {
    if (email === user.confirmedEmail) return;
    mails.askToConfirm(user, email);
    mails.tellChange(user, 'address');
  }

  return {
    get,

    /**
     * @throws {AppError} validation_failed for a wrong password or a new one that is easy to guess, rate_limited
     * for too many wrong ones, unauthorized if the session has been revoked meanwhile, forbidden for another address of an
     * ADMIN who has no authenticator app yet
     */
    async changeProfile(
      principal: UserPrincipal,
      { name, email, password, currentPassword }: ChangeProfileBody,
      sender: Sender,
    ): Promise<ChangedProfile> {
      const user = await getSignedIn(principal);
      // Or who knows the password only could have the token for an app mailed to themselves.
      if (email !== undefined && principal.mustSetUpTotp) throw totpMissing();
      // The schema demands it for an address and a password.
      if (currentPassword !== undefined)
        await requireRecentSignIn(principal, { currentPassword, address: sender.address });
      let changed: ChangedProfile = { user };
      if (password !== undefined)
        changed = await changePassword(
          user,
          principal,
          { name, password, currentPassword: currentPassword! },
          sender,
        );
      else if (name !== undefined) changed = { user: await rename(user, name, principal, sender) };
      if (email !== undefined) changeAddress(changed.user, email);
      return changed;
    },

    /** Returns the sessions of the caller, newest first. @param limit how many at most */
    async listSessions(principal: UserPrincipal, limit: number): Promise<ListedSession[]> {
      return sessions.list(await getSignedIn(principal), limit);
    },

    /**
     * Ends a session of the caller, within a second on every process. One that is not the caller's current one may be
     * a thief's, so the API keys that were made in it are revoked.
     * @throws {AppError} not_found
     */
    async endSession({ id, sessionId }: UserPrincipal, ending: string, origin: Origin): Promise<void> {
      if (ending === sessionId) return sessions.end(sessionId);
      if (!(await sessions.endOwn(id, ending, origin)))
        throw new AppError('not_found', 'Session not found: it may have ended already.');
    },

    /** Ends all sessions of the caller but the current one, and revokes the API keys that were made in them. */
    endOtherSessions: ({ id, sessionId }: UserPrincipal, origin: Origin): Promise<void> =>
      sessions.endOthers(id, sessionId, origin),

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
      const changed = await users.change(id, change, actor, origin);
      if (changed === ACTOR_SIGNED_OUT) throw invalidToken();
      if (changed === LAST_ADMIN) throw new AppError('invalid_transition', LAST_ADMIN_STAYS);
      if (changed === ERASED_USER) throw erased();
      if (changed === GUEST_USER) throw isGuest();
      if (changed === NOT_CONFIRMED) throw notConfirmed();
      const { before, after } = requireFound(changed);
      if (before.role !== after.role) {
        const roles = { userId: id, by: actor.id, from: before.role, to: after.role };
        report('role_changed', roles, origin.address);
      }
      await sessions.removeRevoked(after); // only tidies up: they are of no use any more
      return after;
    },
  };
}

function requireFound<T extends object>(found: T | null): T {
  if (found) return found;
  throw noSuchUser();
}

function isGuest(): AppError {
  return new AppError(
    'invalid_transition',
    'This is a guest, who has no account that could be changed: it is made by registering with the address.',
  );
}

function erased(): AppError {
  return new AppError(
    'invalid_transition',
    'The personal data of this user were erased, and the account stays closed: register a new one instead.',
  );
}

function notConfirmed(): AppError {
  return new AppError(
    'invalid_transition',
    'This user has not confirmed the e-mail address, so it may be that of another person: have it confirmed first.',
  );
}
