import Joi, { type CustomHelpers } from 'joi';
import { shopPage } from './rules';
import { section } from './section';

const VARIABLES_OF_SMTP = ['MAIL_FROM', 'ACCOUNT_PAGE_URL'] as const;

const variables = {
  SMTP_URL: Joi.string<string | undefined>()
    .custom(readSmtpUrl)
    .when('NODE_ENV', { is: 'production', then: Joi.required(), otherwise: Joi.optional() })
    .note('none; required in production')
    .example('smtps://user:password@mail.example.com')
    .description(
      'Server that sends the mails to users, `smtps://` or `smtp://`, which has to offer TLS in production unless ' +
        '`?ignoreTLS=true` is added; without it, mails are written to `DATA_DIR/mail`',
    )
    // A message must not repeat a password.
    .messages({
      'any.required': '{#label} must be set in production: smtps://user:password@host',
      'smtp.invalid': '{#label} must look like smtps://user:password@mail.example.com',
    }),
  MAIL_FROM: Joi.string()
    .pattern(/^[^\r\n]*@[^\r\n]*$/)
    .default('Orders <orders@localhost>')
    .note('`Orders <orders@localhost>`; required with `SMTP_URL`')
    .example('Plum & Pear <shop@example.com>')
    .description('Sender of the mails to users')
    .messages({ 'string.pattern.base': '{#label} must have an e-mail address' }),
  ACCOUNT_PAGE_URL: shopPage()
    .pattern(/#/, { invert: true })
    .default('http://localhost:8080/account')
    .note('`http://localhost:8080/account`; required with `SMTP_URL`')
    .example('https://shop.example.com/account')
    .description(
      'Page of the shop that links in mails point to: it takes the token out of `#confirm=…`, `#reset=…` or `#totp=…` and ' +
        'sends it to `/auth/confirm`, `/auth/reset` or `/users/me/totp/confirm`',
    )
    .messages({ 'string.pattern.invert.base': '{#label} must not have a fragment (#)' }),
  DATA_DIR: Joi.string()
    .default('.data')
    .description('Folder in which mails are written without `SMTP_URL`; for `npm start`, of all its data'),
};

export const mail = section({
  title: 'Mail',
  readBy: ['api'],
  variables,
  check(env, { given }) {
    const missing = VARIABLES_OF_SMTP.filter((name) => !given[name]);
    return env.SMTP_URL === undefined || missing.length === 0
      ? undefined
      : `${missing.join(' and ')} must be set with SMTP_URL`;
  },
  config: (env) => ({
    ...(env.SMTP_URL !== undefined && { smtpUrl: env.SMTP_URL }),
    from: env.MAIL_FROM,
    accountPageUrl: env.ACCOUNT_PAGE_URL,
    dataDir: env.DATA_DIR,
  }),
});

function readSmtpUrl(value: string, helpers: CustomHelpers) {
  const url = URL.canParse(value) ? new URL(value) : null;
  const isSmtp = url !== null && ['smtp:', 'smtps:'].includes(url.protocol) && url.hostname !== '';
  return isSmtp ? value : helpers.error('smtp.invalid');
}
