import Joi from 'joi';
import { idSchema } from '../common/ids';
import { singleLine } from '../common/text';
import { USER_ROLES, type UserRole } from '../role/role';

export interface RegisterBody {
  email: string;
  password: string;
  name: string;
}

export interface LoginBody {
  email: string;
  password: string;
}

/** A user as the API presents it. */
export interface UserView {
  id: string;
  email: string;
  name: string;
  role: UserRole;
  createdAt: string;
}

export interface Session {
  user: UserView;
  accessToken: string;
  expiresIn: number;
}

const MAX_EMAIL_LENGTH = 254;
const MIN_PASSWORD_LENGTH = 12;
const MAX_PASSWORD_LENGTH = 128;
const MAX_NAME_LENGTH = 100;

/** Trimmed and in lower case, so that one mailbox is one account. */
const email = Joi.string()
  .prefs({ convert: true })
  .trim()
  .lowercase()
  .max(MAX_EMAIL_LENGTH)
  .email({ tlds: { allow: false } });

export const registerBody = Joi.object<RegisterBody, true>({
  email: email.required(),
  password: Joi.string()
    .min(MIN_PASSWORD_LENGTH)
    .max(MAX_PASSWORD_LENGTH)
    .required()
    .description(`${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters, any of them`),
  name: singleLine(MAX_NAME_LENGTH).required(),
})
  .id('RegisterRequest')
  .example({
    email: 'carol@example.com',
    password: 'correct horse battery',
    name: 'Carol',
  });

export const loginBody = Joi.object<LoginBody, true>({
  email: email.required(),
  password: Joi.string().max(MAX_PASSWORD_LENGTH).required(),
})
  .id('LoginRequest')
  .example({ email: 'alice@example.com', password: 'orders-demo-2026' });

const user = Joi.object<UserView, true>({
  id: idSchema('usr').required(),
  email: Joi.string()
    .email({ tlds: { allow: false } })
    .required(),
  name: Joi.string().required(),
  role: Joi.string()
    .valid(...USER_ROLES)
    .required(),
  createdAt: Joi.string().isoDate().required(),
})
  .id('User')
  .example({
    id: 'usr_01HZX000000000000000A11CE0',
    email: 'alice@example.com',
    name: 'Alice',
    role: 'CUSTOMER',
    createdAt: '2026-01-15T09:00:00.000Z',
  });

export const session = Joi.object<Session, true>({
  user: user.required(),
  accessToken: Joi.string()
    .required()
    .description('Send it as `Authorization: Bearer <accessToken>`')
    .example('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…'),
  expiresIn: Joi.number()
    .integer()
    .min(1)
    .required()
    .description('Seconds until the token expires')
    .example(900),
}).id('Session');
