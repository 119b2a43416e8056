import ratelimit from 'koa-ratelimit';
import type { Config } from '../config';
import { AppError } from '../errors/app-error';
import type { Context, Middleware } from '../http/context';
import { clientAddress } from './client-address';
import { countIn, type Store } from './store';
import { createWindowCounter } from './window-counter';

export interface RateLimitOptions {
  config: Pick<Config['http'], 'prefix' | 'rateLimit'>;
  /** Counts for all API processes. Defaults to counting in this process. */
  store?: Store;
}

/**
 * Limits the requests of each authenticated caller, and of each address (for IPv6, each network) otherwise.
 * The health routes are exempt, because they must always respond.
 */
export function rateLimit({ config, store = countIn(createWindowCounter()) }: RateLimitOptions): Middleware {
  const { max, windowMs } = config.rateLimit;
  const healthPath = `${config.prefix}/health`;
  const limit = ratelimit({
    driver: 'redis', // the memory driver never forgets a client
    db: store as never,
    id: (ctx) => clientOf(ctx, healthPath),
    max,
    duration: windowMs,
    throw: true,
  }) as unknown as Middleware;

  return (ctx, next) => {
    let passed = false;
    const proceed = () => {
      passed = true;
      return next();
    };
    return limit(ctx, proceed).catch((error: unknown) => {
      throw passed ? error : limited(ctx, error);
    });
  };
}

function clientOf(ctx: Context, healthPath: string): string | false {
  if (ctx.path === healthPath || ctx.path.startsWith(`${healthPath}/`)) return false;
  return ctx.state.principal ? `user:${ctx.state.principal.id}` : `ip:${clientAddress(ctx.ip)}`;
}

function limited(ctx: Context, cause: unknown): AppError {
  const seconds = Math.max(1, Number(ctx.response.get('Retry-After')) || 0);
  return new AppError('rate_limited', `Too many requests: try again in ${seconds} s.`, {
    headers: { 'Retry-After': String(seconds) },
    cause,
  });
}
