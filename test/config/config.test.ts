import { availableParallelism, tmpdir } from 'node:os';
import { isSampleSecret } from '../../src/config/sample-secret';
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ConfigError, loadConfig, loadToolConfig, loadWorkerConfig } from '../../src/config/config';
import { createAuthority } from '../support/certificates';

const REQUIRED = {
  MONGODB_URI: 'mongodb://localhost:27017/orders?replicaSet=rs0',
  JWT_SECRET: '0b5f4c1d9a3e7f2608d4c6b8a1e3f5907d9b2c4e6f8a0b1d',
};

const KEY = 'RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA=';
const PRODUCTION = { NODE_ENV: 'production', PAYLOAD_KEYS: `2026-11:${KEY}` };

const STRIPE = {
  PAYMENT_PROVIDER: 'stripe',
  STRIPE_SECRET_KEY: 'sk_test_hunter2',
  STRIPE_WEBHOOK_SECRET: 'whsec_hunter3',
};

function sameKey(secret: string) {
  const key = createSecretKey(Buffer.from(secret));
  return { verificationKey: key, signingKey: key };
}

function mistakesOf(
  env: NodeJS.ProcessEnv,
  load: (env: NodeJS.ProcessEnv) => unknown = loadConfig,
): string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).mistakes;
  }
}

