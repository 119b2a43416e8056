import type { SecretBox } from '../../common/secret-box';
import type { Origin } from '../../domain/audit';
import { AppError } from '../../errors/app-error';
import { invalidToken } from '../../errors/unauthorized';
import { invalid } from '../../http/validate';
import type { UserPrincipal } from '../../role/principal';
import type { AccountMails } from '../account/account-mails';
import type { Proof, Reauthentication } from '../reauthentication';
import { requireSignedIn } from '../sessions/signed-in';
import type { SessionRepository } from '../sessions/sessions.repository';
import type { User, UsersRepository } from '../users.repository';
import type { CodeCheck } from './code-check';
import { hashRecoveryCode, newRecoveryCodes } from './recovery-codes';
import type { SecondFactorRepository } from './second-factors.repository';
import type { TotpSecretView } from './second-factor.schema';
import { newTotpSecret, totpUri } from './totp';

export interface SecondFactorServiceDeps {
  users: Pick<UsersRepository, 'findById'>;
  sessions: Pick<SessionRepository, 'endOthers'>;
  factors: SecondFactorRepository;
  secrets: SecretBox;
  codes: CodeCheck;
  mails: Pick<AccountMails, 'tellChange'>;
  requireRecentSignIn: Reauthentication;
  /** The name under which apps show the codes. */
  issuer: string;
}

export type SecondFactorService = ReturnType<typeof createSecondFactorService>;

/** Creates what users do to sign in with an authenticator app besides the password. */
export function createSecondFactorService(deps: SecondFactorServiceDeps) {
  const { users, sessions, factors, secrets, codes, mails, requireRecentSignIn, issuer } = deps;

  async function getSignedIn(principal: UserPrincipal): Promise<User> {
    return requireSignedIn(await users.findById(principal.id), principal);
  }

  return {
    /** @throws {AppError} unauthorized, validation_failed, rate_limited, invalid_transition if there is an app already */
    async begin(principal: UserPrincipal, proof: Proof): Promise<TotpSecretView> {
      await requireRecentSignIn(principal, proof);
      const { id, email } = await getSignedIn(principal);
      const secret = newTotpSecret();
      if (!(await factors.begin(id, secrets.seal(secret, id)))) throw isOnAlready();
      return { secret, uri: totpUri(secret, issuer, email) };
    },

    /**
     * Turns it on with the first code of the app. Other sessions end, since they began without it.
     * @returns the recovery codes
     * @throws {AppError} unauthorized, validation_failed for a wrong code, rate_limited, invalid_transition
     */
    async turnOn(principal: UserPrincipal, code: string, origin: Origin): Promise<string[]> {
      const user = await getSignedIn(principal);
      const factor = await factors.find(user.id);
      if (!factor) throw notBegun();
      if (factor.isOn) throw isOnAlready();
      const step = await codes.stepOf(user.id, factor, code);
      if (step === null) throw wrongCode();
      const { sessionId } = principal;
      const recoveryCodes = newRecoveryCodes();
      const hashes = recoveryCodes.map(hashRecoveryCode);
      const activation = { userId: user.id, sessionId, step, recoveryCodes: hashes };
      if (!(await factors.turnOn(activation, origin))) throw invalidToken();
      await sessions.endOthers(user.id, sessionId);
      mails.tellChange(user, 'totpOn');
      return recoveryCodes;
    },

    /** @throws {AppError} unauthorized, validation_failed for a wrong code, rate_limited, not_found */
    async turnOff(principal: UserPrincipal, code: string, origin: Origin): Promise<void> {
      const user = await getSignedIn(principal);
      const factor = await factors.find(user.id);
      if (!factor?.isOn) throw new AppError('not_found', 'There is no authenticator app: nothing to remove.');
      if (!(await codes.use(user.id, factor, code))) throw wrongCode();
      await factors.remove(user.id, origin);
      mails.tellChange(user, 'totpOff');
    },
  };
}

function wrongCode(): AppError {
  return invalid([{ path: 'code', message: 'is wrong or was used before: wait for the next one' }]);
}

function isOnAlready(): AppError {
  return new AppError(
    'invalid_transition',
    'You have set up an authenticator app already: remove it with one of its codes first.',
  );
}

function notBegun(): AppError {
  return new AppError('invalid_transition', 'There is no secret yet: begin with POST /users/me/totp.');
}
