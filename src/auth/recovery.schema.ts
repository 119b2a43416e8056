import Joi from 'joi';
import { EXAMPLE_TOKEN, mailedToken as token } from '../users/account/account-token.schema';
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

export const confirmBody = Joi.object<ConfirmBody, true>({ token })
  .id('ConfirmRequest')
  .example({ token: EXAMPLE_TOKEN });

export const forgotBody = Joi.object<ForgotBody, true>({ email: email.required() })
  .id('ForgotRequest')
  .example({ email: 'alice@example.com' });

export const resetBody = Joi.object<ResetBody, true>({ token, password: newPassword.required() })
  .id('ResetRequest')
  .example({ token: EXAMPLE_TOKEN, password: 'staple battery horse' });
