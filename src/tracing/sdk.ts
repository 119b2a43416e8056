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
import {
  ATTR_DB_COLLECTION_NAME,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_QUERY_TEXT,
} from '@opentelemetry/semantic-conventions';
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
    spanProcessors: [new TidySpans(exporter)],
  });
  provider.register({ propagator: null });
  registerInstrumentations({
    tracerProvider: provider,
    // Commands without a span around them, such as those of change streams and of health checks, have none either.
    instrumentations: [
      new MongoDBInstrumentation({ requireParentSpan: true, dbStatementSerializer: collectionIn }),
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

/** What the driver calls the collection of a command that it sends to the database. */
const NO_COLLECTION = '$cmd';

/**
 * Tells the collection of a command that the driver sends without saying which. The text of commands is left out: it has the
 * values of documents, and takes long to write.
 */
function collectionIn({ findAndModify, aggregate }: Record<string, unknown>): string {
  const collection = [findAndModify, aggregate].find((name) => typeof name === 'string');
  return collection as string; // without one, the span has no text
}

/**
 * Leaves out the messages of errors, since those of MongoDB have the values of unique keys, such as e-mail addresses. And
 * gives the commands that the driver sends to no collection the name of their own.
 */
class TidySpans extends BatchSpanProcessor {
  override onEnd(span: ReadableSpan): void {
    const { code } = span.status;
    Object.assign(span, { status: { code } });
    if (span.attributes[ATTR_DB_COLLECTION_NAME] === NO_COLLECTION) Object.assign(span, withCollection(span));
    super.onEnd(span);
  }
}

function withCollection({ attributes }: ReadableSpan): Pick<ReadableSpan, 'name' | 'attributes'> {
  const { [ATTR_DB_QUERY_TEXT]: collection, [ATTR_DB_COLLECTION_NAME]: _, ...others } = attributes;
  const operation = String(others[ATTR_DB_OPERATION_NAME]);
  if (!collection) return { name: operation, attributes: others };
  const name = `${operation} ${String(collection)}`;
  return { name, attributes: { ...others, [ATTR_DB_COLLECTION_NAME]: collection } };
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
