import type { Mail } from '../../mail/mail';
import { ACCOUNT_TOKEN_MS } from './account-token';

const MINUTES = ACCOUNT_TOKEN_MS / 60_000;

const CHANGES = {
  password: 'The password of your account was changed, and all other sessions have ended.',
  address:
    'Someone who knows the password of your account asked to change its e-mail address to another one.',
  totpOn: 'An authenticator app was set up for your account, and all other sessions have ended.',
  totpOff: 'The authenticator app was removed from your account, and all sessions have ended.',
  recovery:
    'Someone signed in to your account with a recovery code instead of a code of the authenticator app.',
} as const;

export interface MailTextsOptions {
  accountPageUrl: string;
  shopName: string | undefined;
}

/**
 * Creates the texts of mails about accounts. None has a name or another text that a user wrote: anybody can cause mails to
 * anybody. A token stands behind the # of a link, so that browsers send it to no server.
 */
export function createMailTexts({ accountPageUrl, shopName = 'the shop' }: MailTextsOptions) {
  const mail = (to: string, subject: string, ...paragraphs: string[]): Mail => ({
    to,
    subject,
    text: `${paragraphs.join('\n\n')}\n`,
  });
  const link = (purpose: string, token: string) => `${accountPageUrl}#${purpose}=${token}`;
  const ignore = 'If it was not you, you need not do anything.';

  return {
    confirm: (to: string, token: string): Mail =>
      mail(
        to,
        'Confirm your e-mail address',
        `Someone, probably you, gave this e-mail address for an account at ${shopName}. To confirm that it is yours, open ` +
          `this link within ${MINUTES} minutes:`,
        link('confirm', token),
        ignore,
      ),

    hasAccount: (to: string): Mail =>
      mail(
        to,
        'You have an account already',
        `Someone, probably you, gave this e-mail address for an account at ${shopName}, but you have one with it already. ` +
          'Sign in to that, or ask for a new password if you have forgotten it.',
        ignore,
      ),

    reset: (to: string, token: string): Mail =>
      mail(
        to,
        'Choose a new password',
        `Someone, probably you, asked for a new password for your account at ${shopName}. To choose one, open this link ` +
          `within ${MINUTES} minutes:`,
        link('reset', token),
        ignore,
      ),

    addressReplaced: (to: string): Mail =>
      mail(
        to,
        'Your account has another e-mail address',
        `Your account at ${shopName} has another e-mail address now, so this one gets no more mails about it.`,
        `If it was not you, write to ${shopName} at once: a new password can be asked for with the other address only.`,
      ),

    turnOnTotp: (to: string, token: string): Mail =>
      mail(
        to,
        'Turn on your authenticator app',
        `Someone who knows the password of your account at ${shopName}, probably you, is setting up an authenticator app for ` +
          `it. To turn it on, open this link within ${MINUTES} minutes where you are signed in:`,
        link('totp', token),
        'If it was not you, choose a new password at once.',
      ),

    ordered: (to: string, number: string, token: string): Mail =>
      mail(
        to,
        `Your order ${number}`,
        `Someone, probably you, gave this e-mail address for the order ${number} at ${shopName}. Here is how it goes, and what ` +
          'can be done about it:',
        link('order', token),
        'If it was not you, you need not do anything: the one who ordered pays it.',
      ),

    changed: (to: string, change: keyof typeof CHANGES): Mail =>
      mail(
        to,
        'Your account was changed',
        CHANGES[change],
        `If it was not you, choose a new password at once: ask for one on the page where you sign in to ${shopName}.`,
      ),
  };
}
