import Joi, { type CustomHelpers } from 'joi';
import { bytesOf, MIN_SECRET_BYTES, readJwkSet, SECRET_KID, secretKey, type JwtKey } from './jwt-keys';
import { count, isProduction } from './rules';
import { section } from './section';
import { isWeakSecret } from './weak-secret';

/** Revoked tokens are remembered for as long as an access token can live. */
export const MAX_ACCESS_TOKEN_TTL_SECONDS = 86_400;

const DAY_SECONDS = 86_400;
const MAKE_SECRET = 'make one with "openssl rand -base64 48"';

const variables = {
  JWT_SECRET: Joi.string<Buffer | undefined>()
    .custom(readSecret)
    .when('JWT_KEYS', { is: Joi.exist(), then: Joi.optional(), otherwise: Joi.required() })
    .note('required without `JWT_KEYS`')
    .description(
      'Signs access tokens (HS256): at least 32 bytes in base64 or hexadecimal, the same for every API process; outside ' +
        'production any text of that length will do. Make one: `openssl rand -base64 48`',
    )
    .messages({
      'any.required': `{#label} is required, or JWT_KEYS: ${MAKE_SECRET}`,
      'secret.short': `{#label} must be at least ${MIN_SECRET_BYTES} bytes long: ${MAKE_SECRET}`,
      'secret.text': `{#label} must be bytes in base64 or hexadecimal in production: ${MAKE_SECRET}`,
      'secret.weak': `{#label} looks like a sample, which production rejects: ${MAKE_SECRET}`,
    }),
  JWT_KEYS: Joi.string<JwtKey[] | undefined>()
    .custom(readKeys)
    .example('{"keys":[...]}')
    .description(
      'A JWK Set, the same for every API process: its first key signs access tokens, all of them verify, and so does ' +
        '`JWT_SECRET` if it is set as well. Make one: `npm run -s jwt:key ES256`',
    )
    // A message must not repeat a key.
    .messages({
      'any.custom': '{#label} {#error.message}',
      'keys.weak':
        '{#label} has a key {#kid} that looks like a sample, which production rejects: make one with "npm run jwt:key"',
    }),
  JWT_ISSUER: Joi.string()
    .default('orders-management-system')
    .description('Issuer of the access tokens, which every token has to name'),
  JWT_AUDIENCE: Joi.string()
    .default('orders-management-system')
    .description('Audience of the access tokens, which every token has to name'),
  ACCESS_TOKEN_TTL_SECONDS: count(900, MAX_ACCESS_TOKEN_TTL_SECONDS)
    .unit('s')
    .description('Lifetime of an access token, at most a day'),
  REFRESH_TOKEN_TTL_SECONDS: count(30 * DAY_SECONDS, 365 * DAY_SECONDS)
    .unit('s')
    .description('Lifetime of a session, from signing in until the user has to sign in again'),
  API_KEY_TTL_DAYS: count(90, 3_650)
    .unit('days')
    .description('Lifetime of an API key that names no `expiresAt` of its own'),
};

export const jwt = section({
  title: 'Sessions and API keys',
  readBy: ['api'],
  variables,
  config: ({ JWT_KEYS: keys = [], JWT_SECRET: secret, ...env }) => ({
    /** The first one signs, all verify: with both variables, tokens signed with the secret stay valid. */
    keys: secret === undefined ? keys : [...keys, secretKey(SECRET_KID, secret)],
    issuer: env.JWT_ISSUER,
    audience: env.JWT_AUDIENCE,
    accessTokenTtlSeconds: env.ACCESS_TOKEN_TTL_SECONDS,
    refreshTokenTtlSeconds: env.REFRESH_TOKEN_TTL_SECONDS,
    apiKeyTtlDays: env.API_KEY_TTL_DAYS,
  }),
});

function readSecret(value: string, helpers: CustomHelpers) {
  const bytes = bytesOf(value);
  const secret = bytes ?? Buffer.from(value);
  if (secret.length < MIN_SECRET_BYTES) return helpers.error('secret.short');
  if (!isProduction(helpers)) return secret;
  if (!bytes) return helpers.error('secret.text');
  return [value, bytes.toString('latin1')].some(isWeakSecret) ? helpers.error('secret.weak') : secret;
}

function readKeys(value: string, helpers: CustomHelpers) {
  const keys = readJwkSet(value);
  const weak = isProduction(helpers) && keys.find(({ verificationKey }) => isWeakKey(verificationKey));
  return weak ? helpers.error('keys.weak', { kid: weak.kid }) : keys;
}

function isWeakKey(key: JwtKey['verificationKey']): boolean {
  return key.type === 'secret' && isWeakSecret(key.export().toString('latin1'));
}
