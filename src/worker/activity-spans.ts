import { context, SpanKind, type Attributes } from '@opentelemetry/api';
import type { Info } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { contextOfTask } from '../temporal/trace-header';
import { inSpan, spanFields } from '../tracing/spans';

/** The parts of the first argument that say what an activity is about. */
interface Subject {
  orderId?: string;
  deliveryId?: string;
  endpointId?: string;
}

/**
 * Runs the activities of orders and of deliveries in spans, each attempt in its own, and adds the ids to their log lines. What
 * looks after all orders has none: it may run for hours, and do more than a trace can show.
 */
export const activitySpans: ActivityInterceptorsFactory = ({ info }) => {
  let fields = {};
  return {
    inbound: {
      execute(input, next) {
        const { orderId, deliveryId, endpointId } = (input.args[0] ?? {}) as Subject;
        if (orderId === undefined && deliveryId === undefined) return next(input);
        const attributes = {
          ...attributesOf(info),
          ...(orderId !== undefined && { 'order.id': orderId }),
          ...(deliveryId !== undefined && {
            'webhook.delivery.id': deliveryId,
            'webhook.endpoint.id': endpointId,
          }),
        };
        const run = () => {
          fields = spanFields();
          return next(input);
        };
        return context.with(contextOfTask(input.headers), () =>
          inSpan(`RunActivity:${info.activityType}`, { kind: SpanKind.SERVER, attributes }, run, isAnswer),
        );
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...fields }) },
  };
};

/** Named as in the spans of Temporal's other SDKs, as far as those have them. */
function attributesOf({ workflowExecution, activityId, attempt, isLocal, taskQueue }: Info): Attributes {
  return {
    temporalWorkflowID: workflowExecution?.workflowId,
    temporalRunID: workflowExecution?.runId,
    temporalActivityID: activityId,
    temporalAttempt: attempt,
    temporalIsLocal: isLocal,
    temporalTaskQueue: taskQueue,
  };
}

function isAnswer(error: unknown): boolean {
  if (error instanceof CancelledFailure) return true;
  return error instanceof ApplicationFailure && error.category === ApplicationFailureCategory.BENIGN;
}
