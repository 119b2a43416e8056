import { createContextKey, ROOT_CONTEXT, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { parseTraceparent } from './traceparent';

const FROM_CLIENT = createContextKey('the parent is the span of a client');

/**
 * Returns the context in which the span of a request begins. It continues the trace of the client, but whether it is recorded
 * is decided here: anyone can send the header.
 */
export function contextOfClient(traceparent: string): Context {
  const parent = parseTraceparent(traceparent);
  if (!parent) return ROOT_CONTEXT;
  const context = trace.setSpanContext(ROOT_CONTEXT, { ...parent, traceFlags: TraceFlags.NONE });
  return context.setValue(FROM_CLIENT, true);
}

export function isFromClient(context: Context): boolean {
  return context.getValue(FROM_CLIENT) === true;
}
