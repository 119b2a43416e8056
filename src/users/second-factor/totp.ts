import { Secret, TOTP } from 'otpauth';

const PERIOD_SECONDS = 30;
const DIGITS = 6;
/** Clocks of phones differ: the codes before and after the current one are right, too. */
const WINDOW = 1;
const SECRET_BYTES = 20;

/** Returns a new secret, in Base32. */
export function newTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/** Returns what authenticator apps read from a QR code. */
export function totpUri(secret: string, issuer: string, account: string): string {
  return new TOTP({ secret, issuer, label: account, digits: DIGITS, period: PERIOD_SECONDS }).toString();
}

/** Returns the time step that the code belongs to; null if it is wrong. */
export function stepOf(code: string, secret: string, now = Date.now()): number | null {
  const options = { secret: Secret.fromBase32(secret), digits: DIGITS, period: PERIOD_SECONDS };
  const delta = TOTP.validate({ ...options, token: code, window: WINDOW, timestamp: now });
  return delta === null ? null : TOTP.counter({ period: PERIOD_SECONDS, timestamp: now }) + delta;
}
