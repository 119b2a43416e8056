import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ConfigError, loadConfig, type Process } from '../../src/config';
import { isWeakSecret } from '../../src/config/weak-secret';
import { createAuthority } from '../support/certificates';

const REQUIRED = {
  MONGODB_URI: 'mongodb://localhost:27017/orders?replicaSet=rs0',
  JWT_SECRET: '0b5f4c1d9a3e7f2608d4c6b8a1e3f5907d9b2c4e6f8a0b1d5c7e91f3a6d8b024',
};

const KEY = 'RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA=';
const MAIL = {
  SMTP_URL: 'smtps://orders:hunter4@mail.example.com',
  MAIL_FROM: 'Plum & Pear <shop@example.com>',
  ACCOUNT_PAGE_URL: 'https://shop.example.com/account',
};
const PRODUCTION = {
  NODE_ENV: 'production',
  PAYLOAD_KEYS: `2026-11:${KEY}`,
  TRUSTED_PROXIES: '1',
  ...MAIL,
};

const STRIPE = {
  PAYMENT_PROVIDER: 'stripe',
  STRIPE_SECRET_KEY: 'sk_live_hunter2',
  STRIPE_WEBHOOK_SECRET: 'whsec_hunter3',
};

function sameKey(secret: string) {
  const key = createSecretKey(Buffer.from(secret, 'hex'));
  return { verificationKey: key, signingKey: key };
}

function mistakesOf(env: NodeJS.ProcessEnv, reader: Process = 'api'): string[] {
  try {
    loadConfig(reader, env);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).mistakes;
  }
}

