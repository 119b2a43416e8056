import type { Logger } from 'pino';
import type { Config } from '../config';
import type { Middleware } from './context';

/** Says once that a proxy seems to be in front of the API, all of whose clients count as one. */
export function proxyWarning(
  { trustedProxies }: Pick<Config['http'], 'trustedProxies'>,
  logger: Logger,
): Middleware {
  let isTold = trustedProxies > 0;
  return (ctx, next) => {
    if (!isTold && ctx.get('X-Forwarded-For') !== '') {
      isTold = true;
      logger.warn(
        'X-Forwarded-For came with a request, but TRUSTED_PROXIES is 0: if there is a proxy in front of the API, all ' +
          'of its clients share one rate limit and one count of wrong passwords; set it to the number of proxies',
      );
    }
    return next();
  };
}
