import { ROOT_CONTEXT, trace, TraceFlags, type Context } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  RandomIdGenerator,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace-node';
import { isFromClient } from './client-context';
import type { Env } from './switch';

const PARENT_BASED = 'parentbased_';
const DEFAULT = `${PARENT_BASED}always_on`;

/**
 * Creates the sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name, with two rules of our own. A client that
 * continues its trace here decides nothing: neither its flag nor an id that it has picked has its requests recorded. And what
 * continues in the background of a span that has ended is not recorded, such as a stream of events: it could last for hours.
 */
export function createSampler({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }: Env): Sampler {
  const name = OTEL_TRACES_SAMPLER?.trim() || DEFAULT;
  const root = rootSampler(name.replace(PARENT_BASED, ''), Number(OTEL_TRACES_SAMPLER_ARG?.trim() || 1));
  const usual = name.startsWith(PARENT_BASED) ? new ParentBasedSampler({ root }) : root;
  const ids = new RandomIdGenerator();
  return {
    shouldSample(context, traceId, ...rest) {
      if (isFromClient(context)) return root.shouldSample(ROOT_CONTEXT, ids.generateTraceId(), ...rest);
      if (hasEnded(context)) return { decision: SamplingDecision.NOT_RECORD };
      return usual.shouldSample(context, traceId, ...rest);
    },
    toString: () => `OrdersSampler{${usual.toString()}}`,
  };
}

/** The configuration rejects other names and ratios; until it does, they count as the default. */
function rootSampler(name: string, ratio: number): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler();
  if (name === 'traceidratio' && ratio >= 0 && ratio < 1) return new TraceIdRatioBasedSampler(ratio);
  return new AlwaysOnSampler();
}

/** Whether the parent is a recorded span of this process that has ended. */
function hasEnded(context: Context): boolean {
  const parent = trace.getSpan(context);
  if (!parent || parent.isRecording()) return false;
  const { isRemote, traceFlags } = parent.spanContext();
  return !isRemote && (traceFlags & TraceFlags.SAMPLED) !== 0;
}
