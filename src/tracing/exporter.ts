import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { TracingLog } from './tracing';

/** A collector that stays away is mentioned that often, in milliseconds. */
const MENTIONED_EVERY_MS = 300_000;

/** Tells when a collector takes no spans, and when it does again: the SDK itself says nothing of it. */
export function reportingExporter(exporter: SpanExporter, log: () => TracingLog | undefined): SpanExporter {
  let lost = 0;
  let mentionedAt = -Infinity;

  function report(count: number, { code, error }: ExportResult): void {
    if (code === ExportResultCode.SUCCESS) {
      if (lost > 0) log()?.info({ lost }, 'traces are exported again');
      [lost, mentionedAt] = [0, -Infinity];
      return;
    }
    lost += count;
    if (performance.now() - mentionedAt < MENTIONED_EVERY_MS) return;
    mentionedAt = performance.now();
    log()?.warn({ err: error, lost }, 'traces cannot be exported; nothing else is affected');
  }

  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        // Spans are exported in the context of any request that ended one, whose trace the line is no part of.
        context.with(ROOT_CONTEXT, () => report(spans.length, result));
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