describe('loadConfig', () => {
  it('has a default for everything that is not secret', () => {
    expect(loadConfig(REQUIRED)).toEqual({
      env: 'development',
      http: {
        host: '127.0.0.1',
        port: 3_000,
        webConcurrency: availableParallelism(),
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
        paymentsTaskQueue: 'payments',
        uiUrl: 'http://localhost:8233',
        security: {},
      },
      payloadKeys: [],
      jwt: {
        keys: [{ kid: 'secret', algorithm: 'HS256', ...sameKey(REQUIRED.JWT_SECRET) }],
        issuer: 'orders-management-system',
        audience: 'orders-management-system',
        accessTokenTtlSeconds: 900,
      },
      refreshTokenTtlSeconds: 2_592_000,
      payments: { provider: 'sandbox' },
      fulfillmentDeadline: '6d',
      placeOrderTimeoutMs: 5_000,
      orderCommandTimeoutMs: 8_000,
      shutdownTimeoutMs: 10_000,
      logLevel: 'info',
      worker: {
        queues: ['orders', 'payments'],
        maxConcurrentWorkflowTasks: 40,
        maxConcurrentLocalActivities: 100,
        maxConcurrentActivities: 100,
        maxConcurrentPayments: 20,
        maxCachedWorkflows: 1_000,
        workflowTaskPollers: 10,
        activityTaskPollers: 10,
      },
    });
  });

  it('reads numbers and lists', () => {
    const { http, worker, payments } = loadConfig({
      ...REQUIRED,
      PORT: '8080',
      CORS_ORIGINS: 'https://shop.example, http://localhost:5173',
      TRUSTED_PROXIES: '2',
      REDIS_URL: 'redis://cache:6379',
      WORKER_QUEUES: 'payments, orders',
      PAYMENTS_MAX_PER_SECOND: '0.5',
    });
    expect(worker.queues).toEqual(['payments', 'orders']);
    expect(payments.maxPerSecond).toBe(0.5);
    expect(http).toMatchObject({
      port: 8_080,
      corsOrigins: ['https://shop.example', 'http://localhost:5173'],
      trustedProxies: 2,
      rateLimit: { redisUrl: 'redis://cache:6379' },
    });
  });

  it('takes an empty variable for one that is not set, as compose files write it', () => {
    const config = loadConfig({ ...REQUIRED, CORS_ORIGINS: '', REDIS_URL: '', PORT: '' });
    expect(config.http).toMatchObject({ corsOrigins: [], port: 3_000, rateLimit: { redisUrl: undefined } });
  });

  it.each(['PLACE_ORDER_TIMEOUT_MS', 'ORDER_COMMAND_TIMEOUT_MS'])(
    'wants the time of %s to finish requests before a production process ends',
    (name) => {
      const short = { ...REQUIRED, ...STRIPE, [name]: '20000' };
      expect(mistakesOf({ ...short, ...PRODUCTION })).toEqual([
        expect.stringContaining('SHUTDOWN_TIMEOUT_MS must not be less'),
      ]);
      expect(mistakesOf(short)).toEqual([]);
    },
  );

  it('wants the payments on a task queue of their own', () => {
    expect(mistakesOf({ ...REQUIRED, TEMPORAL_PAYMENTS_TASK_QUEUE: 'orders' })).toEqual([
      expect.stringMatching(/^TEMPORAL_PAYMENTS_TASK_QUEUE must not be the same/),
    ]);
  });

  it('takes the sandbox in production only when it is meant', () => {
    const production = { ...REQUIRED, ...PRODUCTION };
    for (const load of [loadConfig, loadWorkerConfig]) {
      expect(mistakesOf(production, load)).toEqual([expect.stringContaining('which takes no money')]);
      expect(mistakesOf({ ...production, PAYMENT_PROVIDER: 'sandbox' }, load)).toEqual([]);
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
      'PORT',
      'MONGODB_URI',
      'JWT_SECRET',
      'BODY_LIMIT',
      'TRUSTED_PROXIES',
    ]);
  });

  it.each([
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
    ['ORDER_COMMAND_TIMEOUT_MS', '0'],
    ['PAYMENT_PROVIDER', 'cash'],
    ['PAYMENTS_MAX_PER_SECOND', '0'],
    ['FULFILLMENT_DEADLINE', '6'],
    ['FULFILLMENT_DEADLINE', '0d'],
    ['FULFILLMENT_DEADLINE', '6 days'],
    ['WORKER_QUEUES', 'orders,refunds'],
    ['WORKER_QUEUES', 'payments,payments'],
    ['WORKER_QUEUES', ','],
    ['WORKER_MAX_CONCURRENT_PAYMENTS', '0'],
    ['STRIPE_WEBHOOK_SECRET', 'hunter2'],
    ['LOG_LEVEL', 'loud'],
    ['JWT_SECRET', 'x'.repeat(31)],
  ])('refuses %s=%s', (name, value) => {
    const mistakes = mistakesOf({ ...REQUIRED, [name]: value });
    expect(mistakes).toEqual([expect.stringMatching(new RegExp(`^${name} `))]);
    expect(mistakes.join()).not.toContain('hunter2');
  });

  it.each([
    ['a sample secret', { JWT_SECRET: 'please-change-me-please-change-me-please' }],
    ['a secret without variety', { JWT_SECRET: 'abababababababababababababababababab' }],
    ['any origin', { CORS_ORIGINS: 'https://shop.example,*' }],
  ])('refuses %s in production only', (_what, env) => {
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
  ])('is refused when it is a sample or typed by hand: %s', (secret) => {
    expect(mistakesWith(secret)).toEqual([expect.stringMatching(/^JWT_SECRET /)]);
  });

  it('is taken when it is random, in whatever way it is written', () => {
    for (let round = 0; round < 200; round++) {
      for (const encoding of ['hex', 'base64', 'base64url'] as const)
        expect(mistakesWith(randomBytes(32).toString(encoding))).toEqual([]);
      expect(isSampleSecret(randomBytes(32).toString('latin1'))).toBe(false);
    }
  });
});

