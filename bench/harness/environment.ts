import type { Servers } from '../../tools/devstack';

export const PREFIX = '/orders-management-system';

/** Returns the environment of every process, before the changes of a measurement. */
export function environmentOf({ mongodbUri, temporalAddress }: Servers): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    JWT_SECRET: 'of the bench alone, 32 bytes long',
    LOG_LEVEL: 'warn', // a line per request would be read by the very process that measures
    WEB_CONCURRENCY: '1',
    API_PREFIX: PREFIX,
    MONGODB_URI: mongodbUri,
    TEMPORAL_ADDRESS: temporalAddress,
  };
}

export const UNLIMITED = {
  RATE_LIMIT_MAX: '1000000000',
  SIGN_IN_RATE_LIMIT_MAX: '1000000000',
  MAX_LOGIN_FAILURES_PER_ADDRESS: '0',
};
