import type { Mail } from '../../mail/mail';
import type { Outbox } from '../../mail/outbox';
import type { AttemptKeys } from '../passwords/attempt-keys';
import type { AttemptRepository } from '../passwords/attempts.repository';
import type { User, UsersRepository } from '../users.repository';
import type { AccountRepository } from './accounts.repository';
import { createMailTexts } from './mail-texts';

/** How many mails of one kind an address gets at most from people who need not be its owner. */
const MAX_MAILS = 5;
/** How many mails a user can send to other addresses at most. */
const MAX_MAILS_OF_USER = 10;
const WINDOW_MS = 60 * 60_000;

export interface AccountMailsDeps {
  users: Pick<UsersRepository, 'findByEmail' | 'findUnconfirmed'>;
  accounts: Pick<AccountRepository, 'issueToken'>;
  outbox: Pick<Outbox, 'post'>;
  attempts: Pick<AttemptRepository, 'add'>;
  attemptKeys: Pick<AttemptKeys, 'ofMails'>;
  accountPageUrl: string;
  shopName: string | undefined;
}

export type AccountMails = ReturnType<typeof createAccountMails>;

/**
 * Creates the mails about accounts. All are written after the response, which is therefore the same, and takes as long,
 * whether or not there is an account.
 */
export function createAccountMails(deps: AccountMailsDeps) {
  const { users, accounts, outbox, attempts, attemptKeys, accountPageUrl, shopName } = deps;
  const texts = createMailTexts({ accountPageUrl, shopName });

  /**
   * Posts a mail that others than the owner can cause, unless the address has had too many of its kind: mails of one kind keep
   * back none of the other.
   */
  function postLimited(kind: string, email: string, write: () => Promise<Mail | null>): void {
    outbox.post(kind, async () => {
      const { count } = await attempts.add(attemptKeys.ofMails(`${kind} ${email}`), WINDOW_MS);
      return count > MAX_MAILS ? null : write();
    });
  }

  return {
    /** Asks the owner of an address to confirm that it is the user's, or says that the owner has an account already. */
    askToConfirm(user: Pick<User, 'id' | 'tokenVersion'>, email: string): void {
      postLimited('confirm', email, async () => {
        const { count } = await attempts.add(attemptKeys.ofMails(user.id), WINDOW_MS);
        if (count > MAX_MAILS_OF_USER) return null;
        const owner = await users.findByEmail(email);
        if (owner && owner.id !== user.id) return texts.hasAccount(email);
        const token = await accounts.issueToken('confirm', user, email);
        return token === null ? null : texts.confirm(email, token);
      });
    },

    /** Sends the owner of an address what sets another password, if there is an active account. */
    offerReset(email: string): void {
      postLimited('reset', email, async () => {
        const user = (await users.findByEmail(email)) ?? (await users.findUnconfirmed(email));
        const token = user && (await accounts.issueToken('reset', user, email));
        return token === null ? null : texts.reset(email, token);
      });
    },

    /** Tells an address that it is not the one of the account any more. */
    tellReplaced(email: string): void {
      outbox.post('address_replaced', async () => texts.addressReplaced(email));
    },

    /** Sends the owner of an account what turns on an authenticator app. */
    askToTurnOnTotp(user: Pick<User, 'id' | 'tokenVersion' | 'confirmedEmail'>): void {
      const { confirmedEmail: email } = user;
      if (email === undefined) return;
      postLimited('totp', email, async () => {
        const token = await accounts.issueToken('totp', user, email);
        return token === null ? null : texts.turnOnTotp(email, token);
      });
    },

    /** Sends a guest what opens their order. */
    tellOrder(email: string, { id, number }: { id: string; number: string }, token: string): void {
      postLimited('order', email, () => Promise.resolve(texts.ordered(email, number, `${id}.${token}`)));
    },

    /** Tells the owner of an account what was changed, since it may have been someone else. */
    tellChange(
      { confirmedEmail }: Pick<User, 'confirmedEmail'>,
      change: Parameters<typeof texts.changed>[1],
    ): void {
      if (confirmedEmail === undefined) return;
      postLimited(`changed_${change}`, confirmedEmail, async () => texts.changed(confirmedEmail, change));
    },
  };
}
