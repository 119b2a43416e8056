import { AppError } from '../errors/app-error';
import { invalidAccountToken } from '../errors/invalid-account-token';
import type { Sender } from '../http/origin';
import type { AccountMails } from '../users/account/account-mails';
import type { AccountRepository } from '../users/account/accounts.repository';
import type { AttemptKeys } from '../users/passwords/attempt-keys';
import type { AttemptRepository } from '../users/passwords/attempts.repository';
import { hashPassword } from '../users/passwords/password';
import type { PasswordRules } from '../users/passwords/password-rules';
import type { SessionRepository } from '../users/sessions/sessions.repository';
import type { AddressLimit } from './address-limit';
import type { ConfirmBody, ResetBody } from './recovery.schema';

export interface RecoveryServiceDeps {
  accounts: AccountRepository;
  sessions: Pick<SessionRepository, 'removeRevoked'>;
  passwordRules: Pick<PasswordRules, 'requireImpersonal'>;
  attempts: Pick<AttemptRepository, 'clear'>;
  attemptKeys: Pick<AttemptKeys, 'ofAccount'>;
  mails: Pick<AccountMails, 'offerReset' | 'tellChange' | 'tellReplaced'>;
  limitForgotten: AddressLimit;
  refreshTokenTtlSeconds: number;
}

export type RecoveryService = ReturnType<typeof createRecoveryService>;

/** Creates what people do with tokens that were sent to their e-mail addresses. */
export function createRecoveryService(deps: RecoveryServiceDeps) {
  const { accounts, sessions, passwordRules, attempts, attemptKeys, mails } = deps;
  const { limitForgotten, refreshTokenTtlSeconds } = deps;
  return {
    /** @throws {AppError} validation_failed for a token that is not valid, already_exists */
    async confirm({ token }: ConfirmBody, sender: Sender): Promise<{ userId: string }> {
      const confirmed = await accounts.confirmAddress(token, sender);
      if (confirmed === undefined) throw addressTaken();
      if (confirmed === null) throw invalidAccountToken();
      const { userId, replaced } = confirmed;
      if (replaced !== undefined) mails.tellReplaced(replaced);
      return { userId };
    },

    /**
     * Does the same for every e-mail address as far as the client can tell.
     * @param address of the client
     * @throws {AppError} rate_limited
     */
    async forgot(email: string, address: string): Promise<void> {
      await limitForgotten(address);
      mails.offerReset(email);
    },

    /**
     * @throws {AppError} validation_failed for a token that is not valid, or a password that is easy to guess
     */
    async reset({ token, password }: ResetBody, sender: Sender): Promise<{ userId: string }> {
      const owner = await accounts.findByToken('reset', token);
      if (!owner) throw invalidAccountToken();
      passwordRules.requireImpersonal(password, owner);
      const passwordHash = await hashPassword(password, sender.address);
      const sessionsBeganAfter = new Date(Date.now() - refreshTokenTtlSeconds * 1_000);
      const origin = { by: owner.id, ...sender };
      const user = await accounts.resetPassword(token, { passwordHash, origin, sessionsBeganAfter });
      if (!user) throw invalidAccountToken();
      await sessions.removeRevoked(user); // only tidies up: they are of no use any more
      await attempts.clear(attemptKeys.ofAccount(user.email));
      mails.tellChange(user, 'password');
      return { userId: user.id };
    },
  };
}

/** Only the owner of the address gets so far. */
function addressTaken(): AppError {
  return new AppError(
    'already_exists',
    'You have confirmed this e-mail address for another account meanwhile: log in there.',
  );
}
