import { loadConfig, type Config, type WorkerConfig } from '../../src/config';

export const JWT_SECRET = '0b5f4c1d9a3e7f2608d4c6b8a1e3f5907d9b2c4e6f8a0b1d5c7e91f3a6d8b024';

/** What production requires in addition. */
export const PRODUCTION_ENV = {
  NODE_ENV: 'production',
  PAYMENT_PROVIDER: 'sandbox',
  TRUSTED_PROXIES: '0',
  SMTP_URL: 'smtps://orders:hunter2@mail.example.com',
  MAIL_FROM: 'orders@example.com',
  ACCOUNT_PAGE_URL: 'https://shop.example.com/account',
  PAYLOAD_KEYS: '2026-11:RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA=',
};

/** The configuration of an API under test. */
export function testConfig(env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig('api', { ...testEnv(), ...env });
}

/** The configuration of a worker under test. */
export function testWorkerConfig(env: NodeJS.ProcessEnv = {}): WorkerConfig {
  return loadConfig('worker', { ...testEnv(), ...env });
}

function testEnv(): NodeJS.ProcessEnv {
  return {
    NODE_ENV: 'test',
    MONGODB_URI: process.env.MONGODB_URI,
    TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS,
    JWT_SECRET,
    LOG_LEVEL: 'silent',
    DATA_DIR: process.env.TEST_DATA_DIR,
    WEB_CONCURRENCY: '1',
    // Tests register many people from one address.
    MAX_REGISTRATIONS_PER_ADDRESS: '0',
    // And make many carts.
    MAX_GUEST_CARTS_PER_ADDRESS: '0',
    MAX_GUEST_ORDERS_PER_ADDRESS: '0',
    // Tests place many orders at once, on machines that may be slow.
    MAX_ORDERS_IN_FLIGHT: '0',
    // A payment that is declined ends the order, unless a test is about trying another card.
    PAYMENT_RETRY_WINDOW: '0',
    // Tests decline many payments from one address.
    MAX_DECLINES_PER_USER: '0',
    MAX_DECLINES_PER_ADDRESS: '0',
    MAX_DECLINES_PER_STAFF: '0',
  };
}
