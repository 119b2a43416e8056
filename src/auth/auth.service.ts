import { newId } from '../common/ids';
import { AppError } from '../errors/app-error';
import { WWW_AUTHENTICATE } from '../errors/unauthorized';
import { Role } from '../role/role';
import type { ReportSecurityEvent } from '../security/security-events';
import { hashPassword } from '../users/passwords/password';
import { isSignedIn } from '../users/sessions/signed-in';
import type { User, UsersRepository } from '../users/users.repository';
import type { RegistrationLimit } from './registration-limit';
import type { LoginBody, RegisterBody } from './auth.schema';
import type { AttemptKeys } from '../users/passwords/attempt-keys';
import type { DemoPasswordGuard } from '../users/passwords/demo-password';
import type { PasswordRules } from '../users/passwords/password-rules';
import type { PasswordCheck } from '../users/passwords/password-check';
import {
  decodeRefreshToken,
  hashSecret,
  newFamily,
  newSecret,
  sessionIdOf,
  type RefreshToken,
} from '../users/sessions/refresh-token';
import { issueTokens, type AccessTokenIssuer, type IssuedTokens } from '../users/sessions/issued-tokens';
import type { Session, SessionRepository } from '../users/sessions/sessions.repository';

/** A user who has just signed in, with the tokens of the session. */
export interface SignIn extends IssuedTokens {
  user: User;
}

export interface AuthServiceDeps {
  users: UsersRepository;
  sessions: SessionRepository;
  checkPassword: PasswordCheck;
  demoPassword: DemoPasswordGuard;
  passwordRules: Pick<PasswordRules, 'requireImpersonal'>;
  limitRegistrations: RegistrationLimit;
  attemptKeys: Pick<AttemptKeys, 'ofAccountAndAddress'>;
  report: ReportSecurityEvent;
  jwt: AccessTokenIssuer;
  accessTokenTtlSeconds: number;
  refreshTokenTtlSeconds: number;
}

export type AuthService = ReturnType<typeof createAuthService>;

export function createAuthService(deps: AuthServiceDeps) {
  const { users, sessions, checkPassword, demoPassword, passwordRules, limitRegistrations } = deps;
  const { attemptKeys, jwt, report } = deps;
  const { accessTokenTtlSeconds, refreshTokenTtlSeconds } = deps;

  function inSeconds(seconds: number): Date {
    return new Date(Date.now() + seconds * 1_000);
  }

  async function begin(user: User, address: string): Promise<SignIn> {
    const token: RefreshToken = { family: newFamily(), secret: newSecret() };
    const createdAt = new Date();
    await sessions.insert({
      id: sessionIdOf(token),
      userId: user.id,
      family: token.family.toString('hex'),
      tokenHash: hashSecret(token.secret),
      tokenVersion: user.tokenVersion,
      createdAt,
      usedFrom: attemptKeys.ofAccountAndAddress(user.email, address),
      accessUntil: inSeconds(accessTokenTtlSeconds),
      expiresAt: inSeconds(refreshTokenTtlSeconds),
    });
    return { user, ...issueTokens(jwt, user, token, createdAt) };
  }

  /** Returns null if the user or an ADMIN has ended the session, or if it is a demo user's in production. */
  async function userOf(session: Session): Promise<User | null> {
    const user = await users.findById(session.userId);
    if (!user || !isSignedIn(user, { tokenVersion: session.tokenVersion, sessionId: session.id }))
      return null;
    return (await demoPassword.allowsUser(user)) ? user : null;
  }

  return {
    /**
     * @param address of the client
     * @throws {AppError} validation_failed, already_exists, rate_limited
     */
    async register({ email, name, password }: RegisterBody, address: string): Promise<SignIn> {
      passwordRules.requireImpersonal(password, { email, name });
      await limitRegistrations(address);
      const passwordHash = await hashPassword(password, address);
      const user = await users.insert({ id: newId('usr'), email, name, role: Role.CUSTOMER, passwordHash });
      if (!user) throw emailTaken();
      return begin(user, address);
    },

    /**
     * @param address of the client
     * @throws {AppError} unauthorized, rate_limited, forbidden for a disabled user
     */
    async login({ email, password }: LoginBody, address: string): Promise<SignIn> {
      let user: User | null = null;
      const findHash = async () => {
        user = await users.findByEmail(email);
        // An undefined hash never matches, and takes the same time.
        return demoPassword.allowsPassword(password, email) ? user?.passwordHash : undefined;
      };
      const isRight = await checkPassword({ email, address, password }, findHash);
      if (!user || !isRight) throw wrongCredentials();
      requireActive(user);
      return begin(user, address);
    },

    /**
     * Issues new tokens, once for each refresh token. A refresh token that is not the newest of its session
     * has been copied: the session ends, whether the owner or the thief used it, and so do the API keys made in it.
     * @param address of the client
     * @throws {AppError} unauthorized
     */
    async refresh(refreshToken: string, address: string): Promise<SignIn> {
      const token = decodeRefreshToken(refreshToken);
      if (!token) throw signInAgain();
      const session = await sessions.find(sessionIdOf(token));
      if (!session || session.expiresAt <= new Date()) throw signInAgain();
      const user = await userOf(session);
      if (!user) {
        await sessions.end(session.id);
        throw signInAgain();
      }
      const secret = newSecret();
      const accessUntil = inSeconds(accessTokenTtlSeconds);
      const usedFrom = attemptKeys.ofAccountAndAddress(user.email, address);
      const rotation = { from: hashSecret(token.secret), to: hashSecret(secret), accessUntil, usedFrom };
      // Rotating comes last: if anything fails before it, the client can try again with the same token.
      if (!(await sessions.rotate(session.id, rotation))) {
        await sessions.endStolen(session.id);
        report('refresh_reused', { userId: user.id }, address);
        throw signInAgain();
      }
      return { user, ...issueTokens(jwt, user, { family: token.family, secret }, session.createdAt) };
    },

    /** Ends the session of the refresh token, if there is one, and its access tokens. */
    async logout(refreshToken: string): Promise<void> {
      const token = decodeRefreshToken(refreshToken);
      if (token) await sessions.end(sessionIdOf(token));
    },
  };
}

function requireActive({ status }: User): void {
  if (status === 'active') return;
  throw new AppError('forbidden', 'This account is disabled: contact the shop.');
}

function emailTaken(): AppError {
  return new AppError(
    'already_exists',
    'An account with this e-mail address exists already: log in instead.',
    {
      errors: [{ path: 'email', message: 'is already registered' }],
    },
  );
}

/**
 * One error for an unknown e-mail address and a wrong password, so that it does not tell which accounts
 * exist.
 */
function wrongCredentials(): AppError {
  return new AppError('unauthorized', 'The e-mail address or the password is wrong: check both.', {
    headers: WWW_AUTHENTICATE,
  });
}

/** One error for all texts but the newest refresh token of a valid session. */
function signInAgain(): AppError {
  return new AppError('unauthorized', 'This refresh token is no longer valid: log in again.', {
    headers: WWW_AUTHENTICATE,
  });
}
