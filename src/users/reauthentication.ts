import { signInTooOld } from '../errors/unauthorized';
import { invalid } from '../errors/invalid';
import type { AppError } from '../errors/app-error';
import type { UserPrincipal } from '../role/principal';
import type { PasswordCheck } from './passwords/password-check';
import { requireSignedIn } from './sessions/signed-in';
import type { UsersRepository } from './users.repository';

/** How long after signing in the password is not asked for again. */
const MAX_AGE_SECONDS = 5 * 60;

export type Reauthentication = ReturnType<typeof createReauthentication>;

/** What a request that gives power says of who sends it. */
export interface Proof {
  /** The password, which only the owner of the session should know. */
  currentPassword: string | undefined;
  /** The client's network address. */
  address: string;
}

/**
 * Creates the check that stands before everything that gives power for longer than a session: a stolen session must not
 * be enough for it.
 */
export function createReauthentication({
  users,
  checkPassword,
}: {
  users: Pick<UsersRepository, 'findById'>;
  checkPassword: PasswordCheck;
}) {
  /**
   * Lets pass who signed in a few minutes ago, or sends the right password.
   * @throws {AppError} unauthorized, validation_failed for a wrong password, rate_limited for too many of them
   */
  return async function requireRecentSignIn(
    principal: UserPrincipal,
    { currentPassword, address }: Proof,
  ): Promise<void> {
    if (currentPassword === undefined) {
      if (Date.now() / 1_000 - principal.authenticatedAt > MAX_AGE_SECONDS)
        throw signInTooOld(MAX_AGE_SECONDS);
      return;
    }
    const user = requireSignedIn(await users.findById(principal.id), principal);
    const attempt = { sessionId: principal.sessionId, address, password: currentPassword };
    if (!(await checkPassword(attempt, async () => user.passwordHash))) throw wrongPassword();
  };
}

/** The error for a wrong password of a user who is signed in. */
export function wrongPassword(): AppError {
  return invalid([{ path: 'currentPassword', message: 'is not the current password' }]);
}
