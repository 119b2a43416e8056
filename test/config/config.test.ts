import { ConfigError, loadConfig, loadWorkerConfig } from '../../src/config/config';

const REQUIRED = {
  MONGODB_URI: 'mongodb://localhost:27017/orders?replicaSet=rs0',
  JWT_SECRET: '0b5f4c1d9a3e7f2608d4c6b8a1e3f5907d9b2c4e6f8a0b1d',
};

function mistakesOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).mistakes;
  }
}

describe('loadConfig', () => {
  test('has a default for everything that is not secret', () => {
    expect(loadConfig(REQUIRED)).toEqual({
      env: 'development',
      http: {
        host: '127.0.0.1',
        port: 3000,
        prefix: '/orders-management-system',
        corsOrigins: [],
        bodyLimit: '100kb',
        rateLimit: { max: 100_000, windowMs: 60_000, redisUrl: undefined },
        trustedProxies: 0,
      },
      mongodb: { uri: REQUIRED.MONGODB_URI },
      temporal: {
        address: 'localhost:7233',
        namespace: 'default',
        taskQueue: 'orders',
        uiUrl: 'http://localhost:8233',
      },
      jwt: {
        secret: REQUIRED.JWT_SECRET,
        issuer: 'orders-management-system',
        audience: 'orders-management-system',
        accessTokenTtlSeconds: 900,
      },
      placeOrderTimeoutMs: 5000,
      shutdownTimeoutMs: 10_000,
      logLevel: 'info',
      worker: {
        maxConcurrentWorkflowTasks: 40,
        maxConcurrentLocalActivities: 100,
        maxConcurrentActivities: 100,
        maxCachedWorkflows: 1000,
      },
    });
  });

  test('reads numbers and lists', () => {
    const { http } = loadConfig({
      ...REQUIRED,
      PORT: '8080',
      CORS_ORIGINS: 'https://shop.example, http://localhost:5173',
      TRUSTED_PROXIES: '2',
      REDIS_URL: 'redis://cache:6379',
    });
    expect(http).toMatchObject({
      port: 8080,
      corsOrigins: ['https://shop.example', 'http://localhost:5173'],
      trustedProxies: 2,
      rateLimit: { redisUrl: 'redis://cache:6379' },
    });
  });

  test('takes an empty variable for one that is not set, as compose files write it', () => {
    const config = loadConfig({ ...REQUIRED, CORS_ORIGINS: '', REDIS_URL: '', PORT: '' });
    expect(config.http).toMatchObject({ corsOrigins: [], port: 3000, rateLimit: { redisUrl: undefined } });
  });

  test('wants time to finish requests before a production process ends', () => {
    const short = { ...REQUIRED, PLACE_ORDER_TIMEOUT_MS: '5000', SHUTDOWN_TIMEOUT_MS: '1000' };
    expect(mistakesOf({ ...short, NODE_ENV: 'production' })).toEqual([
      expect.stringContaining('SHUTDOWN_TIMEOUT_MS must not be less'),
    ]);
    expect(mistakesOf(short)).toEqual([]);
  });

  test('keeps the secret of the tokens from processes that serve no requests', () => {
    const { MONGODB_URI } = REQUIRED;
    expect(loadWorkerConfig({ MONGODB_URI })).toMatchObject({ mongodb: { uri: MONGODB_URI } });
    expect(JSON.stringify(loadWorkerConfig(REQUIRED))).not.toContain(REQUIRED.JWT_SECRET);
  });

  test('lists every mistake at once', () => {
    const mistakes = mistakesOf({
      PORT: '99999',
      BODY_LIMIT: 'much',
      TRUSTED_PROXIES: '-1',
      JWT_SECRET: 'short',
    });
    expect(mistakes.map((mistake) => mistake.split(' ')[0])).toEqual([
      'PORT',
      'MONGODB_URI',
      'JWT_SECRET',
      'BODY_LIMIT',
      'TRUSTED_PROXIES',
    ]);
  });

  test.each([
    ['NODE_ENV', 'staging'],
    ['API_PREFIX', 'orders/'],
    ['API_PREFIX', '/'],
    ['MONGODB_URI', 'postgres://user:hunter2@host/db'],
    ['TEMPORAL_ADDRESS', 'http://localhost:7233'],
    ['TEMPORAL_UI_URL', 'localhost:8233'],
    ['CORS_ORIGINS', 'https://shop.example/path'],
    ['CORS_ORIGINS', 'shop.example'],
    ['RATE_LIMIT_MAX', '0'],
    ['RATE_LIMIT_WINDOW_MS', '1.5'],
    ['REDIS_URL', 'http://cache'],
    ['PLACE_ORDER_TIMEOUT_MS', '99999999999'],
    ['LOG_LEVEL', 'loud'],
    ['JWT_SECRET', 'x'.repeat(31)],
  ])('refuses %s=%s', (name, value) => {
    const mistakes = mistakesOf({ ...REQUIRED, [name]: value });
    expect(mistakes).toEqual([expect.stringMatching(new RegExp(`^${name} `))]);
    expect(mistakes.join()).not.toContain('hunter2');
  });

  test.each([
    ['a sample secret', { JWT_SECRET: 'please-change-me-please-change-me-please' }],
    ['a secret without variety', { JWT_SECRET: 'abababababababababababababababababab' }],
    ['any origin', { CORS_ORIGINS: 'https://shop.example,*' }],
  ])('refuses %s in production only', (_what, env) => {
    expect(mistakesOf({ ...REQUIRED, ...env, NODE_ENV: 'development' })).toEqual([]);
    expect(mistakesOf({ ...REQUIRED, ...env, NODE_ENV: 'production' })).toHaveLength(1);
  });
});
