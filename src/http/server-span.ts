import { context, SpanKind, trace, type Span } from '@opentelemetry/api';
import { contextOfClient } from '../tracing/client-context';
import { errorType, recordError, tracer } from '../tracing/spans';
import { formatTraceparent } from '../tracing/traceparent';
import type { Context, Middleware } from './context';
import { knownMethod } from './known-method';
import type { LoggablePath } from './loggable-path';

/**
 * Handles each request in a span, which is named by its route as the semantic conventions for HTTP say, and sends its ids with
 * the response. It has neither query nor address nor user agent, which may be personal. Probes have none.
 */
export function serverSpan(prefix: string, loggable: LoggablePath): Middleware {
  const probes = `${prefix}/health`;
  return async (ctx, next) => {
    if (ctx.path.startsWith(probes)) return next();
    const span = tracer().startSpan(
      nameOf(ctx),
      { kind: SpanKind.SERVER, attributes: startingAttributes(ctx, loggable) },
      contextOfClient(ctx.get('traceparent')),
    );
    ctx.set('traceresponse', formatTraceparent(span.spanContext()));
    try {
      await context.with(trace.setSpan(context.active(), span), next);
    } finally {
      if (span.isRecording()) describe(span, ctx);
      span.end();
    }
  };
}

/** Spans of other methods are called HTTP, by the same conventions. */
function nameOf({ method }: Context): string {
  return knownMethod(method) === method ? method : 'HTTP';
}

function startingAttributes(ctx: Context, loggable: LoggablePath) {
  return {
    'http.request.method': knownMethod(ctx.method),
    'url.scheme': ctx.protocol,
    'url.path': loggable(ctx.path),
    'http.response.header.x-request-id': [ctx.state.requestId],
  };
}

function describe(span: Span, ctx: Context): void {
  const { status, state } = ctx;
  const { _matchedRoute: route } = ctx as { _matchedRoute?: string };
  if (route !== undefined) span.updateName(`${nameOf(ctx)} ${route}`);
  span.setAttributes({
    'http.route': route,
    'http.response.status_code': status,
    ...orderOf(state.logFields),
  });
  if (state.error !== undefined) recordError(span, errorType(state.error), status < 500);
}

function orderOf({ orderId }: Record<string, unknown> = {}) {
  return typeof orderId === 'string' ? { 'order.id': orderId } : {};
}
