import { newId } from '../common/ids';
import { AppError } from '../errors/app-error';
import { WWW_AUTHENTICATE } from '../errors/unauthorized';
import type { Sender } from '../http/origin';
import { Role } from '../role/role';
import type { ReportSecurityEvent } from '../security/security-events';
import { hashPassword } from '../users/passwords/password';
import { isSignedIn } from '../users/sessions/signed-in';
import type { GuestRepository } from '../users/guests.repository';
import type { User, UsersRepository } from '../users/users.repository';
import type { AddressLimit } from './address-limit';
import type { LoginBody, RegisterBody, TotpBody } from './auth.schema';
import type { AttemptKeys } from '../users/passwords/attempt-keys';
import type { DemoPasswordGuard } from '../users/passwords/demo-password';
import type { PasswordRules } from '../users/passwords/password-rules';
import type { PasswordCheck } from '../users/passwords/password-check';
import { reported } from '../users/passwords/reported-check';
import type { AccountMails } from '../users/account/account-mails';
import { CHALLENGE_MS } from '../users/account/account-token';
import type { AccountRepository } from '../users/account/accounts.repository';
import type { CodeCheck } from '../users/second-factor/code-check';
import type { SecondFactorRepository } from '../users/second-factor/second-factors.repository';
import {
  decodeRefreshToken,
  hashSecret,
  newFamily,
  newSecret,
  sessionIdOf,
  type RefreshToken,
} from '../users/sessions/refresh-token';
import type { IssuedTokens, IssueTokens } from '../users/sessions/issued-tokens';
import type { Session, SessionRepository } from '../users/sessions/sessions.repository';

/** A user who has just signed in, with the tokens of the session. */
export interface SignIn extends IssuedTokens {
  user: User;
}

/** The first half of signing in: the password was right, and a code is still to come. */
export interface Challenge {
  challenge: string;
  /** Seconds until it expires. */
  expiresIn: number;
}

export interface AuthServiceDeps {
  users: UsersRepository;
  sessions: SessionRepository;
  checkPassword: PasswordCheck;
  demoPassword: DemoPasswordGuard;
  passwordRules: Pick<PasswordRules, 'requireImpersonal'>;
  limitRegistrations: AddressLimit;
  attemptKeys: Pick<AttemptKeys, 'ofAccountAndAddress'>;
  report: ReportSecurityEvent;
  mails: Pick<AccountMails, 'askToConfirm' | 'tellChange'>;
  accounts: Pick<AccountRepository, 'issueChallenge' | 'findByToken' | 'useChallenge'>;
  factors: Pick<SecondFactorRepository, 'find'>;
  codes: Pick<CodeCheck, 'use'>;
  issueTokens: IssueTokens;
  guests: Pick<GuestRepository, 'takeOver'>;
  accessTokenTtlSeconds: number;
  refreshTokenTtlSeconds: number;
}

export type AuthService = ReturnType<typeof createAuthService>;

