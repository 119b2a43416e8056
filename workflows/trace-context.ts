import {
  currentUpdateInfo,
  defaultPayloadConverter,
  type Headers,
  type WorkflowInterceptors,
} from '@temporalio/workflow';
import { TRACE_HEADER } from './contract';

type Header = Headers[string];

/**
 * Passes on the trace context of who started the workflow, or sent the update that is being handled, to activities and to
 * the next run. It only copies a header: no promise, no time and no id is made here, so that histories are the same with
 * tracing on and off, and with OpenTelemetry's own interceptors they would not be.
 */
export function interceptors(): WorkflowInterceptors {
  let ofRun: Header | undefined;
  const ofUpdates = new Map<string, Header>();

  function current(): Header | undefined {
    const update = currentUpdateInfo();
    return (update && ofUpdates.get(update.id)) ?? ofRun;
  }

  function carrying<Input extends { readonly headers: Headers }>(input: Input): Input {
    const header = current();
    return header ? { ...input, headers: { ...input.headers, [TRACE_HEADER]: header } } : input;
  }

  return {
    inbound: [
      {
        execute(input, next) {
          ofRun = input.headers[TRACE_HEADER];
          return next(input);
        },
        handleUpdate(input, next) {
          const header = input.headers[TRACE_HEADER];
          if (header) ofUpdates.set(input.updateId, header);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(carrying(input)),
        scheduleLocalActivity: (input, next) => next(carrying(input)),
        continueAsNew: (input, next) => next(carrying(input)),
        getLogAttributes: (attributes, next) => next({ ...attributes, ...traceOf(current()) }),
      },
    ],
  };
}

/** The second part of a traceparent: https://www.w3.org/TR/trace-context/#traceparent-header */
function traceOf(header: Header | undefined): { traceId?: string } {
  if (!header) return {};
  try {
    const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent: string }>(header);
    return { traceId: traceparent.split('-')[1] };
  } catch {
    return {}; // anyone with access to Temporal can send anything
  }
}
