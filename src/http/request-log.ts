import type { Logger } from 'pino';
import { ID_PATTERNS } from '../common/ids';
import { FULFILLMENT_ID, ORDER_ID } from '../domain/order-id';
import type { Context, Middleware } from './context';

/**
 * Writes one line per request, without query string, headers or body.
 * @param paths those of all routes; of the path of a request, only their words are logged, and ids
 */
export function requestLog(logger: Logger, paths: readonly string[]): Middleware {
  const words = new Set(paths.flatMap((path) => path.split('/')).filter((word) => !word.startsWith(':')));
  const loggable = (segment: string) => (words.has(segment) || isId(segment) ? segment : '…');
  return async (ctx, next) => {
    const started = performance.now();
    ctx.state.log = logger.child({ requestId: ctx.state.requestId });
    await next();
    writeLine(ctx, ctx.path.split('/').map(loggable).join('/'), performance.now() - started);
  };
}

/**
 * The ids that we give, each exactly as we write it. Anything else in the place of an id may be personal, such as an e-mail
 * address or the number of a card.
 */
const IDS = [
  ...Object.values(ID_PATTERNS),
  ORDER_ID,
  FULFILLMENT_ID,
  /^(?:void|refund|release)Payment-\d{1,9}$/, // the step of a compensation
];

function isId(segment: string): boolean {
  return IDS.some((pattern) => pattern.test(segment));
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
