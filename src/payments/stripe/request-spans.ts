import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type Stripe from 'stripe';
import { tracer } from '../../tracing/spans';

/** Makes a span of each request that the client makes, by the semantic conventions for HTTP: without its query and body. */
export function traceRequests(stripe: Stripe, host: string): void {
  stripe.on('response', (response: Stripe.ResponseEvent) => {
    const { method, path, status, request_start_time, request_end_time } = response;
    const { pathname } = new URL(path, `https://${host}`);
    const attributes = {
      'http.request.method': method,
      'http.response.status_code': status,
      'server.address': host,
      'url.full': `https://${host}${pathname}`,
      ...(status >= 400 && { 'error.type': String(status) }),
    };
    const span = tracer().startSpan(method, {
      kind: SpanKind.CLIENT,
      startTime: request_start_time,
      attributes,
    });
    if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(request_end_time);
  });
}
