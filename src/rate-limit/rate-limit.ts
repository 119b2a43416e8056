import ratelimit from 'koa-ratelimit';
import type { Config } from '../config';
import type { AppError } from '../errors/app-error';
import { tooManyFor } from '../errors/too-many';
import type { Context, Middleware } from '../http/context';
import { clientAddress } from './client-address';
import { AND, countIn, type Store } from './store';
import { createWindowCounter } from './window-counter';

export interface RateLimitOptions {
  config: Pick<Config['http'], 'prefix' | 'rateLimit'>;
  signIn: Pick<Config['signIn'], 'rateLimitMax'>;
  /** Counts for all API processes. Defaults to counting in this process. */
  store?: Store;
  /** Called for each request that is turned down, to count it. */
  onLimited?(): void;
}

/** The health routes, whose probes come from few addresses, so that no flood of other requests takes their place. */
const HEALTH_PATHS = ['/health', '/health/live', '/health/ready'];
/** The least that they are allowed: ten times what a dozen load balancers at one address ask for. */
const MIN_PROBES_PER_MINUTE = 600;
const MINUTE_MS = 60_000;
/** Otherwise they are allowed this part of what other requests are. */
const SHARE_OF_PROBES = 0.01;

/**
 * Limits the requests of each address (for IPv6, each network) and of each authenticated caller: a person with many accounts
 * may not send more for it. The routes of signing in have a window of their own, which other requests cannot use up. So
 * have the health routes, without the headers that tell of it.
 */
export function rateLimit({
  config,
  signIn,
  store = countIn(createWindowCounter()),
  onLimited = () => undefined,
}: RateLimitOptions): Middleware {
  const { max, windowMs } = config.rateLimit;
  const healthPaths = new Set(HEALTH_PATHS.map((path) => config.prefix + path));
  const signInPaths = `${config.prefix}/auth/`;
  const requests = limiter({ db: store, id: clientsOf, max, duration: windowMs, onLimited });
  const signIns = limiter({
    db: store,
    id: (ctx) => `sign-in:${addressOf(ctx)}`,
    max: signIn.rateLimitMax,
    duration: windowMs,
    onLimited,
  });
  const probes = limiter({
    db: store,
    id: (ctx) => `health:${addressOf(ctx)}`,
    max: Math.ceil(Math.max(max * SHARE_OF_PROBES, (MIN_PROBES_PER_MINUTE * windowMs) / MINUTE_MS)),
    duration: windowMs, // all windows of the counter last equally long
    disableHeader: true,
    onLimited,
  });
  return (ctx, next) => {
    if (healthPaths.has(ctx.path)) return probes(ctx, next);
    return (ctx.path.startsWith(signInPaths) ? signIns : requests)(ctx, next);
  };
}

interface Limit {
  db: Store;
  id(ctx: Context): string;
  max: number;
  duration: number;
  disableHeader?: true;
  onLimited(): void;
}

function limiter({ db, onLimited, ...options }: Limit): Middleware {
  const limit = ratelimit({
    ...options,
    driver: 'redis', // the memory driver never forgets a client
    db: db as never,
    throw: true,
  } as never) as unknown as Middleware;

  return (ctx, next) => {
    let passed = false;
    const proceed = () => {
      passed = true;
      return next();
    };
    return limit(ctx, proceed).catch((error: unknown) => {
      if (passed) throw error;
      onLimited();
      throw limited(ctx, error);
    });
  };
}

function clientsOf(ctx: Context): string {
  const address = `ip:${addressOf(ctx)}`;
  const { principal } = ctx.state;
  return principal ? `${address}${AND}user:${principal.id}` : address;
}

/** What a proxy writes is taken as it is, and must not name several clients. */
function addressOf({ ip }: Context): string {
  return clientAddress(ip).replaceAll(AND, '');
}

function limited(ctx: Context, cause: unknown): AppError {
  const seconds = Math.max(1, Number(ctx.response.get('Retry-After')) || 0);
  return tooManyFor('requests', seconds, cause);
}
