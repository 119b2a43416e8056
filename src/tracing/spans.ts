import {
  context,
  isSpanContextValid,
  ProxyTracerProvider,
  SpanStatusCode,
  trace,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api';

const NAME = 'orders-management-system';

/** Whether spans are recorded in this process. Without, not even the context of a caller is passed on. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider && provider.getDelegateTracer(NAME) !== undefined;
}

export function tracer(): Tracer {
  return trace.getTracer(NAME);
}

/** Returns the context of the span in which this is called, if there is one. */
export function currentSpan(): SpanContext | undefined {
  const current = trace.getSpanContext(context.active());
  return current && isSpanContextValid(current) ? current : undefined;
}

/** The fields by which a log line leads to its trace. */
export function spanFields(): { traceId?: string; spanId?: string } {
  const current = currentSpan();
  return current ? { traceId: current.traceId, spanId: current.spanId } : {};
}

/**
 * Does the work in a span. Of an error it records what kind it is, and not its message, which may hold anything.
 * @param isExpected tells which errors are an answer and no fault
 */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
  isExpected: (error: unknown) => boolean = () => false,
): Promise<T> {
  const span = tracer().startSpan(name, options);
  try {
    return await context.with(trace.setSpan(context.active(), span), work, undefined, span);
  } catch (error) {
    recordError(span, errorType(error), isExpected(error));
    throw error;
  } finally {
    span.end();
  }
}

/** @param isExpected whether it is an answer and no fault */
export function recordError(span: Span, type: string, isExpected = false): void {
  span.setAttribute('error.type', type);
  if (!isExpected) span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Failures of Temporal and problems of the API have a type or a code that says more than the name of their class. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { type, code } = error as Error & { type?: unknown; code?: unknown };
  const kind = [type, code].find((one) => typeof one === 'string' && /^[\w.]{1,64}$/.test(one));
  return (kind as string | undefined) ?? error.name;
}
