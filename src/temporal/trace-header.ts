import { ROOT_CONTEXT, trace, type Context, type Span } from '@opentelemetry/api';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { formatTraceparent, parseTraceparent } from '../tracing/traceparent';
import { TRACE_HEADER } from '../../workflows/contract';

/** Adds the context of the span, which the workflow copies to its activities. It is never encrypted, and not secret. */
export function withTraceHeader(headers: Headers, span: Span): Headers {
  const traceparent = formatTraceparent(span.spanContext());
  const payload = defaultPayloadConverter.toPayload({ traceparent });
  return { ...headers, [TRACE_HEADER]: payload };
}

/** Returns the context that a task was sent with, or none. */
export function contextOfTask(headers: Headers): Context {
  const payload = headers[TRACE_HEADER];
  const parent = payload && readTraceparent(payload);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

/** Anyone with access to Temporal can send anything. */
function readTraceparent(payload: Headers[string]) {
  try {
    const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(payload);
    return typeof traceparent === 'string' ? parseTraceparent(traceparent) : undefined;
  } catch {
    return undefined;
  }
}
