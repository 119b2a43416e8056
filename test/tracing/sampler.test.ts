import { ROOT_CONTEXT, SpanKind, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { NodeTracerProvider, SamplingDecision } from '@opentelemetry/sdk-trace-node';
import { contextOfClient } from '../../src/tracing/client-context';
import { createSampler } from '../../src/tracing/sampler';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
/** The id that a sampler by ratio takes first. */
const LOWEST = `${'0'.repeat(31)}1`;

function sampler(name?: string, ratio?: string) {
  const chosen = createSampler({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio });
  return (context: Context, traceId = TRACE): boolean => {
    const { decision } = chosen.shouldSample(context, traceId, 'name', SpanKind.SERVER, {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  };
}

function after(traceFlags: TraceFlags, isRemote = true): Context {
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE, spanId: SPAN, traceFlags, isRemote });
}

it('records everything by default', () => {
  expect(sampler()(ROOT_CONTEXT)).toBe(true);
});

it('lets workers follow what the API has decided', () => {
  const all = sampler('parentbased_always_on');
  const none = sampler('parentbased_always_off');
  expect([all(after(TraceFlags.NONE)), none(after(TraceFlags.SAMPLED))]).toEqual([false, true]);
});

it('records a part of the requests', () => {
  const tenth = sampler('parentbased_traceidratio', '0.1');
  expect([tenth(ROOT_CONTEXT, LOWEST), tenth(ROOT_CONTEXT, `8${'0'.repeat(31)}`)]).toEqual([true, false]);
  expect(sampler('parentbased_traceidratio', '0')(ROOT_CONTEXT, LOWEST)).toBe(false);
  expect(sampler('always_off')(ROOT_CONTEXT)).toBe(false);
});

describe('a client', () => {
  it('does not have its requests recorded, whatever flag and id it sends', () => {
    const client = contextOfClient(`00-${LOWEST}-${SPAN}-01`);
    const tenth = sampler('parentbased_traceidratio', '0.1');
    const recorded = Array.from({ length: 1_000 }, () => tenth(client, LOWEST)).filter(Boolean).length;
    expect(recorded).toBeLessThan(500); // 100 are to be expected; if the id decided, all of them
    expect(sampler('parentbased_always_off')(client)).toBe(false);
  });

  it('does not keep its requests from being recorded', () => {
    expect(sampler()(contextOfClient(`00-${TRACE}-${SPAN}-00`))).toBe(true);
  });
});

it('records nothing more below a span of this process that has ended', async () => {
  const provider = new NodeTracerProvider({ sampler: createSampler({}) });
  const tracer = provider.getTracer('test');
  const parent = tracer.startSpan('request', {}, ROOT_CONTEXT);
  const below = trace.setSpan(ROOT_CONTEXT, parent);
  expect(tracer.startSpan('while it lasts', {}, below).isRecording()).toBe(true);
  parent.end();
  expect(tracer.startSpan('in the background', {}, below).isRecording()).toBe(false);
  await provider.shutdown();
});
