import Joi, { type CustomHelpers } from 'joi';
import { idSchema } from '../common/ids';
import { pageQuery, type PageQuery } from '../common/pagination';
import { anyText, isFarTooLong, singleLine } from '../common/text';
import { USER_ROLES, type UserRole } from '../role/role';
import { isCommonPassword } from './passwords/common-passwords';
import { mailboxOf } from './mailbox';
import { GIVEN_STATUSES, USER_STATUSES, type GivenStatus, type UserStatus } from './user-status';

/** A user as the API presents it. */
export interface UserView {
  id: string;
  email: string;
  isEmailConfirmed: boolean;
  name: string;
  role: UserRole;
  status: UserStatus;
  createdAt: string;
}

const MAX_EMAIL_LENGTH = 254;
const MIN_PASSWORD_LENGTH = 12;
const MAX_PASSWORD_LENGTH = 128;
const MAX_NAME_LENGTH = 100;

const mailbox = Joi.string()
  .max(MAX_EMAIL_LENGTH)
  .email({ tlds: { allow: false } });

/** An e-mail address in any spelling. The value is that of `mailboxOf`, so that a mailbox has one account. */
export const email = Joi.string()
  .custom((address: string, { error }: CustomHelpers) => {
    const value = isFarTooLong(address, MAX_EMAIL_LENGTH) ? null : mailboxOf(address);
    return value === null || mailbox.validate(value).error ? error('string.email') : value;
  })
  .messages({ 'string.email': '{#label} must be an e-mail address, such as ada@shop.example' })
  .meta({ jsonSchema: { format: 'idn-email', maxLength: MAX_EMAIL_LENGTH } });

export const name = singleLine(MAX_NAME_LENGTH);

/** A password that is checked, so that it may be a wrong one. */
export const password = anyText(MAX_PASSWORD_LENGTH);

export const newPassword = anyText(MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH)
  .custom((value: string, helpers: CustomHelpers) =>
    isCommonPassword(value) ? helpers.error('password.common') : value,
  )
  .messages({
    'password.common':
      '{#label} is one of the most common passwords, perhaps repeated or with digits at its end: choose another',
  })
  .description(
    `${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters of any kind. Rejected are common passwords, also repeated ` +
      'or with digits at the end, and those made of your name, your address or the name of the shop',
  )
  .meta({ jsonSchema: { examples: ['staple battery horse'] } });

/** The password of who asks for something that gives power for longer than a session. */
export const reauthentication = password.description(
  'Your own password: required unless you signed in during the last five minutes',
);

const role = Joi.string()
  .valid(...USER_ROLES)
  .meta({ component: 'UserRole' });
const status = Joi.string()
  .valid(...USER_STATUSES)
  .meta({ component: 'UserStatus' });

const profile = {
  id: idSchema('usr').required(),
  email: Joi.string()
    .email({ tlds: { allow: false } })
    .required(),
  isEmailConfirmed: Joi.boolean()
    .required()
    .description('Whether the user has shown to read the mails to the address'),
  name: Joi.string().required(),
  role: role.required(),
  status: status.required(),
  createdAt: Joi.string().isoDate().required(),
};

const EXAMPLE = {
  id: 'usr_01HZX000000000000000A11CE0',
  email: 'alice@example.com',
  isEmailConfirmed: true,
  name: 'Alice',
  role: 'CUSTOMER',
  status: 'active',
  createdAt: '2026-01-15T09:00:00.000Z',
};

export const user = Joi.object<UserView, true>(profile).id('User').example(EXAMPLE);

export interface ChangeProfileBody {
  name?: string;
  email?: string;
  password?: string;
  currentPassword?: string;
}

export const changeProfileBody = Joi.object<ChangeProfileBody, true>({
  name,
  email: email.description(
    'Takes effect when it is confirmed: a mail is sent to it. Your own address gets the mail again',
  ),
  password: newPassword,
  currentPassword: password
    .when('password', { is: Joi.exist(), then: Joi.required() })
    .when('email', { is: Joi.exist(), then: Joi.required() })
    .description('Required with `password` and with `email`'),
})
  .or('name', 'email', 'password')
  .meta({
    jsonSchema: { anyOf: [{ required: ['name'] }, { required: ['email'] }, { required: ['password'] }] },
  })
  .messages({ 'object.missing': '{#label} must have name, email or password' })
  .id('ChangeProfileRequest')
  .example({ name: 'Alice B.' });