export function createAuthService(deps: AuthServiceDeps) {
  const { users, sessions, checkPassword, demoPassword, passwordRules, limitRegistrations } = deps;
  const { attemptKeys, mails, accounts, factors, codes, issueTokens, guests, report } = deps;
  const { accessTokenTtlSeconds, refreshTokenTtlSeconds } = deps;

  function inSeconds(seconds: number): Date {
    return new Date(Date.now() + seconds * 1_000);
  }

  /**
   * Names the account and the address at which it is signed in, where guesses do not keep it out. An account whose e-mail
   * address is not confirmed is not named by it: anybody can open one with the address of another person.
   */
  function usedFrom({ id, confirmedEmail }: User, address: string): string {
    return attemptKeys.ofAccountAndAddress(confirmedEmail ?? id, address);
  }

  async function begin(user: User, address: string, hasSecondFactor = false): Promise<SignIn> {
    const token: RefreshToken = { family: newFamily(), secret: newSecret() };
    const createdAt = new Date();
    const taken = await guests.takeOver(user);
    await sessions.insert({
      id: sessionIdOf(token),
      userId: user.id,
      family: token.family.toString('hex'),
      tokenHash: hashSecret(token.secret),
      tokenVersion: user.tokenVersion,
      createdAt,
      usedFrom: usedFrom(user, address),
      hasSecondFactor,
      accessUntil: inSeconds(accessTokenTtlSeconds),
      expiresAt: inSeconds(refreshTokenTtlSeconds),
    });
    return { user, ...issueTokens(user, token, { authenticatedAt: createdAt, hasSecondFactor }, taken) };
  }

  /** Returns null if the user or an ADMIN has ended the session, or if it is a demo user's in production. */
  async function userOf(session: Session): Promise<User | null> {
    const user = await users.findById(session.userId);
    if (!user || !isSignedIn(user, { tokenVersion: session.tokenVersion, sessionId: session.id }))
      return null;
    return (await demoPassword.allowsUser(user)) ? user : null;
  }

  /** Ends what is left of a session whose refresh token was copied. */
  async function endStolen({ id, userId }: Session, sender: Sender): Promise<void> {
    await sessions.endStolen(id, { by: 'system', ...sender });
    report('refresh_reused', { userId }, sender.address);
  }

  return {
    /**
     * Does the same whether or not the address has an account, so that nobody learns of it: the new one is another, and the
     * mail to the address tells its owner.
     * @param address of the client
     * @throws {AppError} validation_failed, rate_limited
     */
    async register({ email, name, password }: RegisterBody, address: string): Promise<SignIn> {
      passwordRules.requireImpersonal(password, { email, name });
      await limitRegistrations(address);
      const passwordHash = await hashPassword(password, address);
      const user = await users.insert({ id: newId('usr'), email, name, role: Role.CUSTOMER, passwordHash });
      mails.askToConfirm(user!, email);
      return begin(user!, address);
    },

    /**
     * Returns a challenge instead of the tokens to a user who has an authenticator app.
     * @param address of the client
     * @throws {AppError} unauthorized, rate_limited, forbidden for a disabled user
     */
    async login({ email, password }: LoginBody, address: string): Promise<SignIn | Challenge> {
      let user: User | null = null;
      const findHash = async () => {
        user = await users.findByEmail(email);
        // An undefined hash never matches, and takes the same time.
        return demoPassword.allowsPassword(password, email) ? user?.passwordHash : undefined;
      };
      const isRight = await checkPassword({ email, address, password }, findHash);
      if (!user || !isRight) throw wrongCredentials();
      requireActive(user);
      const { id } = user as User;
      if (!(await factors.find(id))?.isOn) return begin(user, address);
      return { challenge: await accounts.issueChallenge(user), expiresIn: CHALLENGE_MS / 1_000 };
    },

    /**
     * The second half of signing in with an authenticator app.
     * @param address of the client
     * @throws {AppError} unauthorized, rate_limited
     */
    async showCode({ challenge, code }: TotpBody, address: string): Promise<SignIn> {
      const user = await accounts.findByToken('challenge', challenge);
      const factor = user && (await factors.find(user.id));
      if (!factor?.isOn) throw challengeOver();
      const { id, email } = user!;
      const kind = await reported(report, { email, address }, () => codes.use(id, factor, code));
      if (!kind) throw wrongCode();
      if (!(await accounts.useChallenge(challenge))) throw challengeOver();
      if (kind === 'recovery') mails.tellChange(user!, 'recovery');
      return begin(user!, address, true);
    },

    /**
     * Issues new tokens, once for each refresh token. A refresh token that is not the newest of its session
     * has been copied: the session ends, whether the owner or the thief used it, and so do the API keys made in it, also
     * if either has signed out meanwhile.
     * @throws {AppError} unauthorized
     */
    async refresh(refreshToken: string, sender: Sender): Promise<SignIn> {
      const token = decodeRefreshToken(refreshToken);
      if (!token) throw signInAgain();
      const session = await sessions.find(sessionIdOf(token));
      if (!session || session.expiresAt <= new Date()) throw signInAgain();
      const tokenHash = hashSecret(token.secret);
      if (session.endedAt) {
        if (session.tokenHash !== tokenHash) await endStolen(session, sender);
        throw signInAgain();
      }
      const user = await userOf(session);
      if (!user) {
        await sessions.end(session.id);
        throw signInAgain();
      }
      const secret = newSecret();
      const accessUntil = inSeconds(accessTokenTtlSeconds);
      const rotation = {
        from: tokenHash,
        to: hashSecret(secret),
        accessUntil,
        usedFrom: usedFrom(user, sender.address),
      };
      const taken = await guests.takeOver(user);
      // Rotating comes last: if anything fails before it, the client can try again with the same token.
      if (!(await sessions.rotate(session.id, rotation))) {
        const now = await sessions.find(session.id);
        // One that has ended just now, with this token as the newest, was not copied.
        if (now && now.tokenHash !== tokenHash) await endStolen(now, sender);
        throw signInAgain();
      }
      const { createdAt: authenticatedAt, hasSecondFactor } = session;
      const proof = { authenticatedAt, hasSecondFactor };
      return { user, ...issueTokens(user, { family: token.family, secret }, proof, taken) };
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

/**
 * One error for an unknown e-mail address, one that is not confirmed, and a wrong password, so that it does not tell which
 * accounts exist.
 */
function wrongCredentials(): AppError {
  return refused(
    'The e-mail address or the password is wrong, or the address is not confirmed: check both, open the link in the mail ' +
      'that you got, or ask for a new password.',
  );
}

/** One error for all texts but the newest refresh token of a valid session. */
function signInAgain(): AppError {
  return refused('This refresh token is no longer valid: log in again.');
}

function challengeOver(): AppError {
  return refused('This sign-in has taken too long, or is complete: log in again.');
}

function wrongCode(): AppError {
  return refused('The code is wrong or was used before: wait for the next one.');
}

function refused(detail: string): AppError {
  return new AppError('unauthorized', detail, { headers: WWW_AUTHENTICATE });
}
