import Joi from 'joi';
import { DEMO_PASSWORD, DEMO_USERS } from '../users/demo-users';
import { ACCOUNT_TOKEN } from '../users/account/account-token';
import { EXAMPLE_TOKEN } from '../users/account/account-token.schema';
import { anyCode } from '../users/second-factor/second-factor.schema';
import {
  email,
  mustSetUpTotp,
  name,
  newPassword,
  password,
  user,
  type UserView,
} from '../users/users.schema';

export interface RegisterBody {
  email: string;
  password: string;
  name: string;
}

export interface LoginBody {
  email: string;
  password: string;
}

export interface RefreshBody {
  refreshToken: string;
}

/** The response to signing in. */
export interface SignedIn {
  user: UserView;
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  mustSetUpTotp?: true;
}

/** The response to a right password of a user who has an authenticator app. */
export interface ChallengeView {
  challenge: string;
  expiresIn: number;
}

export interface TotpBody {
  challenge: string;
  code: string;
}

export const registerBody = Joi.object<RegisterBody, true>({
  email: email.required(),
  password: newPassword.required(),
  name: name.required(),
})
  .id('RegisterRequest')
  .example({
    email: 'carol@example.com',
    password: 'correct horse battery',
    name: 'Carol',
  });

export const loginBody = Joi.object<LoginBody, true>({
  email: email.required(),
  password: password.required(),
})
  .id('LoginRequest')
  .example({ email: DEMO_USERS[1]!.email, password: DEMO_PASSWORD });

const refreshToken = Joi.string()
  .required()
  .description('Can be used once, for `POST /auth/refresh`: keep it where no foreign script can read it')
  .example('q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ');

export const refreshBody = Joi.object<RefreshBody, true>({ refreshToken: refreshToken.max(200) }).id(
  'RefreshRequest',
);

export const signedIn = Joi.object<SignedIn, true>({
  user: user.required(),
  accessToken: Joi.string()
    .required()
    .description('Send it as `Authorization: Bearer <accessToken>`')
    .example('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…'),
  refreshToken,
  expiresIn: Joi.number()
    .integer()
    .min(1)
    .required()
    .description('Seconds until the access token expires')
    .example(900),
  mustSetUpTotp,
}).id('Session');

const challengeToken = Joi.string()
  .required()
  .description('For `POST /auth/totp`, together with a code of the authenticator app')
  .example(EXAMPLE_TOKEN);

export const challenge = Joi.object<ChallengeView, true>({
  challenge: challengeToken,
  expiresIn: Joi.number()
    .integer()
    .min(1)
    .required()
    .description('Seconds until the challenge expires')
    .example(300),
}).id('Challenge');

export const totpBody = Joi.object<TotpBody, true>({
  challenge: challengeToken
    .pattern(ACCOUNT_TOKEN)
    .messages({ 'string.pattern.base': '{#label} must be the challenge of POST /auth/login' }),
  code: anyCode.required(),
}).id('TotpRequest');