describe('loadConfig', () => {
  it('has a default for everything that is not secret', () => {
    const shared = {
      env: 'development',
      shutdownTimeoutMs: 10_000,
      logLevel: 'info',
      mongodb: { uri: REQUIRED.MONGODB_URI },
      temporal: {
        address: 'localhost:7233',
        namespace: 'default',
        taskQueue: 'orders',
        paymentsTaskQueue: 'payments',
        eventsTaskQueue: 'events',
        uiUrl: 'http://localhost:8233',
        security: {},
      },
      payloadKeys: [],
      telemetry: {},
      payments: {
        provider: 'sandbox',
        inline: true,
        policy: { actionDeadlineMs: 30 * 60_000, retryWindowMs: 15 * 60_000 },
        maxDeclines: { perUser: 5, perAddress: 10, perStaff: 100 },
        maxUnpaid: { orders: 20, units: 1_000 },
        sandboxUrl: 'http://localhost:3000/orders-management-system',
      },
    };
    const orders = {
      placeTimeoutMs: 5_000,
      maxInFlight: 200,
      commandTimeoutMs: 8_000,
      fulfillmentDeadlineMs: 6 * 86_400_000,
      paymentDeadlineMs: 86_400_000,
      janitorAfterMs: 5 * 60_000,
    };
    const webhooks = { allowedNetworks: [] };
    const carts = {
      holdMs: 0,
      maxGuestCartsPerAddress: 200,
      maxGuestOrdersPerAddress: 20,
      abandonedAfterMs: 4 * 3_600_000,
    };
    expect(loadConfig('api', REQUIRED)).toEqual({
      ...shared,
      orders,
      carts,
      webhooks,
      http: {
        host: '127.0.0.1',
        port: 3_000,
        webConcurrency: availableParallelism(),
        prefix: '/orders-management-system',
        corsOrigins: [],
        bodyLimit: '100kb',
        rateLimit: { max: 100_000, windowMs: 60_000 },
        trustedProxies: 0,
        docs: true,
        board: true,
      },
      jwt: {
        keys: [{ kid: 'secret', algorithm: 'HS256', ...sameKey(REQUIRED.JWT_SECRET) }],
        issuer: 'orders-management-system',
        audience: 'orders-management-system',
        accessTokenTtlSeconds: 900,
        refreshTokenTtlSeconds: 2_592_000,
        apiKeyTtlDays: 90,
      },
      mail: {
        from: 'Orders <orders@localhost>',
        accountPageUrl: 'http://localhost:8080/account',
        dataDir: '.data',
      },
      signIn: {
        isSecondFactorRequired: false,
        rateLimitMax: 600,
        maxFailuresPerAddress: 30,
        maxRegistrationsPerAddress: 20,
      },
    });
    expect(loadConfig('worker', REQUIRED)).toEqual({
      ...shared,
      orders,
      carts,
      webhooks,
      worker: {
        queues: ['orders', 'payments', 'events'],
        maxConcurrentWorkflowTasks: 40,
        maxConcurrentLocalActivities: 100,
        maxConcurrentActivities: 100,
        maxConcurrentPayments: 20,
        maxCachedWorkflows: 1_000,
        workflowTaskPollers: 10,
        activityTaskPollers: 10,
      },
      versions: { rollout: 'manual' },
      audit: { retentionMs: 730 * 86_400_000 },
      personalData: {},
      events: { retentionMs: 90 * 86_400_000 },
    });
  });

  it('reads numbers and lists', () => {
    const env = {
      ...REQUIRED,
      PORT: '8080',
      CORS_ORIGINS: 'https://shop.example, http://localhost:5173',
      TRUSTED_PROXIES: '2',
      REDIS_URL: 'redis://cache:6379',
      WORKER_QUEUES: 'payments, orders',
      PAYMENTS_MAX_PER_SECOND: '0.5',
    };
    const { worker, payments } = loadConfig('worker', env);
    expect(worker.queues).toEqual(['payments', 'orders']);
    expect(payments.maxPerSecond).toBe(0.5);
    expect(loadConfig('api', env).http).toMatchObject({
      port: 8_080,
      corsOrigins: ['https://shop.example', 'http://localhost:5173'],
      trustedProxies: 2,
      rateLimit: { redisUrl: 'redis://cache:6379' },
    });
  });

  it('reads networks to which webhooks may be sent, outside production', () => {
    const env = { ...REQUIRED, WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8, ::1/128' };
    expect(loadConfig('worker', env).webhooks.allowedNetworks).toEqual([
      { address: '127.0.0.0', prefix: 8, type: 'ipv4' },
      { address: '::1', prefix: 128, type: 'ipv6' },
    ]);
    for (const networks of ['127.0.0.1', '10.0.0.0/33', 'localhost/8', '127.0.0.0/8,'])
      expect(mistakesOf({ ...REQUIRED, WEBHOOK_ALLOWED_NETWORKS: networks })).toEqual([
        expect.stringMatching(/^WEBHOOK_ALLOWED_NETWORKS must be networks such as/),
      ]);
    expect(
      mistakesOf({ ...REQUIRED, ...PRODUCTION, WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' }),
    ).toContainEqual(expect.stringMatching(/^WEBHOOK_ALLOWED_NETWORKS must not be set in production/));
  });

  it.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['12h', 43_200_000],
    ['6d', 518_400_000],
  ])('reads a deadline of %s', (duration, expected) => {
    const env = { ...REQUIRED, FULFILLMENT_DEADLINE: duration, PAYMENT_DEADLINE: duration };
    const { fulfillmentDeadlineMs, paymentDeadlineMs } = loadConfig('api', env).orders;
    expect([fulfillmentDeadlineMs, paymentDeadlineMs]).toEqual([expected, expected]);
  });

  it.each([
    ['by default', {}, true],
    ['with PAYMENTS_INLINE=true', { PAYMENTS_INLINE: 'true' }, true],
    ['unless PAYMENTS_INLINE=false', { PAYMENTS_INLINE: 'false' }, false],
    ['unless the calls per second are limited', { PAYMENTS_MAX_PER_SECOND: '50' }, false],
    [
      'unless they are limited, whatever PAYMENTS_INLINE says',
      { PAYMENTS_MAX_PER_SECOND: '50', PAYMENTS_INLINE: 'true' },
      false,
    ],
  ])('has workers of orders call the payment service %s', (_case, env, expected) => {
    for (const reader of ['api', 'worker'] as const)
      expect([reader, loadConfig(reader, { ...REQUIRED, ...env }).payments.inline]).toEqual([
        reader,
        expected,
      ]);
  });

  it.each(['api', 'worker'] as const)('rejects PAYMENTS_MAX_PER_SECOND=0 for the %s', (reader) => {
    const mistakes = mistakesOf({ ...REQUIRED, PAYMENTS_MAX_PER_SECOND: '0' }, reader);
    expect(mistakes).toEqual([expect.stringMatching(/^PAYMENTS_MAX_PER_SECOND /)]);
  });

  it('treats an empty variable, which compose files write, as not set', () => {
    const { http } = loadConfig('api', { ...REQUIRED, CORS_ORIGINS: '', REDIS_URL: '', PORT: '' });
    expect(http).toMatchObject({ corsOrigins: [], port: 3_000 });
    expect(http.rateLimit.redisUrl).toBeUndefined();
  });

  it.each(['PLACE_ORDER_TIMEOUT_MS', 'ORDER_COMMAND_TIMEOUT_MS'])(
    'requires production to shut down no sooner than %s allows a request to take',
    (name) => {
      const short = { ...REQUIRED, ...STRIPE, [name]: '20000' };
      expect(mistakesOf({ ...short, ...PRODUCTION })).toEqual([
        expect.stringContaining('SHUTDOWN_TIMEOUT_MS must not be less'),
      ]);
      expect(mistakesOf(short)).toEqual([]);
      expect(mistakesOf({ ...short, ...PRODUCTION }, 'worker')).toEqual([]); // it does not wait for orders
    },
  );

  it('needs a mail server in production, its sender and its page, and repeats no password', () => {
    const production = { ...REQUIRED, ...STRIPE, ...PRODUCTION };
    expect(loadConfig('api', production).mail).toMatchObject({
      smtpUrl: MAIL.SMTP_URL,
      from: MAIL.MAIL_FROM,
    });
    expect(mistakesOf({ ...production, SMTP_URL: undefined })).toEqual([
      expect.stringMatching(/^SMTP_URL must be set in production/),
    ]);
    expect(mistakesOf({ ...REQUIRED, SMTP_URL: MAIL.SMTP_URL, MAIL_FROM: MAIL.MAIL_FROM })).toEqual([
      'ACCOUNT_PAGE_URL must be set with SMTP_URL',
    ]);
    const [wrong, ...others] = mistakesOf({ ...production, SMTP_URL: 'orders:hunter4@mail.example.com' });
    expect(wrong).toMatch(/^SMTP_URL must look like/);
    expect([wrong, others]).not.toContain('hunter');
    expect(
      mistakesOf({ ...production, ...MAIL, ACCOUNT_PAGE_URL: 'https://shop.example.com/#account' }),
    ).toEqual([expect.stringMatching(/^ACCOUNT_PAGE_URL must not have a fragment/)]);
    expect(mistakesOf({ ...production, SMTP_URL: undefined }, 'worker')).toEqual([]);
  });

  it.each([
    ['ACCOUNT_PAGE_URL', 'api'],
    ['STRIPE_RETURN_URL', 'worker'],
  ] as const)('lets %s be without TLS in development only', (name, reader) => {
    const env = { ...REQUIRED, ...STRIPE, ...MAIL, [name]: 'http://shop.example.com/page' };
    expect(mistakesOf(env, reader)).toEqual([]);
    expect(mistakesOf({ ...PRODUCTION, ...env }, reader)).toEqual([
      `${name} must begin with https:// in production`,
    ]);
  });

  it('asks ADMINs for a second factor in production, unless it is said', () => {
    const production = { ...REQUIRED, ...STRIPE, ...PRODUCTION };
    expect(loadConfig('api', production).signIn.isSecondFactorRequired).toBe(true);
    const optional = { ...production, ADMIN_2FA: 'optional' };
    expect(loadConfig('api', optional).signIn.isSecondFactorRequired).toBe(false);
    expect(loadConfig('api', { ...REQUIRED, ADMIN_2FA: 'required' }).signIn.isSecondFactorRequired).toBe(
      true,
    );
  });

  it('has no default number of proxies in production', () => {
    const production = { ...REQUIRED, ...STRIPE, ...PRODUCTION };
    expect(mistakesOf({ ...production, TRUSTED_PROXIES: undefined })).toEqual([
      expect.stringMatching(/^TRUSTED_PROXIES must be set in production.*0 if clients connect directly/),
    ]);
    expect(mistakesOf({ ...production, TRUSTED_PROXIES: undefined }, 'worker')).toEqual([]);
    expect(loadConfig('api', { ...production, TRUSTED_PROXIES: '0' }).http.trustedProxies).toBe(0);
  });

  it.each(['sk_test_hunter2', 'rk_test_hunter2'])(
    'rejects a test key of Stripe in production, except in test mode: %s',
    (STRIPE_SECRET_KEY) => {
      const env = { ...REQUIRED, ...STRIPE, STRIPE_SECRET_KEY };
      const mistakes = mistakesOf({ ...env, ...PRODUCTION }, 'worker');
      expect(mistakes).toEqual([
        expect.stringMatching(/^STRIPE_SECRET_KEY is a test key.*STRIPE_TEST_MODE=true/),
      ]);
      expect(mistakes.join()).not.toContain('hunter');
      expect(mistakesOf({ ...env, ...PRODUCTION, STRIPE_TEST_MODE: 'true' }, 'worker')).toEqual([]);
      expect(mistakesOf(env, 'worker')).toEqual([]);
    },
  );

  it('demands NODE_ENV of an API that other machines may reach', () => {
    for (const HOST of ['0.0.0.0', '::', '192.0.2.1', 'api.example', '127.example.com']) {
      expect(mistakesOf({ ...REQUIRED, HOST })).toEqual([
        expect.stringContaining(`NODE_ENV must be set, because HOST is ${HOST}`),
      ]);
      expect(mistakesOf({ ...REQUIRED, HOST, NODE_ENV: 'development' })).toEqual([]);
      expect(mistakesOf({ ...REQUIRED, HOST }, 'worker')).toEqual([]);
    }
    for (const HOST of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
      expect(mistakesOf({ ...REQUIRED, HOST })).toEqual([]);
  });

  it('serves metrics where it is told to, and by default only to this machine', () => {
    const metricsOf = (env: NodeJS.ProcessEnv) =>
      loadConfig('worker', { ...REQUIRED, ...env }).telemetry.metrics;
    expect(metricsOf({ METRICS_PORT: '9464' })).toEqual({ host: '127.0.0.1', port: 9_464 });
    expect(metricsOf({ METRICS_PORT: '9464', METRICS_HOST: '0.0.0.0' })).toMatchObject({ host: '0.0.0.0' });
    expect(metricsOf({ METRICS_HOST: '0.0.0.0' })).toBeUndefined();
    expect(mistakesOf({ ...REQUIRED, METRICS_PORT: '65536' })).toEqual([
      expect.stringMatching(/^METRICS_PORT/),
    ]);
  });

  it('requires task queues of their own for payments and events', () => {
    expect(mistakesOf({ ...REQUIRED, TEMPORAL_PAYMENTS_TASK_QUEUE: 'orders' })).toEqual([
      expect.stringMatching(/^TEMPORAL_PAYMENTS_TASK_QUEUE must not be the same as TEMPORAL_TASK_QUEUE/),
    ]);
    expect(mistakesOf({ ...REQUIRED, TEMPORAL_EVENTS_TASK_QUEUE: 'payments' })).toEqual([
      expect.stringMatching(
        /^TEMPORAL_EVENTS_TASK_QUEUE must not be the same as TEMPORAL_PAYMENTS_TASK_QUEUE/,
      ),
    ]);
  });

  it('accepts the sandbox in production only if it is set explicitly', () => {
    const production = { ...REQUIRED, ...PRODUCTION };
    for (const reader of ['api', 'worker'] as const) {
      expect(mistakesOf(production, reader)).toEqual([expect.stringContaining('which takes no money')]);
      expect(mistakesOf({ ...production, PAYMENT_PROVIDER: 'sandbox' }, reader)).toEqual([]);
    }
  });

  it('lists every mistake at once', () => {
    const mistakes = mistakesOf({
      PORT: '99999',
      BODY_LIMIT: 'much',
      TRUSTED_PROXIES: '-1',
      JWT_SECRET: 'short',
    });
    expect(mistakes.map((mistake) => mistake.split(' ')[0])).toEqual([
      'MONGODB_URI',
      'PORT',
      'BODY_LIMIT',
      'TRUSTED_PROXIES',
      'JWT_SECRET',
    ]);
  });

  it.each([
    ['NODE_ENV', 'staging'],
    ['API_PREFIX', 'orders/'],
    ['API_PREFIX', '/'],
    ['MONGODB_URI', 'postgres://user:hunter2@host/db'],
    ['TEMPORAL_ADDRESS', 'http://localhost:7233'],
    ['TEMPORAL_UI_URL', 'localhost:8233'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['TRACE_UI_URL', 'http://localhost:16686/search'],
    ['TRACE_UI_URL', 'localhost:16686/{orderId}'],
    ['CORS_ORIGINS', 'https://shop.example/path'],
    ['CORS_ORIGINS', 'shop.example'],
    ['RATE_LIMIT_MAX', '0'],
    ['RATE_LIMIT_WINDOW_MS', '1.5'],
    ['REDIS_URL', 'http://cache'],
    ['PLACE_ORDER_TIMEOUT_MS', '99999999999'],
    ['ORDER_COMMAND_TIMEOUT_MS', '0'],
    ['PAYMENT_PROVIDER', 'cash'],
    ['FULFILLMENT_DEADLINE', '6'],
    ['FULFILLMENT_DEADLINE', '0d'],
    ['FULFILLMENT_DEADLINE', '6 days'],
    ['PAYMENT_DEADLINE', '1'],
    ['PAYMENT_DEADLINE', '0s'],
    ['PAYMENTS_INLINE', 'sometimes'],
    ['STRIPE_WEBHOOK_SECRET', 'hunter2'],
    ['LOG_LEVEL', 'loud'],
    ['JWT_SECRET', 'x'.repeat(31)],
  ])('rejects %s=%s', (name, value) => {
    const mistakes = mistakesOf({ ...REQUIRED, [name]: value });
    expect(mistakes).toEqual([expect.stringMatching(new RegExp(`^${name} `))]);
    expect(mistakes.join()).not.toContain('hunter2');
  });

  it.each([
    ['WORKER_QUEUES', 'orders,refunds'],
    ['WORKER_QUEUES', 'payments,payments'],
    ['WORKER_QUEUES', ','],
    ['WORKER_MAX_CONCURRENT_PAYMENTS', '0'],
    ['STRIPE_SECRET_KEY', 'hunter2'],
    ['STRIPE_MULTICAPTURE', 'perhaps'],
    ['STRIPE_RETURN_URL', 'shop.example/paid'],
    ['PAYMENT_SANDBOX_URL', 'localhost:3000'],
  ])('rejects %s=%s for a worker, and does not read it for the API', (name, value) => {
    const env = { ...REQUIRED, [name]: value };
    const mistakes = mistakesOf(env, 'worker');
    expect(mistakes).toEqual([expect.stringMatching(new RegExp(`^${name} `))]);
    expect(mistakes.join()).not.toContain('hunter2');
    expect(mistakesOf(env)).toEqual([]);
  });

  it.each([
    ['a sample secret', { JWT_SECRET: 'please-change-me-please-change-me-please' }],
    ['a secret without variety', { JWT_SECRET: 'ab'.repeat(32) }],
    ['any origin', { CORS_ORIGINS: 'https://shop.example,*' }],
  ])('rejects %s in production only', (_case, env) => {
    expect(mistakesOf({ ...REQUIRED, ...env, NODE_ENV: 'development' })).toEqual([]);
    expect(mistakesOf({ ...REQUIRED, ...env, ...STRIPE, ...PRODUCTION })).toHaveLength(1);
  });
});

describe('a secret in production', () => {
  const mistakesWith = (JWT_SECRET: string) =>
    mistakesOf({ ...REQUIRED, JWT_SECRET, ...STRIPE, ...PRODUCTION });

  it.each([
    'a-string-secret-at-least-256-bits-long',
    'your-256-bit-secret-your-256-bit-secret',
    '0123456789abcdef0123456789abcdef',
    'abcdefghijklmnopqrstuvwxyz0123456789',
    'qwertyuiopasdfghjklzxcvbnm1234567890',
    'keyboard cat keyboard cat keyboard cat',
    'this-is-my-very-long-jwt-secret-key',
    'correct horse battery staple correct horse',
    'secretsecretsecretsecretsecretsecret',
    'k3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3y',
  ])('is rejected if it is a sample or typed by hand: %s', (secret) => {
    expect(mistakesWith(secret)).toEqual([expect.stringMatching(/^JWT_SECRET /)]);
  });

  it('is accepted if it is 32 random bytes or more, in hexadecimal or base64', () => {
    for (let round = 0; round < 200; round++) {
      for (const encoding of ['hex', 'base64'] as const)
        expect(mistakesWith(randomBytes(32).toString(encoding))).toEqual([]);
      expect(isWeakSecret(randomBytes(32).toString('latin1'))).toBe(false);
    }
  });

  it.each([
    ['fewer bytes in hexadecimal', randomBytes(31).toString('hex'), 'at least 32 bytes'],
    ['fewer bytes in base64', randomBytes(30).toString('base64'), 'at least 32 bytes'],
    [
      'a text that is no encoding of bytes',
      'zB7 kQ2 xW9 vL4 pT6 mR8 nJ3 hG5 fD1 sA0',
      'base64 or hexadecimal',
    ],
    [
      'bytes that count up',
      Buffer.from(Array.from({ length: 48 }, (_, n) => n)).toString('base64'),
      'sample',
    ],
    ['words in base64', Buffer.from('correct horse battery staple, please').toString('base64'), 'sample'],
  ])('is rejected if it is %s', (_what, secret, reason) => {
    const mistakes = mistakesWith(secret);
    expect(mistakes).toEqual([expect.stringContaining(reason)]);
    expect(mistakes.join()).not.toContain(secret);
  });

  it('signs as the bytes that it stands for', () => {
    const bytes = randomBytes(48);
    for (const encoding of ['hex', 'base64'] as const) {
      const { jwt } = loadConfig('api', { ...REQUIRED, JWT_SECRET: bytes.toString(encoding) });
      expect(jwt.keys[0]!.signingKey!.export()).toEqual(bytes);
    }
  });
});

describe('PAYLOAD_KEYS', () => {
  const OTHER = 'UK7bHSP/6vFFoCLPu8c2FrGDydhaPLtmOz3ENyypgZc=';
  const SHORT = KEY.slice(4);

  it('keeps the order of the keys, and hides them from the log', () => {
    for (const reader of ['api', 'worker'] as const) {
      const { payloadKeys } = loadConfig(reader, {
        ...REQUIRED,
        PAYLOAD_KEYS: `2026-11:${KEY}, a.b_c:${OTHER}`,
      });
      expect(payloadKeys.map(({ id }) => id)).toEqual(['2026-11', 'a.b_c']);
      expect(payloadKeys.map(({ key }) => key.export().toString('base64'))).toEqual([KEY, OTHER]);
      expect(inspect(payloadKeys, { depth: 5 }) + JSON.stringify(payloadKeys)).not.toContain(KEY.slice(0, 8));
    }
  });

  it.each([
    [KEY, 'entry 1 is not "keyId:key"'],
    [`a:${KEY},${OTHER}`, 'entry 2 is not "keyId:key"'],
    [`a:${KEY}:x`, 'entry 1 is not "keyId:key"'],
    [`a:${KEY},`, 'entry 2 is not "keyId:key"'],
    [`:${KEY}`, 'entry 1 has a key id that is not 1 to 64 of A-Z a-z 0-9 . _ -'],
    [`${KEY}:a`, 'entry 1 has a key id that is not'],
    [`${'a'.repeat(65)}:${KEY}`, 'entry 1 has a key id that is not'],
    [`a:${KEY},a:${OTHER}`, 'entry 2 has the key id of another one'],
    [`a:${SHORT}`, 'entry 1 has a key that is not the base64 of exactly 32 bytes'],
    [`a:${KEY.slice(0, -1)}`, 'entry 1 has a key that is not the base64'],
    [`a:${Buffer.alloc(33, KEY).toString('base64')}`, 'entry 1 has a key that is not the base64'],
    [`a:${'A'.repeat(43)}=`, 'entry 1 has a key that is not random'],
    [
      `a:${Buffer.from('0123456789'.repeat(3) + '01').toString('base64')}`,
      'entry 1 has a key that is not random',
    ],
  ])('rejects an invalid list without repeating it (%#)', (PAYLOAD_KEYS, complaint) => {
    const [mistake, ...others] = mistakesOf({ ...REQUIRED, PAYLOAD_KEYS });
    expect(others).toEqual([]);
    expect(mistake).toContain(`PAYLOAD_KEYS: ${complaint}`);
    expect(mistake).toContain('"openssl rand -base64 32" makes a key');
    for (const secret of [KEY, OTHER, SHORT]) expect(mistake).not.toContain(secret.slice(0, 8));
  });

  it('is required in production by the API and by workers', () => {
    const production = { ...REQUIRED, ...STRIPE, ...PRODUCTION, PAYLOAD_KEYS: undefined };
    for (const reader of ['api', 'worker'] as const) {
      expect(mistakesOf(production, reader)).toEqual([
        expect.stringMatching(/^PAYLOAD_KEYS must be set in production.*openssl rand -base64 32/),
      ]);
      expect(mistakesOf({ ...production, ...PRODUCTION }, reader)).toEqual([]);
    }
  });
});

describe('what each process knows', () => {
  it.each([
    ['api', { webhookSecret: STRIPE.STRIPE_WEBHOOK_SECRET }],
    ['worker', { secretKey: STRIPE.STRIPE_SECRET_KEY }],
  ] as const)('the %s has its own secret of Stripe, not the other one', (reader, stripe) => {
    const { payments } = loadConfig(reader, { ...REQUIRED, ...STRIPE });
    const expected = { provider: 'stripe', inline: true, stripe: { ...stripe, multicapture: false } };
    expect(payments).toMatchObject(expected);
    expect(Object.values(payments.stripe!).filter(Boolean)).toHaveLength(1);
  });

  it('workers know where customers authorise payments, and to where they return', () => {
    const own = { PAYMENT_SANDBOX_URL: 'https://shop.example/api/' };
    expect(loadConfig('worker', { ...REQUIRED, ...own }).payments.sandboxUrl).toBe(
      'https://shop.example/api',
    );
    const returnUrl = 'https://shop.example/paid';
    const { payments } = loadConfig('worker', { ...REQUIRED, ...STRIPE, STRIPE_RETURN_URL: returnUrl });
    expect(payments.stripe).toMatchObject({ returnUrl });
  });

  it('workers know whether Stripe captures many times', () => {
    const { payments } = loadConfig('worker', { ...REQUIRED, ...STRIPE, STRIPE_MULTICAPTURE: 'true' });
    expect(payments.stripe).toMatchObject({ multicapture: true });
  });

  it.each([
    ['api', 'STRIPE_WEBHOOK_SECRET'],
    ['worker', 'STRIPE_SECRET_KEY'],
  ] as const)('the %s requires %s with Stripe', (reader, name) => {
    const { [name]: _, ...rest } = STRIPE;
    expect(mistakesOf({ ...REQUIRED, ...rest }, reader)).toEqual([
      expect.stringMatching(new RegExp(`^${name} is required with PAYMENT_PROVIDER=stripe`)),
    ]);
  });

  it('a worker requires the secret key of Stripe only if it serves the payments queue', () => {
    const { STRIPE_SECRET_KEY: _, ...rest } = STRIPE;
    const env = { ...REQUIRED, ...rest };
    expect(mistakesOf({ ...env, WORKER_QUEUES: 'orders' }, 'worker')).toEqual([]);
    expect(mistakesOf({ ...env, WORKER_QUEUES: 'orders,payments' }, 'worker')).toHaveLength(1);
  });

  it('no process has a secret of Stripe with the sandbox', () => {
    const env = { ...REQUIRED, ...STRIPE, PAYMENT_PROVIDER: 'sandbox' };
    expect(JSON.stringify([loadConfig('api', env), loadConfig('worker', env)])).not.toMatch(/hunter/);
  });

  it('a worker neither requires nor has the secret of the access tokens', () => {
    const { MONGODB_URI } = REQUIRED;
    expect(loadConfig('worker', { MONGODB_URI })).toMatchObject({ mongodb: { uri: MONGODB_URI } });
    expect(JSON.stringify(loadConfig('worker', REQUIRED))).not.toContain(REQUIRED.JWT_SECRET);
  });

  it('the setup requires and has no secret but that of the database', () => {
    const { MONGODB_URI } = REQUIRED;
    const config = loadConfig('setup', { ...REQUIRED, ...STRIPE, ...PRODUCTION });
    expect(config).toMatchObject({ env: 'production', mongodb: { uri: MONGODB_URI } });
    expect(JSON.stringify(config)).not.toMatch(new RegExp(`hunter|${REQUIRED.JWT_SECRET}|2026-11`));
    expect(mistakesOf({ MONGODB_URI, NODE_ENV: 'production' }, 'setup')).toEqual([]);
  });

  it('a variable that a process does not read counts as not set', () => {
    const env = { ...REQUIRED, TEMPORAL_TASK_QUEUE: 'q', TEMPORAL_UI_URL: 'nonsense', PORT: 'nonsense' };
    expect(loadConfig('setup', env).temporal.taskQueue).toBe('q');
    expect(loadConfig('setup', env).temporal.uiUrl).toBe('http://localhost:8233');
    expect(loadConfig('worker', { ...REQUIRED, PLACE_ORDER_TIMEOUT_MS: '1' }).orders.placeTimeoutMs).toBe(
      5_000,
    );
  });
});

describe('JWT_KEYS', () => {
  const { MONGODB_URI } = REQUIRED;
  const rsa = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
  const oct = (kid: string, secret: Buffer = randomBytes(32)) => ({
    kid,
    kty: 'oct',
    k: secret.toString('base64url'),
  });
  const RS256 = { kid: 'r1', ...rsa(2_048).export({ format: 'jwk' }) };
  const ES256 = { kid: 'e1', ...ec('P-256').export({ format: 'jwk' }) };
  const publicOf = ({ kid, kty, n, e, crv, x, y }: Record<string, unknown>) => ({
    kid,
    kty,
    n,
    e,
    crv,
    x,
    y,
  });
  const set = (...keys: unknown[]) => JSON.stringify({ keys });

  it('accepts keys of several kinds, each for its own algorithm', () => {
    const { keys } = loadConfig('api', { MONGODB_URI, JWT_KEYS: set(ES256, publicOf(RS256), oct('h1')) }).jwt;
    expect(keys.map(({ kid, algorithm, signingKey }) => [kid, algorithm, !!signingKey])).toEqual([
      ['e1', 'ES256', true],
      ['r1', 'RS256', false],
      ['h1', 'HS256', true],
    ]);
  });

  it('signs in place of JWT_SECRET, which continues to verify', () => {
    const { keys } = loadConfig('api', { ...REQUIRED, JWT_KEYS: set(ES256) }).jwt;
    expect(keys.map(({ kid }) => kid)).toEqual(['e1', 'secret']);
  });

  it('is required without JWT_SECRET', () => {
    expect(mistakesOf({ MONGODB_URI })).toEqual([
      expect.stringContaining('JWT_SECRET is required, or JWT_KEYS'),
    ]);
  });

  it.each([
    ['that is not JSON', 'nonsense', 'must be a JWK Set in JSON'],
    ['that is not a set', '[]', 'must be a JWK Set with'],
    ['without keys', set(), 'must be a JWK Set with'],
    ['that is null', 'null', 'must be a JWK Set with'],
    ['with a key without a name', set({ ...ES256, kid: undefined }), 'whose "kid"'],
    ['with null for a key', set(null), 'whose "kid"'],
    ['with a path for a name', set({ ...ES256, kid: '../../dev/null' }), 'whose "kid"'],
    ['with the name of JWT_SECRET', set({ ...ES256, kid: 'secret' }), 'whose "kid"'],
    ['with the same name twice', set(ES256, { ...RS256, kid: 'e1' }), 'two keys with the same "kid"'],
    ['with an empty secret', set({ kid: 'h2', kty: 'oct' }), '"h2" that is shorter than 32 bytes'],
    [
      'with a key of another kind',
      set({ kid: 'o1', ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) }),
      '"o1" that is neither RSA nor EC',
    ],
    ['with a short secret', set(oct('h1', randomBytes(31))), '"h1" that is shorter than 32 bytes'],
    [
      'with a short RSA key',
      set({ kid: 'r2', ...rsa(1_024).export({ format: 'jwk' }) }),
      '"r2" that is shorter than 2048',
    ],
    [
      'with another curve',
      set({ kid: 'e2', ...ec('P-384').export({ format: 'jwk' }) }),
      '"e2" that is neither RSA nor EC',
    ],
    ['with another algorithm', set({ ...RS256, alg: 'PS256' }), '"r1" that serves another "alg"'],
    ['with half a key', set({ kid: 'e3', kty: 'EC', crv: 'P-256', x: 'AA' }), '"e3" that cannot be read'],
    ['without a private key first', set(publicOf(RS256), ES256), 'no private key in its first entry "r1"'],
  ])('rejects a value %s', (_case, value, mistake) => {
    const mistakes = mistakesOf({ MONGODB_URI, JWT_KEYS: value });
    expect(mistakes).toEqual([expect.stringMatching(/^JWT_KEYS /)]);
    expect(mistakes[0]).toContain(mistake);
    for (const secret of [RS256.d!, ES256.d!]) expect(mistakes[0]).not.toContain(secret);
  });

  it('rejects a sample in production', () => {
    const sample = set(oct('h1', Buffer.from('please-change-me-please-change-me')));
    expect(mistakesOf({ MONGODB_URI, JWT_KEYS: sample })).toEqual([]);
    expect(mistakesOf({ MONGODB_URI, JWT_KEYS: sample, ...PRODUCTION, ...STRIPE })).toEqual([
      expect.stringContaining('h1'),
    ]);
  });

  it('is not read by workers and the setup', () => {
    const env = { ...REQUIRED, JWT_KEYS: 'nonsense' };
    expect([mistakesOf(env, 'worker'), mistakesOf(env, 'setup')]).toEqual([[], []]);
  });
});

describe('the connection to Temporal', () => {
  const authority = createAuthority();
  const client = authority.issue('a-client');
  const CA = { TEMPORAL_TLS_SERVER_CA_CERT_DATA: authority.certificate };
  const CERT = { TEMPORAL_TLS_CLIENT_CERT_DATA: client.certificate };
  const PAIR = { ...CERT, TEMPORAL_TLS_CLIENT_KEY_DATA: client.key };
  const KEY_LINE = client.key.split('\n')[1]!;
  const securityOf = (env: NodeJS.ProcessEnv) => loadConfig('api', { ...REQUIRED, ...env }).temporal.security;

  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'config-'))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('is unencrypted by default', () => {
    for (const env of [{}, { TEMPORAL_TLS: 'false' }, { TEMPORAL_TLS: '0' }])
      expect(securityOf(env).tls || undefined).toBeUndefined();
  });

  it('is encrypted with TEMPORAL_TLS, an API key or a certificate', () => {
    for (const env of [{ TEMPORAL_TLS: 'true' }, { TEMPORAL_TLS: '1' }, CA, PAIR])
      expect(securityOf(env).tls).toBeInstanceOf(Object);
    expect(securityOf({ TEMPORAL_API_KEY: 'key' })).toEqual({ apiKey: 'key', tls: true });
  });

  it('reads certificates from files and from variables, for every process', () => {
    const files = {
      TEMPORAL_TLS_SERVER_NAME: 'temporal.example',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.crt', authority.certificate),
      TEMPORAL_TLS_CLIENT_CERT_PATH: file('tls.crt', client.certificate),
      TEMPORAL_TLS_CLIENT_KEY_PATH: file('tls.key', client.key),
    };
    const inline = { ...CA, ...PAIR, TEMPORAL_TLS_SERVER_NAME: 'temporal.example' };
    const bytes = (text: string) => new Uint8Array(Buffer.from(text));
    for (const reader of ['api', 'worker', 'setup'] as const) {
      for (const env of [files, inline]) {
        expect(loadConfig(reader, { ...REQUIRED, ...env }).temporal.security).toEqual({
          tls: {
            serverNameOverride: 'temporal.example',
            serverRootCACertificate: bytes(authority.certificate),
            clientCertPair: { crt: bytes(client.certificate), key: bytes(client.key) },
          },
        });
      }
    }
  });

  it.each([
    ['another word for true', { TEMPORAL_TLS: 'yes' }, /^TEMPORAL_TLS must be one of/],
    ['a key with a line break', { TEMPORAL_API_KEY: 'hunter2\n' }, /^TEMPORAL_API_KEY must be one word/],
    [
      'an API key without TLS',
      { TEMPORAL_API_KEY: 'hunter2', TEMPORAL_TLS: 'false' },
      /but TEMPORAL_API_KEY is set/,
    ],
    [
      'a certificate without TLS',
      { ...PAIR, TEMPORAL_TLS: '0' },
      /^TEMPORAL_TLS is 0, but TEMPORAL_TLS_CLIENT_CERT/,
    ],
    [
      'a text that is not a certificate',
      { TEMPORAL_TLS_SERVER_CA_CERT_DATA: 'x' },
      /CA_CERT_DATA is not a certificate in PEM$/,
    ],
    [
      'a text that is not a private key',
      { ...CERT, TEMPORAL_TLS_CLIENT_KEY_DATA: client.certificate },
      /is not a private key/,
    ],
    ['a certificate without its key', CERT, /CLIENT_CERT_DATA is set without TEMPORAL_TLS_CLIENT_KEY_PATH/],
    [
      'a key without its certificate',
      { TEMPORAL_TLS_CLIENT_KEY_DATA: client.key },
      /without TEMPORAL_TLS_CLIENT_CERT_PATH/,
    ],
    [
      'the key of another certificate',
      { ...CERT, TEMPORAL_TLS_CLIENT_KEY_DATA: authority.key },
      /^TEMPORAL_TLS_CLIENT_KEY_DATA is not the private key of TEMPORAL_TLS_CLIENT_CERT_DATA$/,
    ],
    [
      'a missing file',
      { TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nowhere/ca.crt' },
      /^TEMPORAL_TLS_SERVER_CA_CERT_PATH is \/nowhere\/ca.crt, a file that cannot be read \(ENOENT\)$/,
    ],
  ])('rejects %s', (_case, env, complaint) => {
    for (const reader of ['api', 'worker', 'setup'] as const) {
      const mistakes = mistakesOf({ ...REQUIRED, ...env }, reader);
      expect(mistakes).toEqual([expect.stringMatching(complaint)]);
      expect(mistakes.join()).not.toMatch(/hunter2|PRIVATE/);
      expect(mistakes.join()).not.toContain(KEY_LINE);
    }
  });

  it('rejects a file together with its content, and a file with other content', () => {
    const path = file('other.crt', client.key);
    expect(mistakesOf({ ...REQUIRED, TEMPORAL_TLS_SERVER_CA_CERT_PATH: path })).toEqual([
      `TEMPORAL_TLS_SERVER_CA_CERT_PATH is ${path}, which is not a certificate in PEM`,
    ]);
    const TEMPORAL_TLS_SERVER_CA_CERT_PATH = file('ca.crt', authority.certificate);
    expect(mistakesOf({ ...REQUIRED, ...CA, TEMPORAL_TLS_SERVER_CA_CERT_PATH })).toEqual([
      'TEMPORAL_TLS_SERVER_CA_CERT_PATH and TEMPORAL_TLS_SERVER_CA_CERT_DATA must not both be set',
    ]);
  });
});
