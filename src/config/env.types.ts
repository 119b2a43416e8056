import Joi, { type CustomHelpers } from 'joi';
import { MIN_SECRET_BYTES, readJwkSet, type JwtKey } from './jwt-keys';
import { isSampleSecret } from './sample-secret';

/** The longest that a timer of Node.js takes. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export const QUEUES = ['orders', 'payments'] as const;
export type Queue = (typeof QUEUES)[number];

/** An integer from 1. */
export const count = (fallback: number, max = 1_000_000) =>
  Joi.number().integer().min(1).max(max).default(fallback);

export const secret = Joi.string()
  .custom((value: string, helpers: CustomHelpers) => {
    if (Buffer.byteLength(value) < MIN_SECRET_BYTES) return helpers.error('secret.short');
    return isProduction(helpers) && isSampleSecret(value) ? helpers.error('secret.sample') : value;
  })
  .when('JWT_KEYS', { is: Joi.exist(), then: Joi.optional(), otherwise: Joi.required() })
  .messages({
    'any.required': '{#label} is required, or JWT_KEYS: make one with "openssl rand -base64 48"',
    'secret.short': `{#label} must be at least ${MIN_SECRET_BYTES} bytes long: make one with "openssl rand -base64 48"`,
    'secret.sample': `{#label} looks like a sample and production refuses it: make one with "openssl rand -base64 48"`,
  });

/** A JWK Set; its messages never repeat a key. */
export const jwkSet = Joi.string()
  .custom((value: string, helpers: CustomHelpers) => {
    const keys = readJwkSet(value);
    const sample =
      isProduction(helpers) &&
      keys.find(({ verificationKey: key }) => {
        return key.type === 'secret' && isSampleSecret(key.export().toString('latin1'));
      });
    return sample ? helpers.error('keys.sample', { kid: sample.kid }) : keys;
  })
  .messages({
    'any.custom': '{#label} {#error.message}',
    'keys.sample':
      '{#label} has a key {#kid} that looks like a sample and production refuses: make one with "npm run jwt:key"',
  }) as unknown as Joi.ArraySchema<JwtKey[]>;

/** A whitelist of origins, as a browser sends them in the Origin header. */
export const origins = Joi.string()
  .custom((value: string, helpers: CustomHelpers) => {
    const list = entriesOf(value);
    if (isProduction(helpers) && list.includes('*')) return helpers.error('origins.wildcard');
    const wrong = list.find((origin) => origin !== '*' && !isOrigin(origin));
    return wrong === undefined ? list : helpers.error('origins.invalid', { wrong });
  })
  .default([])
  .messages({
    'origins.wildcard': '{#label} must not contain "*" in production: list the origins that may call the API',
    'origins.invalid':
      '{#label} contains {#wrong}, which is not an origin: write scheme://host[:port], comma-separated',
  }) as unknown as Joi.ArraySchema<string[]>;

/** The task queues that a worker serves. */
export const queues = Joi.string()
  .custom((value: string, helpers: CustomHelpers) => {
    const list = entriesOf(value);
    const isValid = list.every((name) => QUEUES.some((queue) => queue === name));
    return isValid && new Set(list).size === list.length ? list : helpers.error('queues.invalid');
  })
  .default([...QUEUES])
  .messages({
    'queues.invalid': `{#label} must name each queue once, comma-separated: ${QUEUES.join(',')}, or one of them`,
  }) as unknown as Joi.ArraySchema<Queue[]>;

/** `sandbox` unless told, but not in production: there it has to be meant. */
export const paymentProvider = Joi.string()
  .valid('sandbox', 'stripe')
  .when('NODE_ENV', {
    is: 'production',
    then: Joi.required(),
    otherwise: Joi.optional().default('sandbox'),
  })
  .messages({
    'any.required':
      '{#label} must be set in production: "stripe", or "sandbox" for a trial, which takes no money',
  });

/** A secret that Stripe gave out; its messages never repeat it. */
export const stripeSecret = (pattern: RegExp, looks: string, from: string) =>
  Joi.string()
    .pattern(pattern)
    .messages({
      'string.pattern.base': `{#label} must look like ${looks}: copy it from ${from}`,
      'any.required': `{#label} is required with PAYMENT_PROVIDER=stripe: copy it from ${from}`,
    });

function entriesOf(list: string): string[] {
  return list.split(',').map((entry) => entry.trim());
}

function isProduction({ state }: CustomHelpers): boolean {
  return (state.ancestors[0] as { NODE_ENV: string }).NODE_ENV === 'production';
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
