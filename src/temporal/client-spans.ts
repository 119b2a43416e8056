import { SpanKind, type Attributes, type Span } from '@opentelemetry/api';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type ClientInterceptors,
} from '@temporalio/client';
import { inSpan } from '../tracing/spans';
import { withTraceHeader } from './trace-header';

/** Makes spans of calls to Temporal, named as those of its other SDKs, and passes on the context of the trace. */
export const clientSpans: ClientInterceptors = {
  workflow: [
    {
      startWithDetails: (input, next) =>
        inCall('StartWorkflow', input.workflowType, workflow(input.options.workflowId), (span) =>
          next({ ...input, headers: withTraceHeader(input.headers, span) }),
        ),
      startUpdate: (input, next) =>
        inCall('UpdateWorkflow', input.updateName, workflow(input.workflowExecution.workflowId), (span) =>
          next({ ...input, headers: withTraceHeader(input.headers, span) }),
        ),
      startUpdateWithStart: (input, next) =>
        inCall(
          'UpdateWithStartWorkflow',
          input.updateName,
          workflow(input.workflowStartOptions.workflowId),
          (span) =>
            next({
              ...input,
              workflowStartHeaders: withTraceHeader(input.workflowStartHeaders, span),
              updateHeaders: withTraceHeader(input.updateHeaders, span),
            }),
        ),
      describe: (input, next) =>
        inCall('DescribeWorkflow', undefined, workflow(input.workflowExecution.workflowId), () =>
          next(input),
        ),
    },
  ],
  activity: [
    {
      start: (input, next) =>
        inCall('StartActivity', input.activityType, { temporalActivityID: input.options.id }, (span) =>
          next({ ...input, headers: withTraceHeader(input.headers, span) }),
        ),
    },
  ],
};

function workflow(temporalWorkflowID: string): Attributes {
  return { temporalWorkflowID };
}

function inCall<T>(
  operation: string,
  name: string | undefined,
  attributes: Attributes,
  call: (span: Span) => Promise<T>,
): Promise<T> {
  const fullName = name === undefined ? operation : `${operation}:${name}`;
  return inSpan(fullName, { kind: SpanKind.CLIENT, attributes }, call, isAnswer);
}

const ANSWERS = [WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError] as const;

function isAnswer(error: unknown): boolean {
  return ANSWERS.some((type) => error instanceof type);
}
