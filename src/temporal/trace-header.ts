import { ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { currentSpan } from '../tracing/spans';
import { formatTraceparent, parseTraceparent } from '../tracing/traceparent';
import { TRACE_HEADER } from '../../workflows/contract';

/** Adds the context of the current span, which the workflow copies to its activities. It is never encrypted, and not secret. */
export function withTraceHeader(headers: Headers): Headers {
  const current = currentSpan();
  if (!current) return headers;
  const payload = defaultPayloadConverter.toPayload({ traceparent: formatTraceparent(current) });
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
