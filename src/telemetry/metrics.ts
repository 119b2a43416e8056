import type { Meter } from '@opentelemetry/api';
import type { InstrumentType as InstrumentTypeOf } from '@opentelemetry/sdk-metrics';
import type { Answer } from './server';

/** What a process measures. */
export interface Metrics {
  /** Makes instruments. They are named as Prometheus does it, with their units: `…_seconds`, `…_total`. */
  meter: Meter;
  /** Returns the values of all instruments in the text format of Prometheus. */
  text(): Promise<string>;
}

/** How long instruments that have to be asked may take, in milliseconds: what is not known by then is left out. */
const COLLECT_MS = 3_000;

/** Begins to measure. Nothing of OpenTelemetry's SDK is loaded before. */
export async function createMetrics(): Promise<Metrics> {
  const [
    { AggregationTemporality, InstrumentType, MeterProvider },
    { PrometheusExporter, PrometheusSerializer },
  ] = await Promise.all([import('@opentelemetry/sdk-metrics'), import('@opentelemetry/exporter-prometheus')]);

  /** Leaves out gauges that were not told this time: the SDK would repeat their last values as if they were still so. */
  class Reader extends PrometheusExporter {
    override selectAggregationTemporality(type: InstrumentTypeOf) {
      return type === InstrumentType.OBSERVABLE_GAUGE
        ? AggregationTemporality.DELTA
        : super.selectAggregationTemporality(type);
    }
  }
  const reader = new Reader({ preventServerStart: true });
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const provider = new MeterProvider({ readers: [reader] });
  return {
    meter: provider.getMeter('orders'),
    async text() {
      const { resourceMetrics } = await reader.collect({ timeoutMillis: COLLECT_MS });
      return serializer.serialize(resourceMetrics);
    },
  };
}

/** Returns a response with metrics. */
export function metricsAnswer(text: string): Answer {
  return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body: text };
}
