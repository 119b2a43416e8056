import type { SecretBox } from '../../common/secret-box';
import type { Origin } from '../../domain/audit';
import { AppError } from '../../errors/app-error';
import { invalid } from '../../errors/invalid';
import { invalidAccountToken } from '../../errors/invalid-account-token';
import { invalidToken } from '../../errors/unauthorized';
import type { UserPrincipal } from '../../role/principal';
import type { Sender } from '../../http/origin';
import type { ReportSecurityEvent } from '../../security/security-events';
import type { AccountMails } from '../account/account-mails';
import type { AccountRepository } from '../account/accounts.repository';
import { reported } from '../passwords/reported-check';
import type { Proof, Reauthentication } from '../reauthentication';
import { requireSignedIn } from '../sessions/signed-in';
import type { SessionRepository } from '../sessions/sessions.repository';
import { isConfirmed } from '../stored-user';
import type { User, UsersRepository } from '../users.repository';
import type { CodeCheck } from './code-check';
import { hashRecoveryCode, newRecoveryCodes } from './recovery-codes';
import type { SecondFactorRepository } from './second-factors.repository';
import type { ConfirmTotpBody, TotpSecretView } from './second-factor.schema';
import { newTotpSecret, totpUri } from './totp';

export interface SecondFactorServiceDeps {
  users: Pick<UsersRepository, 'findById'>;
  sessions: Pick<SessionRepository, 'removeRevoked'>;
  accounts: Pick<AccountRepository, 'findByToken'>;
  factors: SecondFactorRepository;
  secrets: SecretBox;
  codes: CodeCheck;
  mails: Pick<AccountMails, 'askToTurnOnTotp' | 'tellChange'>;
  requireRecentSignIn: Reauthentication;
  report: ReportSecurityEvent;
  /** The name under which apps show the codes. */
  issuer: string;
}

export type SecondFactorService = ReturnType<typeof createSecondFactorService>;

/** Creates what users do to sign in with an authenticator app besides the password. */
export function createSecondFactorService(deps: SecondFactorServiceDeps) {
  const { users, sessions, accounts, factors, secrets, codes, mails } = deps;
  const { requireRecentSignIn, report, issuer } = deps;

  async function getSignedIn(principal: UserPrincipal): Promise<User> {
    return requireSignedIn(await users.findById(principal.id), principal);
  }

  return {
    /**
     * Returns a secret, and mails the token that turns it on: who knows the password only must not have the first app.
     * @throws {AppError} unauthorized, validation_failed, rate_limited, invalid_transition if there is an app already, or no
     * confirmed address
     */
    async begin(principal: UserPrincipal, proof: Proof): Promise<TotpSecretView> {
      await requireRecentSignIn(principal, proof);
      const user = await getSignedIn(principal);
      if (!isConfirmed(user)) throw notConfirmed();
      const { id, email } = user;
      const secret = newTotpSecret();
      if (!(await factors.begin(id, secrets.seal(secret, id)))) throw isOnAlready();
      mails.askToTurnOnTotp(user);
      return { secret, uri: totpUri(secret, issuer, email) };
    },

    /**
     * Turns it on with the first code of the app and the token of the mail. Other sessions end, since they began without it.
     * @returns the recovery codes
     * @throws {AppError} unauthorized, validation_failed for a wrong code or token, rate_limited, invalid_transition
     */
    async turnOn(
      principal: UserPrincipal,
      { code, token }: ConfirmTotpBody,
      origin: Origin & Sender,
    ): Promise<string[]> {
      const user = await getSignedIn(principal);
      const factor = await factors.find(user.id);
      if (!factor) throw notBegun();
      if (factor.isOn) throw isOnAlready();
      if ((await accounts.findByToken('totp', token))?.id !== user.id) throw invalidAccountToken();
      const { sessionId } = principal;
      const tried = { sessionId, address: origin.address };
      const step = await reported(report, tried, () => codes.stepOf(user.id, factor, code));
      if (step === null) throw wrongCode();
      const { secret } = factor;
      const recoveryCodes = newRecoveryCodes();
      const hashes = recoveryCodes.map(hashRecoveryCode);
      const activation = { user, sessionId, token, secret, step, recoveryCodes: hashes };
      const changed = await factors.turnOn(activation, origin);
      if (!changed) throw invalidToken();
      await sessions.removeRevoked(changed);
      mails.tellChange(changed, 'totpOn');
      return recoveryCodes;
    },

    /**
     * Removes it and ends all sessions, since an ADMIN's have the role because of it.
     * @throws {AppError} unauthorized, validation_failed for a wrong code, rate_limited, not_found
     */
    async turnOff(principal: UserPrincipal, code: string, origin: Origin & Sender): Promise<void> {
      const user = await getSignedIn(principal);
      const factor = await factors.find(user.id);
      if (!factor?.isOn) throw noApp();
      const tried = { sessionId: principal.sessionId, address: origin.address };
      if (!(await reported(report, tried, () => codes.use(user.id, factor, code)))) throw wrongCode();
      const changed = await factors.remove(user.id, origin);
      if (!changed) throw noApp();
      await sessions.removeRevoked(changed);
      mails.tellChange(changed, 'totpOff');
    },
  };
}

function wrongCode(): AppError {
  return invalid([{ path: 'code', message: 'is wrong or was used before: wait for the next one' }]);
}

function notConfirmed(): AppError {
  return new AppError(
    'invalid_transition',
    'Your e-mail address is not confirmed: open the link in the mail that you got, or ask for another one with PATCH /users/me.',
  );
}

function isOnAlready(): AppError {
  return new AppError(
    'invalid_transition',
    'You have set up an authenticator app already: remove it with one of its codes first.',
  );
}

function noApp(): AppError {
  return new AppError('not_found', 'There is no authenticator app: nothing to remove.');
}

function notBegun(): AppError {
  return new AppError('invalid_transition', 'There is no secret yet: begin with POST /users/me/totp.');
}
