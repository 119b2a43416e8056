import type { Logger } from 'pino';
import type { Context, Middleware } from './context';

/** Writes one line per request, without query string, headers or body. */
export function requestLog(logger: Logger): Middleware {
  return async (ctx, next) => {
    const started = performance.now();
    ctx.state.log = logger.child({ requestId: ctx.state.requestId });
    await next();
    writeLine(ctx, performance.now() - started);
  };
}

/**
 * Our own words, ids and files. Any other part of a path may be personal, for example an e-mail address
 * instead of an id.
 */
const SEGMENT = /^(?:[a-z.-]{0,30}|[a-z]{2,4}_[\w-]{1,64}|[\w.-]+\.(?:css|js|json|png|svg|map))$/;

function loggable(path: string): string {
  return path
    .split('/')
    .map((segment) => (SEGMENT.test(segment) ? segment : '…'))
    .join('/');
}

function writeLine(ctx: Context, durationMs: number): void {
  const line = {
    method: ctx.method,
    path: loggable(ctx.path),
    status: ctx.status,
    durationMs: Math.round(durationMs * 10) / 10,
    userId: ctx.state.principal?.id,
    ...ctx.state.logFields,
  };
  if (ctx.status < 500) ctx.state.log.info(line, 'request');
  // An outage of a server we depend on is to be expected: it is no error of this process.
  else
    ctx.state.log[ctx.status === 503 ? 'warn' : 'error']({ ...line, err: ctx.state.error }, 'request failed');
}
