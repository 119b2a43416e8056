import { envSchema, workerEnvSchema, type Env } from './env.schema';

export interface Config {
  env: 'development' | 'test' | 'production';
  http: {
    host: string;
    port: number;
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
    uiUrl: string;
  };
  jwt: {
    secret: string;
    issuer: string;
    audience: string;
    accessTokenTtlSeconds: number;
  };
  placeOrderTimeoutMs: number;
  shutdownTimeoutMs: number;
  logLevel: string;
  worker: {
    maxConcurrentWorkflowTasks: number;
    maxConcurrentLocalActivities: number;
    maxConcurrentActivities: number;
    maxCachedWorkflows: number;
  };
}

/** What a process needs that serves no requests. */
export type WorkerConfig = Omit<Config, 'http' | 'jwt'>;

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
  return toConfig(validate(envSchema, env));
}

/** The same for a worker or the set-up, which are not to know the secret of the tokens. */
export function loadWorkerConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const { http: _http, jwt: _jwt, ...config } = toConfig(validate(workerEnvSchema, env));
  return config;
}

function validate(schema: typeof envSchema, env: NodeJS.ProcessEnv): Env {
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
      uiUrl: env.TEMPORAL_UI_URL,
    },
    jwt: {
      secret: env.JWT_SECRET,
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
      accessTokenTtlSeconds: env.ACCESS_TOKEN_TTL_SECONDS,
    },
    placeOrderTimeoutMs: env.PLACE_ORDER_TIMEOUT_MS,
    shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT_MS,
    logLevel: env.LOG_LEVEL,
    worker: {
      maxConcurrentWorkflowTasks: env.WORKER_MAX_CONCURRENT_WORKFLOW_TASKS,
      maxConcurrentLocalActivities: env.WORKER_MAX_CONCURRENT_LOCAL_ACTIVITIES,
      maxConcurrentActivities: env.WORKER_MAX_CONCURRENT_ACTIVITIES,
      maxCachedWorkflows: env.WORKER_MAX_CACHED_WORKFLOWS,
    },
  };
}