/** Beside tokens. */
export const mustSetUpTotp = Joi.boolean()
  .valid(true)
  .description(
    'Present for an ADMIN who has to set up an authenticator app (`POST /users/me/totp`), and may do what CUSTOMERs may ' +
      'until then',
  );

/** The profile after a change, with the session's new tokens if the password was changed. */
export interface ChangedProfileView extends UserView {
  accessToken?: string;
  refreshToken?: string;
  expiresIn?: number;
  mustSetUpTotp?: true;
}

export const changedProfile = Joi.object<ChangedProfileView, true>({
  ...profile,
  accessToken: Joi.string().description('After a change of the password: the next access token'),
  refreshToken: Joi.string().description(
    'After a change of the password: replaces the earlier one, which ends the session if it is used',
  ),
  expiresIn: Joi.number()
    .integer()
    .min(1)
    .description('After a change of the password: seconds until the access token expires'),
  mustSetUpTotp,
})
  .id('ChangedProfile')
  .example({ ...EXAMPLE, name: 'Alice B.' });

/** How many sessions are listed. */
export const MAX_SESSIONS = 100;

/** A session as the API presents it. */
export interface SessionView {
  id: string;
  isCurrent: boolean;
  createdAt: string;
  refreshedAt: string;
  expiresAt: string;
}

const SESSION_ID = /^[0-9a-f]{32}$/;
const EXAMPLE_SESSION_ID = '9f86d081884c7d659a2feaa0c55ad015';

export const listedSession = Joi.object<SessionView, true>({
  id: Joi.string().required(),
  isCurrent: Joi.boolean().required().description('Whether it is the one that asks'),
  createdAt: Joi.string().isoDate().required().description('When it was signed in to'),
  refreshedAt: Joi.string().isoDate().required().description('When its tokens were issued last'),
  expiresAt: Joi.string().isoDate().required(),
})
  .id('ListedSession')
  .example({
    id: EXAMPLE_SESSION_ID,
    isCurrent: true,
    createdAt: '2026-01-15T09:00:00.000Z',
    refreshedAt: '2026-01-16T10:30:00.000Z',
    expiresAt: '2026-02-14T09:00:00.000Z',
  });

export interface SessionIdParams {
  id: string;
}

export const sessionIdParams = Joi.object<SessionIdParams, true>({
  id: Joi.string()
    .pattern(SESSION_ID)
    .messages({ 'string.pattern.base': '{#label} must be the id of a session' })
    .required()
    .example(EXAMPLE_SESSION_ID),
});

export interface UserIdParams {
  id: string;
}

export const userIdParams = Joi.object<UserIdParams, true>({
  id: idSchema('usr').required().example('usr_01HZX0000000000000000B0B00'),
});

export type ListUsersQuery = PageQuery & { role?: UserRole; status?: UserStatus; email?: string };

export const listUsersQuery = Joi.object<ListUsersQuery, true>({
  ...pageQuery,
  role,
  status,
  email: email.description('The e-mail address of one user'),
});

export interface ChangeUserBody {
  role?: UserRole;
  status?: GivenStatus;
  currentPassword?: string;
}

export const changeUserBody = Joi.object<ChangeUserBody, true>({
  role,
  status: Joi.string()
    .valid(...GIVEN_STATUSES)
    .meta({ component: 'GivenUserStatus' })
    .description('A `disabled` user can do nothing'),
  currentPassword: reauthentication,
})
  .or('role', 'status')
  .meta({ jsonSchema: { anyOf: [{ required: ['role'] }, { required: ['status'] }] } })
  .messages({ 'object.missing': '{#label} must have role or status' })
  .id('ChangeUserRequest')
  .example({ status: 'disabled' });
