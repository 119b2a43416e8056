import type { SpanContext } from '@opentelemetry/api';

/** https://www.w3.org/TR/trace-context/: later versions may have more after the flags. */
const FORMAT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** Returns undefined for what is no traceparent. */
export function parseTraceparent(text: string): SpanContext | undefined {
  const [, version, traceId, spanId, flags, more] = FORMAT.exec(text) ?? [];
  const isMalformed = version === undefined || version === 'ff' || (version === '00' && more !== undefined);
  if (isMalformed || /^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  return { traceId: traceId!, spanId: spanId!, traceFlags: parseInt(flags!, 16) & 1, isRemote: true };
}
