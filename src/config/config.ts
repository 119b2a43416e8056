import { apiEnvSchema, toolEnvSchema, workerEnvSchema, type Deadline, type Env } from './env.schema';
import type { Queue } from './env.types';
import { SECRET_KID, secretKey, type JwtKey } from './jwt-keys';
import type { PayloadKey } from './payload-keys';
import { temporalSecurity, type TemporalSecurity } from './temporal-connection';

export interface Config {
  env: 'development' | 'test' | 'production';
  http: {
    host: string;
    port: number;
    /** API processes that share the port. */
    webConcurrency: number;
    prefix: string;
    corsOrigins: string[];
    bodyLimit: string;
    rateLimit: { max: number; windowMs: number; redisUrl?: string };
    trustedProxies: number;
  };
  mongodb: { uri: string };
  temporal: {
    address: string;
    namespace: string;
    taskQueue: string;
    paymentsTaskQueue: string;
    uiUrl: string;
    /** Neither: the connection is plain. */
    security: TemporalSecurity;
  };
  /** Encrypt what Temporal stores: the first one encrypts, all decrypt. None: it is stored in clear. */
  payloadKeys: PayloadKey[];
  jwt: {
    /** The first one signs, all verify. */
    keys: JwtKey[];
    issuer: string;
    audience: string;
    accessTokenTtlSeconds: number;
  };
  refreshTokenTtlSeconds: number;
  payments: {
    provider: 'sandbox' | 'stripe';
    /** Calls to the payment service by all workers together. */
    maxPerSecond?: number;
    /** With that provider: the secret key in workers of the payments queue, the webhook's in the API. */
    stripe?: { secretKey?: string; webhookSecret?: string };
  };
  fulfillmentDeadline: Deadline;
  placeOrderTimeoutMs: number;
  orderCommandTimeoutMs: number;
  shutdownTimeoutMs: number;
  logLevel: string;
  worker: {
    queues: Queue[];
    maxConcurrentWorkflowTasks: number;
    maxConcurrentLocalActivities: number;
    maxConcurrentActivities: number;
    maxConcurrentPayments: number;
    maxCachedWorkflows: number;
    workflowTaskPollers: number;
    activityTaskPollers: number;
  };
}

/** What a process needs that serves no requests. */
export type WorkerConfig = Omit<Config, 'http' | 'jwt' | 'refreshTokenTtlSeconds'>;

/** What the set-up and the seed need. */
export type ToolConfig = Omit<WorkerConfig, 'payments' | 'worker' | 'payloadKeys'>;

export class ConfigError extends Error {
  constructor(readonly mistakes: string[]) {
    super(
      `The configuration is not usable. Correct these environment variables:\n- ${mistakes.join('\n- ')}`,
    );
    this.name = 'ConfigError';
  }
}

/** Reads and checks the whole configuration; throws a ConfigError that lists every mistake at once. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  return toConfig(validate(apiEnvSchema, env));
}

/** The same for a worker, which is not to know the secret of the tokens. */
export function loadWorkerConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const {
    http: _http,
    jwt: _jwt,
    refreshTokenTtlSeconds: _refresh,
    ...config
  } = toConfig(validate(workerEnvSchema, env));
  return config;
}

/** The same for the set-up and the seed, which are to know no secret but the database's. */
export function loadToolConfig(env: NodeJS.ProcessEnv): ToolConfig {
  const {
    http: _http,
    jwt: _jwt,
    refreshTokenTtlSeconds: _refresh,
    payments: _payments,
    worker: _worker,
    payloadKeys: _payloadKeys,
    ...config
  } = toConfig(validate(toolEnvSchema, env));
  return config;
}

function validate(schema: typeof apiEnvSchema, env: NodeJS.ProcessEnv): Env {
  const { value, error } = schema.validate(withoutEmpty(env));
  if (error) throw new ConfigError(error.details.map((detail) => detail.message));
  return value;
}

/** Compose files and CI set what they have no value for to nothing. */
function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

function toConfig(env: Env): Config {
  return {
    env: env.NODE_ENV,
    http: {
      host: env.HOST,
      port: env.PORT,
      webConcurrency: env.WEB_CONCURRENCY,
      prefix: env.API_PREFIX,
      corsOrigins: env.CORS_ORIGINS,
      bodyLimit: env.BODY_LIMIT,
      rateLimit: {
        max: env.RATE_LIMIT_MAX,
        windowMs: env.RATE_LIMIT_WINDOW_MS,
        redisUrl: env.REDIS_URL,
      },
      trustedProxies: env.TRUSTED_PROXIES,
    },
    mongodb: { uri: env.MONGODB_URI },
    temporal: {
      address: env.TEMPORAL_ADDRESS,
      namespace: env.TEMPORAL_NAMESPACE,
      taskQueue: env.TEMPORAL_TASK_QUEUE,
      paymentsTaskQueue: env.TEMPORAL_PAYMENTS_TASK_QUEUE,
      uiUrl: env.TEMPORAL_UI_URL,
      security: temporalSecurity(env),
    },
    payloadKeys: env.PAYLOAD_KEYS,
    jwt: {
      keys: jwtKeysOf(env),
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
      accessTokenTtlSeconds: env.ACCESS_TOKEN_TTL_SECONDS,
    },
    refreshTokenTtlSeconds: env.REFRESH_TOKEN_TTL_SECONDS,
    payments: {
      provider: env.PAYMENT_PROVIDER,
      maxPerSecond: env.PAYMENTS_MAX_PER_SECOND,
      ...(env.PAYMENT_PROVIDER === 'stripe' && {
        stripe: { secretKey: env.STRIPE_SECRET_KEY, webhookSecret: env.STRIPE_WEBHOOK_SECRET },
      }),
    },
    fulfillmentDeadline: env.FULFILLMENT_DEADLINE,
    placeOrderTimeoutMs: env.PLACE_ORDER_TIMEOUT_MS,
    orderCommandTimeoutMs: env.ORDER_COMMAND_TIMEOUT_MS,
    shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT_MS,
    logLevel: env.LOG_LEVEL,
    worker: {
      queues: env.WORKER_QUEUES,
      maxConcurrentWorkflowTasks: env.WORKER_MAX_CONCURRENT_WORKFLOW_TASKS,
      maxConcurrentLocalActivities: env.WORKER_MAX_CONCURRENT_LOCAL_ACTIVITIES,
      maxConcurrentActivities: env.WORKER_MAX_CONCURRENT_ACTIVITIES,
      maxConcurrentPayments: env.WORKER_MAX_CONCURRENT_PAYMENTS,
      maxCachedWorkflows: env.WORKER_MAX_CACHED_WORKFLOWS,
      workflowTaskPollers: env.WORKER_WORKFLOW_TASK_POLLERS,
      activityTaskPollers: env.WORKER_ACTIVITY_TASK_POLLERS,
    },
  };
}

/** With both, JWT_SECRET only verifies, so that the tokens of before stay good while a key pair takes over. */
function jwtKeysOf({ JWT_KEYS: keys = [], JWT_SECRET: secret }: Env): JwtKey[] {
  return secret === undefined ? keys : [...keys, secretKey(SECRET_KID, Buffer.from(secret))];
}