describe('the keys of payloads', () => {
  const OTHER = 'q83vEjRWeJASNFZ4kKvN7wEjRWeJq83vEjRWeJASNFY=';
  const SHORT = KEY.slice(4);

  it('are read in their order, and do not show in what is logged', () => {
    for (const load of [loadConfig, loadWorkerConfig]) {
      const { payloadKeys } = load({ ...REQUIRED, PAYLOAD_KEYS: `2026-11:${KEY}, a.b_c:${OTHER}` });
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
  ])('are refused without being repeated (%#)', (PAYLOAD_KEYS, complaint) => {
    const [mistake, ...others] = mistakesOf({ ...REQUIRED, PAYLOAD_KEYS });
    expect(others).toEqual([]);
    expect(mistake).toContain(`PAYLOAD_KEYS: ${complaint}`);
    expect(mistake).toContain('"openssl rand -base64 32" makes a key');
    for (const secret of [KEY, OTHER, SHORT]) expect(mistake).not.toContain(secret.slice(0, 8));
  });

  it('have to be set in production, for the API and for workers', () => {
    const production = { ...REQUIRED, ...STRIPE, NODE_ENV: 'production' };
    for (const load of [loadConfig, loadWorkerConfig]) {
      expect(mistakesOf(production, load)).toEqual([
        expect.stringMatching(/^PAYLOAD_KEYS must be set in production.*openssl rand -base64 32/),
      ]);
      expect(mistakesOf({ ...production, ...PRODUCTION }, load)).toEqual([]);
    }
  });
});

describe('what a process is to know', () => {
  it.each([
    ['the API', loadConfig, { webhookSecret: STRIPE.STRIPE_WEBHOOK_SECRET }],
    ['a worker', loadWorkerConfig, { secretKey: STRIPE.STRIPE_SECRET_KEY }],
  ])('is, for %s, its own secret of Stripe', (_who, load, stripe) => {
    expect(load({ ...REQUIRED, ...STRIPE }).payments).toEqual({ provider: 'stripe', stripe });
  });

  it.each([
    ['the API', loadConfig, 'STRIPE_WEBHOOK_SECRET'],
    ['a worker', loadWorkerConfig, 'STRIPE_SECRET_KEY'],
  ])('is, for %s, required with Stripe', (_who, load, name) => {
    const { [name as keyof typeof STRIPE]: _, ...rest } = STRIPE;
    expect(mistakesOf({ ...REQUIRED, ...rest }, load)).toEqual([
      expect.stringMatching(new RegExp(`^${name} is required with PAYMENT_PROVIDER=stripe`)),
    ]);
  });

  it('leaves out the key of Stripe where no payments are made', () => {
    const { STRIPE_SECRET_KEY: _, ...rest } = STRIPE;
    const env = { ...REQUIRED, ...rest };
    expect(mistakesOf({ ...env, WORKER_QUEUES: 'orders' }, loadWorkerConfig)).toEqual([]);
    expect(mistakesOf({ ...env, WORKER_QUEUES: 'orders,payments' }, loadWorkerConfig)).toHaveLength(1);
  });

  it('is no secret of Stripe while the sandbox is used', () => {
    const env = { ...REQUIRED, ...STRIPE, PAYMENT_PROVIDER: 'sandbox' };
    expect(JSON.stringify([loadConfig(env), loadWorkerConfig(env)])).not.toMatch(/hunter/);
  });

  it('is, for a worker, not the secret of the tokens', () => {
    const { MONGODB_URI } = REQUIRED;
    expect(loadWorkerConfig({ MONGODB_URI })).toMatchObject({ mongodb: { uri: MONGODB_URI } });
    expect(JSON.stringify(loadWorkerConfig(REQUIRED))).not.toContain(REQUIRED.JWT_SECRET);
  });

  it('is, for the set-up, the database alone', () => {
    const { MONGODB_URI } = REQUIRED;
    const config = loadToolConfig({ ...REQUIRED, ...STRIPE, ...PRODUCTION });
    expect(config).toMatchObject({ env: 'production', mongodb: { uri: MONGODB_URI } });
    expect(JSON.stringify(config)).not.toMatch(new RegExp(`hunter|${REQUIRED.JWT_SECRET}|2026-11`));
    expect(mistakesOf({ MONGODB_URI, NODE_ENV: 'production' }, loadToolConfig)).toEqual([]);
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

  it('holds keys of several kinds; each serves its own algorithm', () => {
    const { keys } = loadConfig({ MONGODB_URI, JWT_KEYS: set(ES256, publicOf(RS256), oct('h1')) }).jwt;
    expect(keys.map(({ kid, algorithm, signingKey }) => [kid, algorithm, !!signingKey])).toEqual([
      ['e1', 'ES256', true],
      ['r1', 'RS256', false],
      ['h1', 'HS256', true],
    ]);
  });

  it('signs in the place of JWT_SECRET, which goes on to verify', () => {
    const { keys } = loadConfig({ ...REQUIRED, JWT_KEYS: set(ES256) }).jwt;
    expect(keys.map(({ kid }) => kid)).toEqual(['e1', 'secret']);
  });

  it('or JWT_SECRET is required', () => {
    expect(mistakesOf({ MONGODB_URI })).toEqual([
      expect.stringContaining('JWT_SECRET is required, or JWT_KEYS'),
    ]);
  });

  it.each([
    ['no JSON', 'nonsense', 'must be a JWK Set in JSON'],
    ['no set', '[]', 'must be a JWK Set with'],
    ['an empty set', set(), 'must be a JWK Set with'],
    ['null', 'null', 'must be a JWK Set with'],
    ['a key without a name', set({ ...ES256, kid: undefined }), 'whose "kid"'],
    ['null for a key', set(null), 'whose "kid"'],
    ['a name with a path', set({ ...ES256, kid: '../../dev/null' }), 'whose "kid"'],
    ['the name that JWT_SECRET has', set({ ...ES256, kid: 'secret' }), 'whose "kid"'],
    ['a name twice', set(ES256, { ...RS256, kid: 'e1' }), 'two keys with the same "kid"'],
    ['a secret without bytes', set({ kid: 'h2', kty: 'oct' }), '"h2" that is shorter than 32 bytes'],
    [
      'a key of another kind',
      set({ kid: 'o1', ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) }),
      '"o1" that is neither RSA nor EC',
    ],
    ['a short secret', set(oct('h1', randomBytes(31))), '"h1" that is shorter than 32 bytes'],
    [
      'a short RSA key',
      set({ kid: 'r2', ...rsa(1_024).export({ format: 'jwk' }) }),
      '"r2" that is shorter than 2048',
    ],
    [
      'another curve',
      set({ kid: 'e2', ...ec('P-384').export({ format: 'jwk' }) }),
      '"e2" that is neither RSA nor EC',
    ],
    ['another algorithm', set({ ...RS256, alg: 'PS256' }), '"r1" that serves another "alg"'],
    ['half a key', set({ kid: 'e3', kty: 'EC', crv: 'P-256', x: 'AA' }), '"e3" that cannot be read'],
    ['no private key to sign with', set(publicOf(RS256), ES256), 'no private key in its first entry "r1"'],
  ])('must not be %s', (_what, value, mistake) => {
    const mistakes = mistakesOf({ MONGODB_URI, JWT_KEYS: value });
    expect(mistakes).toEqual([expect.stringMatching(/^JWT_KEYS /)]);
    expect(mistakes[0]).toContain(mistake);
    for (const secret of [RS256.d!, ES256.d!]) expect(mistakes[0]).not.toContain(secret);
  });

  it('must not be a sample in production', () => {
    const sample = set(oct('h1', Buffer.from('please-change-me-please-change-me')));
    expect(mistakesOf({ MONGODB_URI, JWT_KEYS: sample })).toEqual([]);
    expect(mistakesOf({ MONGODB_URI, JWT_KEYS: sample, ...PRODUCTION, ...STRIPE })).toEqual([
      expect.stringContaining('h1'),
    ]);
  });

  it('are nothing that a worker or the set-up is to know', () => {
    const env = { ...REQUIRED, JWT_KEYS: 'nonsense' };
    expect([mistakesOf(env, loadWorkerConfig), mistakesOf(env, loadToolConfig)]).toEqual([[], []]);
  });
});

describe('the connection to Temporal', () => {
  const authority = createAuthority();
  const client = authority.issue('a-client');
  const CA = { TEMPORAL_TLS_SERVER_CA_CERT_DATA: authority.certificate };
  const CERT = { TEMPORAL_TLS_CLIENT_CERT_DATA: client.certificate };
  const PAIR = { ...CERT, TEMPORAL_TLS_CLIENT_KEY_DATA: client.key };
  const KEY_LINE = client.key.split('\n')[1]!;
  const securityOf = (env: NodeJS.ProcessEnv) => loadConfig({ ...REQUIRED, ...env }).temporal.security;

  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'config-'))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('is plain unless told', () => {
    for (const env of [{}, { TEMPORAL_TLS: 'false' }, { TEMPORAL_TLS: '0' }])
      expect(securityOf(env).tls || undefined).toBeUndefined();
  });

  it('is encrypted when it should be, and whenever there is an API key or a certificate', () => {
    for (const env of [{ TEMPORAL_TLS: 'true' }, { TEMPORAL_TLS: '1' }, CA, PAIR])
      expect(securityOf(env).tls).toBeInstanceOf(Object);
    expect(securityOf({ TEMPORAL_API_KEY: 'key' })).toEqual({ apiKey: 'key', tls: true });
  });

  it('takes certificates from files and from variables, for every process', () => {
    const files = {
      TEMPORAL_TLS_SERVER_NAME: 'temporal.example',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.crt', authority.certificate),
      TEMPORAL_TLS_CLIENT_CERT_PATH: file('tls.crt', client.certificate),
      TEMPORAL_TLS_CLIENT_KEY_PATH: file('tls.key', client.key),
    };
    const inline = { ...CA, ...PAIR, TEMPORAL_TLS_SERVER_NAME: 'temporal.example' };
    const bytes = (text: string) => new Uint8Array(Buffer.from(text));
    for (const load of [loadConfig, loadWorkerConfig, loadToolConfig]) {
      for (const env of [files, inline]) {
        expect(load({ ...REQUIRED, ...env }).temporal.security).toEqual({
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
    ['neither yes nor no', { TEMPORAL_TLS: 'yes' }, /^TEMPORAL_TLS must be one of/],
    ['a key with a line break', { TEMPORAL_API_KEY: 'hunter2\n' }, /^TEMPORAL_API_KEY must be one word/],
    ['a key in clear', { TEMPORAL_API_KEY: 'hunter2', TEMPORAL_TLS: 'false' }, /but TEMPORAL_API_KEY is set/],
    [
      'a certificate in vain',
      { ...PAIR, TEMPORAL_TLS: '0' },
      /^TEMPORAL_TLS is 0, but TEMPORAL_TLS_CLIENT_CERT/,
    ],
    [
      'no certificate',
      { TEMPORAL_TLS_SERVER_CA_CERT_DATA: 'x' },
      /CA_CERT_DATA is not a certificate in PEM$/,
    ],
    ['no private key', { ...CERT, TEMPORAL_TLS_CLIENT_KEY_DATA: client.certificate }, /is not a private key/],
    ['a certificate alone', CERT, /CLIENT_CERT_DATA is set without TEMPORAL_TLS_CLIENT_KEY_PATH/],
    ['a key alone', { TEMPORAL_TLS_CLIENT_KEY_DATA: client.key }, /without TEMPORAL_TLS_CLIENT_CERT_PATH/],
    [
      'a strange key',
      { ...CERT, TEMPORAL_TLS_CLIENT_KEY_DATA: authority.key },
      /^TEMPORAL_TLS_CLIENT_KEY_DATA is not the private key of TEMPORAL_TLS_CLIENT_CERT_DATA$/,
    ],
    [
      'a file that is not there',
      { TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nowhere/ca.crt' },
      /^TEMPORAL_TLS_SERVER_CA_CERT_PATH is \/nowhere\/ca.crt, a file that cannot be read \(ENOENT\)$/,
    ],
  ])('must not be told %s', (_what, env, complaint) => {
    for (const load of [loadConfig, loadWorkerConfig, loadToolConfig]) {
      const mistakes = mistakesOf({ ...REQUIRED, ...env }, load);
      expect(mistakes).toEqual([expect.stringMatching(complaint)]);
      expect(mistakes.join()).not.toMatch(/hunter2|PRIVATE/);
      expect(mistakes.join()).not.toContain(KEY_LINE);
    }
  });

  it('must not be told of a file and its content, or of a file with something else', () => {
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
