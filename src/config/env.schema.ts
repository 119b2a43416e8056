import Joi from 'joi';
import { availableParallelism } from 'node:os';
import {
  count,
  jwkSet,
  MAX_TIMER_MS,
  origins,
  paymentProvider,
  queues,
  secret,
  stripeSecret,
  type Queue,
} from './env.types';
import type { JwtKey } from './jwt-keys';
import { payloadKeys, type PayloadKey } from './payload-keys';
import {
  temporalConnection,
  temporalConnectionProblem,
  type TemporalConnectionEnv,
} from './temporal-connection';

/** A duration as Temporal writes it, such as `6d`. */
export type Deadline = `${number}${'s' | 'm' | 'h' | 'd'}`;

const MAX_PROCESSES = 128;

/** Who is disabled or changes the password is remembered for as long as an access token may live. */
export const MAX_ACCESS_TOKEN_TTL_SECONDS = 86_400;

export interface Env extends TemporalConnectionEnv {
  NODE_ENV: 'development' | 'test' | 'production';
  HOST: string;
  PORT: number;
  WEB_CONCURRENCY: number;
  API_PREFIX: string;
  MONGODB_URI: string;
  TEMPORAL_ADDRESS: string;
  TEMPORAL_NAMESPACE: string;
  TEMPORAL_TASK_QUEUE: string;
  TEMPORAL_PAYMENTS_TASK_QUEUE: string;
  TEMPORAL_UI_URL: string;
  JWT_SECRET?: string;
  JWT_KEYS?: JwtKey[];
  PAYLOAD_KEYS: PayloadKey[];
  JWT_ISSUER: string;
  JWT_AUDIENCE: string;
  ACCESS_TOKEN_TTL_SECONDS: number;
  REFRESH_TOKEN_TTL_SECONDS: number;
  CORS_ORIGINS: string[];
  BODY_LIMIT: string;
  RATE_LIMIT_MAX: number;
  RATE_LIMIT_WINDOW_MS: number;
  REDIS_URL?: string;
  TRUSTED_PROXIES: number;
  PAYMENT_PROVIDER: 'sandbox' | 'stripe';
  PAYMENTS_MAX_PER_SECOND?: number;
  STRIPE_SECRET_KEY?: string;
  STRIPE_WEBHOOK_SECRET?: string;
  FULFILLMENT_DEADLINE: Deadline;
  PLACE_ORDER_TIMEOUT_MS: number;
  ORDER_COMMAND_TIMEOUT_MS: number;
  SHUTDOWN_TIMEOUT_MS: number;
  LOG_LEVEL: string;
  WORKER_QUEUES: Queue[];
  WORKER_MAX_CONCURRENT_WORKFLOW_TASKS: number;
  WORKER_MAX_CONCURRENT_LOCAL_ACTIVITIES: number;
  WORKER_MAX_CONCURRENT_ACTIVITIES: number;
  WORKER_MAX_CONCURRENT_PAYMENTS: number;
  WORKER_MAX_CACHED_WORKFLOWS: number;
  WORKER_WORKFLOW_TASK_POLLERS: number;
  WORKER_ACTIVITY_TASK_POLLERS: number;
}

