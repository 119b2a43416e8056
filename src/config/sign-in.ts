import Joi from 'joi';
import { count, limit } from './rules';
import { section } from './section';

const variables = {
  SHOP_NAME: Joi.string<string | undefined>()
    .example('Plum & Pear')
    .description('Name of the shop, which passwords must not be made of'),
  SIGN_IN_RATE_LIMIT_MAX: count(600, 1_000_000_000).description(
    'Requests to `/auth/…` of an IPv4 address or an IPv6 /64 network per `RATE_LIMIT_WINDOW_MS`, beyond which they are a ' +
      '429; other requests do not count for it',
  ),
  MAX_LOGIN_FAILURES_PER_ADDRESS: limit(30).description(
    'Wrong passwords for any accounts from an IPv4 address or an IPv6 /64 network within 15 minutes, beyond which ' +
      'signing in is a 429; `0`: no limit',
  ),
  ADMIN_2FA: Joi.string<'required' | 'optional'>()
    .valid('required', 'optional')
    .when('NODE_ENV', {
      is: 'production',
      then: Joi.any().default('required'),
      otherwise: Joi.any().default('optional'),
    })
    .note('`required` in production, else `optional`')
    .example('required')
    .description(
      'Whether ADMINs need an authenticator app (TOTP): without one, they may do what CUSTOMERs may until they set it up',
    ),
  MAX_REGISTRATIONS_PER_ADDRESS: limit(20).description(
    'Registrations from an IPv4 address or an IPv6 /64 network within an hour, beyond which they are a 429, and as many ' +
      'requests for a new password; `0`: no ' +
      'limit, for an API that sees only the address of a shop in front of it',
  ),
};

export const signIn = section({
  title: 'Sign-in',
  readBy: ['api'],
  variables,
  config: (env) => ({
    ...(env.SHOP_NAME !== undefined && { shopName: env.SHOP_NAME }),
    isSecondFactorRequired: env.ADMIN_2FA === 'required',
    rateLimitMax: env.SIGN_IN_RATE_LIMIT_MAX,
    maxFailuresPerAddress: env.MAX_LOGIN_FAILURES_PER_ADDRESS,
    maxRegistrationsPerAddress: env.MAX_REGISTRATIONS_PER_ADDRESS,
  }),
});
