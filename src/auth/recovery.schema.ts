import Joi from 'joi';
import { ACCOUNT_TOKEN } from '../users/account/account-token';
import { email, newPassword } from '../users/users.schema';

export interface ConfirmBody {
  token: string;
}

export interface ForgotBody {
  email: string;
}

export interface ResetBody {
  token: string;
  password: string;
}

const EXAMPLE_TOKEN = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA';

const token = Joi.string()
  .pattern(ACCOUNT_TOKEN)
  .messages({ 'string.pattern.base': '{#label} must be the token of a link in a mail' })
  .required()
  .description('What stands behind `=` in the link of the mail: works once, for 30 minutes');

export const confirmBody = Joi.object<ConfirmBody, true>({ token })
  .id('ConfirmRequest')
  .example({ token: EXAMPLE_TOKEN });

export const forgotBody = Joi.object<ForgotBody, true>({ email: email.required() })
  .id('ForgotRequest')
  .example({ email: 'alice@example.com' });

export const resetBody = Joi.object<ResetBody, true>({ token, password: newPassword.required() })
  .id('ResetRequest')
  .example({ token: EXAMPLE_TOKEN, password: 'staple battery horse' });
