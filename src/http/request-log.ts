import type { Logger } from 'pino';
import type { Context, Middleware } from './context';
import type { LoggablePath } from './loggable-path';

/** Writes one line per request, without query string, headers or body. */
export function requestLog(logger: Logger, loggable: LoggablePath): Middleware {
  return async (ctx, next) => {
    const started = performance.now();
    ctx.state.log = logger.child({ requestId: ctx.state.requestId });
    await next();
    writeLine(ctx, loggable(ctx.path), performance.now() - started);
  };
}

function writeLine(ctx: Context, path: string, durationMs: number): void {
  const line = {
    method: ctx.method,
    path,
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
