import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { VERSION } from '../config/version';
import { reportingExporter } from './exporter';
import { createSampler } from './sampler';
import type { Env } from './switch';
import type { Tracing, TracingLog } from './tracing';

/** What the last spans are given even if the work has taken all of the time to stop. */
const MIN_FLUSH_MS = 500;

/**
 * Starts OpenTelemetry's SDK for traces. Outgoing requests carry no trace context, since they all go to strangers: the payment
 * service and the receivers of webhooks. Temporal's headers are ours, see `temporal/trace-header.ts`.
 */
export function startSdk(service: string, env: Env): Tracing {
  let log: TracingLog | undefined;
  const exporter = reportingExporter(new OTLPTraceExporter(), () => log);
  const provider = new NodeTracerProvider({
    resource: resourceOf(service, env),
    sampler: createSampler(env),
    spanProcessors: [new WithoutMessages(exporter)],
  });
  provider.register({ propagator: null });
  registerInstrumentations({
    tracerProvider: provider,
    // Commands without a span around them, such as those of change streams and of health checks, have none either.
    instrumentations: [
      new MongoDBInstrumentation({ requireParentSpan: true, dbStatementSerializer: noText }),
    ],
  });
  return {
    reportTo: (to) => (log = to),
    flush: (withinMs) =>
      Promise.race([
        provider.shutdown().then(
          () => true,
          () => true, // it was reported
        ),
        delay(Math.max(withinMs, MIN_FLUSH_MS), false, { ref: false }),
      ]),
  };
}

/** The text of a command has the values of documents, and takes long to write. */
const noText = () => undefined as unknown as string;

/** Leaves out the messages of errors: those of MongoDB have the values of unique keys, such as e-mail addresses. */
class WithoutMessages extends BatchSpanProcessor {
  override onEnd(span: ReadableSpan): void {
    const { code } = span.status;
    Object.assign(span, { status: { code } });
    super.onEnd(span);
  }
}

function resourceOf(service: string, { NODE_ENV }: Env): Resource {
  const own = resourceFromAttributes({
    'service.name': service,
    'service.version': VERSION,
    'service.instance.id': randomUUID(),
    ...(NODE_ENV && { 'deployment.environment.name': NODE_ENV }),
  });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}
