import Joi, { type CustomHelpers } from 'joi';
import { availableParallelism } from 'node:os';
import { count, entriesOf, isProduction, MAX_TIMER_MS } from './rules';
import { section } from './section';

const MAX_PROCESSES = 128;

const variables = {
  HOST: Joi.string()
    .hostname()
    .default('127.0.0.1')
    .description('Address that the API binds to; the image sets `0.0.0.0`'),
  PORT: Joi.number()
    .port()
    .default(3_000)
    .description('Port of the API; with Docker Compose, the port of the host on which the API is published'),
  WEB_CONCURRENCY: count(Math.min(availableParallelism(), MAX_PROCESSES), MAX_PROCESSES)
    .note('CPU cores; `npm start`: `1`')
    .example('4')
    .description(
      'API processes that share the port; above 1, one more process supervises them and shares the rate limit ' +
        'among them',
    ),
  API_PREFIX: Joi.string()
    .pattern(/^(\/[\w.-]+)+$/)
    .default('/orders-management-system')
    .description('Path before every route')
    .messages({
      'string.pattern.base': '{#label} must look like /path, without a slash at its end',
    }),
  CORS_ORIGINS: Joi.string<string[]>()
    .custom(readOrigins)
    .default([])
    .example('https://shop.example.com')
    .description(
      'Origins from which browsers may call the API, comma-separated; `*` allows every origin, but not in production',
    )
    .messages({
      'origins.wildcard':
        '{#label} must not contain "*" in production: list the origins that may call the API',
      'origins.invalid':
        '{#label} contains {#wrong}, which is not an origin: write scheme://host[:port], comma-separated',
    }),
  BODY_LIMIT: Joi.string()
    .pattern(/^\d+(b|kb|mb)$/i)
    .default('100kb')
    .description('Size of the largest request body, in `b`, `kb` or `mb`; a larger one is a 413')
    .messages({
      'string.pattern.base': '{#label} must be a size such as 100kb or 1mb',
    }),
  RATE_LIMIT_MAX: count(100_000, 1_000_000_000).description(
    'Requests per client and window, beyond which they are a 429; each counts for its IPv4 address or IPv6 /64 network ' +
      'and, with an access token or API key, for its user or key',
  ),
  RATE_LIMIT_WINDOW_MS: count(60_000, MAX_TIMER_MS)
    .unit('ms')
    .description('Length of the window of the rate limit'),
  REDIS_URL: Joi.string<string | undefined>()
    .pattern(/^rediss?:\/\/\S+$/)
    .example('redis://localhost:6379')
    .description(
      'Redis that shares the rate limit among machines; without it, each machine counts for itself',
    )
    .messages({
      'string.pattern.base': '{#label} must look like redis://host:6379',
    }),
  TRUSTED_PROXIES: Joi.number()
    .integer()
    .min(0)
    .max(10)
    .when('NODE_ENV', {
      is: 'production',
      then: Joi.required(),
      otherwise: Joi.optional().default(0),
    })
    .note('`0`; required in production')
    .example('1')
    .description('Number of reverse proxies in front of the API; with 0, `X-Forwarded-For` is ignored')
    .messages({
      'any.required':
        '{#label} must be set in production: the number of proxies in front of the API, 0 if clients connect directly. ' +
        'Too few, and all clients of a proxy count as one; too many, and clients choose their address',
    }),
  API_DOCS: Joi.boolean()
    .default(true)
    .description(
      'Whether the API serves its OpenAPI document and the Swagger page, at `/api` below the prefix',
    ),
  BOARD: Joi.boolean()
    .default(true)
    .description(
      'Whether the API serves the order board, at `/board` below the prefix: public files, whose users sign in',
    ),
};

/** Addresses that only this machine reaches. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|::1)$/;

export const http = section({
  title: 'HTTP',
  readBy: ['api'],
  variables,
  check: (env, { given }) =>
    given.NODE_ENV === undefined && !LOOPBACK.test(env.HOST)
      ? `NODE_ENV must be set, because HOST is ${env.HOST}, which other machines may reach: "production", or ` +
        '"development" where demo users and weak secrets harm nobody'
      : undefined,
  config: (env) => ({
    host: env.HOST,
    port: env.PORT,
    webConcurrency: env.WEB_CONCURRENCY,
    prefix: env.API_PREFIX,
    corsOrigins: env.CORS_ORIGINS,
    bodyLimit: env.BODY_LIMIT,
    rateLimit: {
      max: env.RATE_LIMIT_MAX,
      windowMs: env.RATE_LIMIT_WINDOW_MS,
      ...(env.REDIS_URL !== undefined && { redisUrl: env.REDIS_URL }),
    },
    trustedProxies: env.TRUSTED_PROXIES,
    docs: env.API_DOCS,
    board: env.BOARD,
  }),
});

/** Reads origins as browsers send them in the Origin header. */
function readOrigins(value: string, helpers: CustomHelpers) {
  const origins = entriesOf(value);
  if (isProduction(helpers) && origins.includes('*')) return helpers.error('origins.wildcard');
  const wrong = origins.find((origin) => origin !== '*' && !isOrigin(origin));
  return wrong === undefined ? origins : helpers.error('origins.invalid', { wrong });
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
