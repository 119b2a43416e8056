import ratelimit from 'koa-ratelimit';
import type { Config } from '../config';
import { AppError } from '../errors/app-error';
import { BoundedMap } from './bounded-map';
import { clientAddress } from './client-address';
import type { Context, Middleware } from '../http/context';
import type { Windows } from './store';

const MAX_CLIENTS = 100_000;
const RESET = 'X-RateLimit-Reset';

export interface RateLimitOptions {
  config: Pick<Config['http'], 'prefix' | 'rateLimit'>;
  /** Shared by all API processes; without it each counts for itself. */
  windows?: Windows;
  maxClients?: number;
}

/** Limits each user, or each address (of IPv6 each network) without a valid token. The health routes must always answer. */
export function rateLimit({ config, windows, maxClients = MAX_CLIENTS }: RateLimitOptions): Middleware {
  const { max, windowMs } = config.rateLimit;
  const healthPath = `${config.prefix}/health`;
  const limit = ratelimit({
    ...(windows
      ? { driver: 'redis', db: windows as never }
      : { driver: 'memory', db: new BoundedMap(maxClients) }),
    id: (ctx) => clientOf(ctx, healthPath),
    max,
    duration: windowMs,
    throw: true,
  }) as unknown as Middleware;

  return (ctx, next) => {
    let passed = false;
    const proceed = () => {
      passed = true;
      roundReset(ctx);
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

/** The memory driver counts in fractions of a second. */
function roundReset(ctx: Context): void {
  const reset = ctx.response.get(RESET);
  if (reset) ctx.set(RESET, String(Math.ceil(Number(reset))));
}

function limited(ctx: Context, cause: unknown): AppError {
  roundReset(ctx);
  const seconds = Math.max(1, Math.ceil(Number(ctx.response.get('Retry-After')) || 0));
  return new AppError('rate_limited', `Too many requests: try again in ${seconds} s.`, {
    headers: { 'Retry-After': String(seconds) },
    cause,
  });
}
