import Joi, { type CustomHelpers } from 'joi';

export interface Env {
  NODE_ENV: 'development' | 'test' | 'production';
  HOST: string;
  PORT: number;
  API_PREFIX: string;
  MONGODB_URI: string;
  TEMPORAL_ADDRESS: string;
  TEMPORAL_NAMESPACE: string;
  TEMPORAL_TASK_QUEUE: string;
  TEMPORAL_UI_URL: string;
  JWT_SECRET: string;
  JWT_ISSUER: string;
  JWT_AUDIENCE: string;
  ACCESS_TOKEN_TTL_SECONDS: number;
  CORS_ORIGINS: string[];
  BODY_LIMIT: string;
  RATE_LIMIT_MAX: number;
  RATE_LIMIT_WINDOW_MS: number;
  REDIS_URL?: string;
  TRUSTED_PROXIES: number;
  PLACE_ORDER_TIMEOUT_MS: number;
  SHUTDOWN_TIMEOUT_MS: number;
  LOG_LEVEL: string;
  WORKER_MAX_CONCURRENT_WORKFLOW_TASKS: number;
  WORKER_MAX_CONCURRENT_LOCAL_ACTIVITIES: number;
  WORKER_MAX_CONCURRENT_ACTIVITIES: number;
  WORKER_MAX_CACHED_WORKFLOWS: number;
}

const MAX_TIMER_MS = 2 ** 31 - 1;
const MIN_SECRET_BYTES = 32;
const MIN_DISTINCT_CHARACTERS = 10;
/** Words of secrets that were copied from a sample or typed by hand. */
const SAMPLE_SECRET =
  /change.?me|replace.?me|example|sample|insecure|development|your.?secret|password|orders/i;

const count = (fallback: number, max = 1_000_000) => Joi.number().integer().min(1).max(max).default(fallback);

const secret = Joi.string()
  .required()
  .custom((value: string, helpers: CustomHelpers) => {
    if (Buffer.byteLength(value) < MIN_SECRET_BYTES) return helpers.error('secret.short');
    const production = (helpers.state.ancestors[0] as Env).NODE_ENV === 'production';
    if (!production) return value;
    const guessable = SAMPLE_SECRET.test(value) || new Set(value).size < MIN_DISTINCT_CHARACTERS;
    return guessable ? helpers.error('secret.sample') : value;
  })
  .messages({
    'secret.short': `{#label} must be at least ${MIN_SECRET_BYTES} bytes long: make one with "openssl rand -base64 48"`,
    'secret.sample': `{#label} looks like a sample and production refuses it: make one with "openssl rand -base64 48"`,
  });

/** A whitelist of origins, as a browser sends them in the Origin header. */
const origins = Joi.string()
  .custom((value: string, helpers: CustomHelpers) => {
    const list = value.split(',').map((origin) => origin.trim());
    const production = (helpers.state.ancestors[0] as Env).NODE_ENV === 'production';
    if (production && list.includes('*')) return helpers.error('origins.wildcard');
    const wrong = list.find((origin) => origin !== '*' && !isOrigin(origin));
    return wrong === undefined ? list : helpers.error('origins.invalid', { wrong });
  })
  .default([])
  .messages({
    'origins.wildcard': '{#label} must not contain "*" in production: list the origins that may call the API',
    'origins.invalid':
      '{#label} contains {#wrong}, which is not an origin: write scheme://host[:port], comma-separated',
  });

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

export const envSchema = Joi.object<Env, true>({
  NODE_ENV: Joi.string().valid('development', 'test', 'production').default('development'),
  HOST: Joi.string().hostname().default('127.0.0.1'),
  PORT: Joi.number().port().default(3000),
  API_PREFIX: Joi.string()
    .pattern(/^(\/[\w.-]+)+$/)
    .default('/orders-management-system')
    .messages({
      'string.pattern.base': '{#label} must look like /path, without a slash at its end',
    }),
  MONGODB_URI: Joi.string()
    .required()
    .pattern(/^mongodb(\+srv)?:\/\/[^/]+/)
    // The value may hold a password, so that the message must not repeat it.
    .messages({
      'string.pattern.base': '{#label} must look like mongodb://host:27017/orders?replicaSet=rs0',
    }),
  TEMPORAL_ADDRESS: Joi.string()
    .pattern(/^[^\s/:]+:\d{1,5}$/)
    .default('localhost:7233')
    .messages({ 'string.pattern.base': '{#label} must look like host:7233' }),
  TEMPORAL_NAMESPACE: Joi.string().default('default'),
  TEMPORAL_TASK_QUEUE: Joi.string().default('orders'),
  TEMPORAL_UI_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .replace(/\/+$/, '')
    .default('http://localhost:8233'),
  JWT_SECRET: secret,
  JWT_ISSUER: Joi.string().default('orders-management-system'),
  JWT_AUDIENCE: Joi.string().default('orders-management-system'),
  ACCESS_TOKEN_TTL_SECONDS: count(900, 86_400),
  CORS_ORIGINS: origins as unknown as Joi.ArraySchema,
  BODY_LIMIT: Joi.string()
    .pattern(/^\d+(b|kb|mb)$/i)
    .default('100kb')
    .messages({
      'string.pattern.base': '{#label} must be a size such as 100kb or 1mb',
    }),
  RATE_LIMIT_MAX: count(100_000, 1_000_000_000),
  RATE_LIMIT_WINDOW_MS: count(60_000, MAX_TIMER_MS),
  REDIS_URL: Joi.string()
    .pattern(/^rediss?:\/\/\S+$/)
    .messages({
      'string.pattern.base': '{#label} must look like redis://host:6379',
    }),
  TRUSTED_PROXIES: Joi.number().integer().min(0).max(10).default(0),
  PLACE_ORDER_TIMEOUT_MS: count(5000, MAX_TIMER_MS),
  SHUTDOWN_TIMEOUT_MS: count(10_000, MAX_TIMER_MS),
  LOG_LEVEL: Joi.string().valid('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
  WORKER_MAX_CONCURRENT_WORKFLOW_TASKS: count(40).min(2),
  WORKER_MAX_CONCURRENT_LOCAL_ACTIVITIES: count(100),
  WORKER_MAX_CONCURRENT_ACTIVITIES: count(100),
  WORKER_MAX_CACHED_WORKFLOWS: count(1000).min(0),
})
  .custom((env: Env, helpers) => {
    const cutsRequests = env.SHUTDOWN_TIMEOUT_MS < env.PLACE_ORDER_TIMEOUT_MS;
    return env.NODE_ENV === 'production' && cutsRequests ? helpers.error('shutdown.short') : env;
  })
  .messages({
    'shutdown.short':
      'SHUTDOWN_TIMEOUT_MS must not be less than PLACE_ORDER_TIMEOUT_MS: requests would be cut at every deployment',
  })
  .prefs({
    abortEarly: false,
    stripUnknown: true,
    errors: { wrap: { label: false } },
  });

export const workerEnvSchema = envSchema.fork('JWT_SECRET', () => Joi.any().strip());
