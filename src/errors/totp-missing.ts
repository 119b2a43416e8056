import { AppError } from './app-error';

/** The error for an ADMIN who has to set up an authenticator app before doing this. */
export function totpMissing(): AppError {
  return new AppError(
    'forbidden',
    'ADMINs need an authenticator app: set one up with POST /users/me/totp, then refresh your tokens.',
  );
}
