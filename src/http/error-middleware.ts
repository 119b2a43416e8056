import { AppError } from '../errors/app-error';
import { problemOf, PROBLEM_TYPE, PROBLEMS, type ErrorCode } from '../errors/problems';
import { currentSpan } from '../tracing/spans';
import type { Context, Middleware } from './context';

const RETRY_AFTER_SECONDS = '5';

const BY_STATUS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  400: ['validation_failed', 'The request is malformed: check its path, headers and body.'],
  413: ['payload_too_large', 'The request is too large: send less at a time.'],
  415: ['unsupported_media_type', 'The body has an unsupported type: send JSON.'],
};

export interface ErrorMiddlewareOptions {
  /** Tells whether an error means that a server we depend on cannot be reached. */
  isUnavailable(error: unknown): boolean;
  /** The path of the documentation, which a 404 names; absent if it is not served. */
  docsPath?: string;
}

/**
 * Turns every error, and every request that no route has answered, into a problem (RFC 9457). No other place
 * does.
 */
export function errorMiddleware(options: ErrorMiddlewareOptions): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body == null) throw nothingHere(options);
    } catch (error) {
      ctx.state.error = error;
      sendProblem(ctx, toAppError(error, options));
    }
  };
}

function toAppError(error: unknown, options: ErrorMiddlewareOptions): AppError {
  if (error instanceof AppError) return error;
  if (options.isUnavailable(error)) {
    return new AppError(
      'service_unavailable',
      'The database cannot be reached at the moment: try again shortly.',
    );
  }
  const { status, expose } = (error ?? {}) as {
    status?: unknown;
    expose?: unknown;
  };
  if (expose === true && status === 404) return nothingHere(options);
  if (expose === true && typeof status === 'number' && status in BY_STATUS) return fromStatus(status);
  return new AppError(
    'internal_error',
    'Something went wrong on our side: try again, and report the requestId if it happens again.',
  );
}

function nothingHere({ docsPath }: ErrorMiddlewareOptions): AppError {
  const where = docsPath === undefined ? 'the documentation' : docsPath;
  return new AppError('not_found', `There is nothing at this path: see ${where} for all paths.`);
}

function fromStatus(status: number): AppError {
  const [code, detail] = BY_STATUS[status]!;
  return new AppError(code, detail);
}

function sendProblem(ctx: Context, error: AppError): void {
  const { status } = PROBLEMS[error.code];
  ctx.status = status;
  ctx.remove('ETag');
  ctx.set('Cache-Control', 'no-store');
  if (status === 503) ctx.set('Retry-After', RETRY_AFTER_SECONDS);
  ctx.set(error.headers);
  ctx.set('Content-Type', PROBLEM_TYPE);
  ctx.body = {
    ...problemOf(error.code, error.detail, ctx.state.requestId),
    traceId: currentSpan()?.traceId,
    errors: error.errors,
    orderId: error.orderId,
    existingOrderId: error.existingOrderId,
    retryUntil: error.retryUntil,
    total: error.total,
    data: error.data,
  };
}