const schema = Joi.object<Env, true>({
  NODE_ENV: Joi.string().valid('development', 'test', 'production').default('development'),
  HOST: Joi.string().hostname().default('127.0.0.1'),
  PORT: Joi.number().port().default(3_000),
  WEB_CONCURRENCY: count(Math.min(availableParallelism(), MAX_PROCESSES), MAX_PROCESSES),
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
  ...temporalConnection,
  TEMPORAL_TASK_QUEUE: Joi.string().default('orders'),
  TEMPORAL_PAYMENTS_TASK_QUEUE: Joi.string().default('payments'),
  TEMPORAL_UI_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .replace(/\/+$/, '')
    .default('http://localhost:8233'),
  PAYLOAD_KEYS: payloadKeys,
  JWT_SECRET: secret,
  JWT_KEYS: jwkSet,
  JWT_ISSUER: Joi.string().default('orders-management-system'),
  JWT_AUDIENCE: Joi.string().default('orders-management-system'),
  ACCESS_TOKEN_TTL_SECONDS: count(900, MAX_ACCESS_TOKEN_TTL_SECONDS),
  REFRESH_TOKEN_TTL_SECONDS: count(30 * 86_400, 365 * 86_400),
  CORS_ORIGINS: origins,
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
  PAYMENT_PROVIDER: paymentProvider,
  PAYMENTS_MAX_PER_SECOND: Joi.number().positive(),
  STRIPE_SECRET_KEY: stripeSecret(
    /^[rs]k_(test|live)_\w+$/,
    'sk_live_… or rk_live_…',
    'Developers, API keys in the Stripe dashboard',
  ).when('WORKER_QUEUES', {
    is: Joi.array().has('payments').required(),
    then: Joi.when('PAYMENT_PROVIDER', { is: 'stripe', then: Joi.required() }),
  }),
  STRIPE_WEBHOOK_SECRET: stripeSecret(
    /^whsec_\S+$/,
    'whsec_…',
    'Developers, Webhooks in the Stripe dashboard',
  ).when('PAYMENT_PROVIDER', { is: 'stripe', then: Joi.required() }),
  FULFILLMENT_DEADLINE: Joi.string()
    .pattern(/^[1-9]\d{0,4}[smhd]$/)
    .default('6d')
    .messages({ 'string.pattern.base': '{#label} must be a duration such as 6d, 12h, 30m or 90s' }),
  PLACE_ORDER_TIMEOUT_MS: count(5_000, MAX_TIMER_MS),
  ORDER_COMMAND_TIMEOUT_MS: count(8_000, MAX_TIMER_MS),
  SHUTDOWN_TIMEOUT_MS: count(10_000, MAX_TIMER_MS),
  LOG_LEVEL: Joi.string().valid('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
  WORKER_QUEUES: queues,
  WORKER_MAX_CONCURRENT_WORKFLOW_TASKS: count(40).min(2),
  WORKER_MAX_CONCURRENT_LOCAL_ACTIVITIES: count(100),
  WORKER_MAX_CONCURRENT_ACTIVITIES: count(100),
  WORKER_MAX_CONCURRENT_PAYMENTS: count(20),
  WORKER_MAX_CACHED_WORKFLOWS: count(1_000).min(0),
  WORKER_WORKFLOW_TASK_POLLERS: count(10).min(2),
  WORKER_ACTIVITY_TASK_POLLERS: count(10),
})
  .custom((env: Env, helpers) => {
    const { SHUTDOWN_TIMEOUT_MS, PLACE_ORDER_TIMEOUT_MS, ORDER_COMMAND_TIMEOUT_MS } = env;
    const longest = Math.max(PLACE_ORDER_TIMEOUT_MS, ORDER_COMMAND_TIMEOUT_MS);
    if (env.NODE_ENV === 'production' && SHUTDOWN_TIMEOUT_MS < longest)
      return helpers.error('shutdown.short');
    return env.TEMPORAL_PAYMENTS_TASK_QUEUE === env.TEMPORAL_TASK_QUEUE ? helpers.error('queues.same') : env;
  })
  .custom((env: Env, helpers) => {
    const problem = temporalConnectionProblem(env);
    return problem === undefined ? env : helpers.error('temporal.connection', { problem });
  })
  .messages({
    'shutdown.short':
      'SHUTDOWN_TIMEOUT_MS must not be less than PLACE_ORDER_TIMEOUT_MS or ORDER_COMMAND_TIMEOUT_MS: requests would ' +
      'be cut at every deployment',
    'queues.same':
      'TEMPORAL_PAYMENTS_TASK_QUEUE must not be the same as TEMPORAL_TASK_QUEUE: the workers of one do not know the ' +
      'work of the other',
    'temporal.connection': '{#problem}',
  })
  .prefs({
    abortEarly: false,
    stripUnknown: true,
    errors: { wrap: { label: false } },
  });

const without = (...names: (keyof Env)[]) => schema.fork(names, () => Joi.any().strip());

/** The API never calls the payment service. */
export const apiEnvSchema = without('STRIPE_SECRET_KEY');
/** Workers see no tokens and no webhooks. */
export const workerEnvSchema = without('JWT_SECRET', 'JWT_KEYS', 'STRIPE_WEBHOOK_SECRET');
/** Whoever prepares the database, or Temporal, takes and pays nothing, and reads no payloads. */
export const toolEnvSchema = without(
  'JWT_SECRET',
  'JWT_KEYS',
  'STRIPE_WEBHOOK_SECRET',
  'STRIPE_SECRET_KEY',
  'PAYMENT_PROVIDER',
  'PAYLOAD_KEYS',
);
