import Joi from 'joi';
import { ACCOUNT_TOKEN } from './account-token';

export const EXAMPLE_TOKEN = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA';

/** A token that was sent in a mail. */
export const mailedToken = Joi.string()
  .pattern(ACCOUNT_TOKEN)
  .messages({ 'string.pattern.base': '{#label} must be the token of a link in a mail' })
  .required()
  .description('What stands behind `=` in the link of the mail: works once, for 30 minutes');
